"""`publish: columns` from end to end: lists follow the file, are lifted, and are mended."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psycopg
import pytest

from tests.capturing import active, ask, programs_of
from tests.documents_as_of import Checkpoints, dispatched, judge
from tests.oracle import Oracle
from tests.programs import Programs, said, until
from tests.sources import Source

if TYPE_CHECKING:
    from embedded.kafka import Kafka

pytestmark = pytest.mark.acceptance

PUBLISHED: Final = (
    "SELECT attnames::text[] FROM pg_publication_tables"
    " WHERE pubname = %s AND tablename = 'res_partner'"
)
MORE: Final = """\
  - name: comments
    model: res.partner
    targets: [shop]
    initial_load: false
    fields: [comment]
"""


@pytest.fixture
def programs(
    own_odoo: Source, kafka: Kafka, kafka_prefix: str, tmp_path: Path
) -> Iterator[Programs]:
    """Programs of a file that selects one column more than it soon will; all is loaded."""
    ask(own_odoo, "ALTER TABLE res_partner ALTER name TYPE varchar(200)")  # to be made longer
    with programs_of(tmp_path, own_odoo, kafka_prefix, kafka, publish="columns") as made:
        made.config.write_text(made.config.read_text(encoding="utf-8") + MORE, encoding="utf-8")
        made.run("setup")
        made.caught_up()
        yield made


def listed(source: Source, publication: str) -> set[str]:
    """Return the columns of partners that are published; none where the table is not."""
    return set(ask(source, PUBLISHED, publication) or ())


@pytest.mark.fault("Column lists follow the file, and are lifted for an upgrade", "by itself")
def test_law_1_lists_follow_the_file_and_are_lifted_for_an_upgrade_without_a_gap(
    own_odoo: Source, kafka: Kafka, kafka_prefix: str, programs: Programs
) -> None:
    name = f"odoo_cdc_{kafka_prefix}"
    capture = programs.start("capture")
    until(lambda: active(own_odoo, kafka_prefix), capture)
    wanted = listed(own_odoo, name) - {"comment"}

    # Another file: what the capture that runs still reads stays, until it has taken that.
    text = programs.config.read_text(encoding="utf-8")
    programs.config.write_text(text.removesuffix(MORE), encoding="utf-8")
    kept = programs.run("setup")
    assert "still published, for the capture that runs: res_partner (comment)" in kept.tail()
    assert listed(own_odoo, name) == wanted | {"comment"}
    capture.process.send_signal(signal.SIGHUP)
    until(lambda: said(capture, "following the stream") == 2, capture)

    # An upgrade: lists are lifted, a selected column gets another size, the lists come back.
    programs.run("setup", "--for-upgrade")
    ask(own_odoo, "ALTER TABLE res_partner ALTER name TYPE varchar(300)")
    with Oracle(own_odoo.dsn, kafka_prefix) as oracle:
        checkpoints = Checkpoints(oracle)
        checkpoints.follow(own_odoo.commits(20), every=20)
        programs.run("setup")
        assert listed(own_odoo, name) == wanted
        ask(own_odoo, "UPDATE res_partner SET name = name || ' listed' WHERE mod(id, 2) = 0")
        checkpoints.take(own_odoo.lsn())

    assert capture.stop() == 0
    assert "read again" not in programs.caught_up().tail() + capture.tail()
    judge(dispatched(kafka.bootstrap, programs.config), checkpoints)


@pytest.mark.fault("DROP COLUMN ... CASCADE takes a table with a column list out", "by itself")
def test_law_1_what_a_table_went_through_that_fell_out_with_a_dropped_column_is_published(
    own_odoo: Source, kafka: Kafka, kafka_prefix: str, programs: Programs
) -> None:
    """A field is deleted whose column is listed, and that nobody reads: another file did."""
    name = f"odoo_cdc_{kafka_prefix}"
    text = programs.config.read_text(encoding="utf-8")
    programs.config.write_text(text.removesuffix(MORE), encoding="utf-8")
    programs.caught_up()
    wanted = listed(own_odoo, name) - {"comment"}
    capture = programs.start("capture")
    until(lambda: active(own_odoo, kafka_prefix), capture)

    with psycopg.connect(own_odoo.dsn) as connection:  # at once: capture looks now and then
        connection.execute("ALTER TABLE res_partner DROP COLUMN comment CASCADE")
        left = connection.execute(PUBLISHED, [name]).fetchall()
        connection.execute("UPDATE res_partner SET name = name || ' unseen' WHERE mod(id, 3) = 0")
    assert left == []

    until(lambda: listed(own_odoo, name) == wanted, capture)
    ask(own_odoo, "UPDATE res_partner SET name = name || ' again' WHERE mod(id, 2) = 0")
    capture.until_said("res.partner is recovered")
    assert capture.stop() == 0
    programs.caught_up()
    with Oracle(own_odoo.dsn, kafka_prefix) as oracle:
        checkpoints = Checkpoints(oracle)
        checkpoints.take(own_odoo.lsn())
    judge(dispatched(kafka.bootstrap, programs.config), checkpoints)
