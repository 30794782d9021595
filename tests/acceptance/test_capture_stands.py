"""Capture while something else is gone, and what makes it stop: never a silent gap."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from schemas.topics import Topics
from tests.capturing import active, ask, confirmed, programs_of
from tests.documents_as_of import MODELS, Checkpoints, dispatched, judge
from tests.kafka_reading import read
from tests.oracle import Oracle
from tests.programs import Programs, until
from tests.sources import Source

if TYPE_CHECKING:
    from embedded.kafka import Kafka

pytestmark = pytest.mark.acceptance


@pytest.mark.fault("Kafka is killed and comes back", "by itself")
def test_law_6_while_kafka_is_away_wal_waits_and_the_server_is_left_alone(
    own_odoo: Source, own_kafka: Kafka, tmp_path: Path
) -> None:
    name = f"src_{secrets.token_hex(3)}"
    with (
        programs_of(tmp_path, own_odoo, name, own_kafka) as programs,
        Oracle(own_odoo.dsn, name) as oracle,
    ):
        programs.run("setup")
        programs.caught_up()
        capture = programs.start("capture")
        until(lambda: active(own_odoo, name), capture)
        checkpoints = Checkpoints(oracle)
        checkpoints.take(own_odoo.lsn())
        own_kafka.kill()
        checkpoints.follow(own_odoo.commits(60), every=30)
        until(lambda: not active(own_odoo, name), capture)
        own_kafka.launch()
        end = own_odoo.lsn()
        until(lambda: confirmed(own_odoo, name, end), capture)
        assert capture.stop() == 0
        judge(dispatched(own_kafka.bootstrap, programs.config), checkpoints)


@pytest.mark.fault("The replication session is terminated, three times", "by itself")
def test_law_1_a_stream_that_breaks_off_is_followed_again(
    own_odoo: Source, kafka: Kafka, kafka_prefix: str, installed: Programs
) -> None:
    capture = installed.start("capture")
    with Oracle(own_odoo.dsn, kafka_prefix) as oracle:
        checkpoints = Checkpoints(oracle)
        for _ in range(3):
            until(lambda: active(own_odoo, kafka_prefix), capture)
            checkpoints.follow(own_odoo.commits(20), every=20)
            ask(
                own_odoo,
                "SELECT pg_terminate_backend(active_pid, 5000) FROM pg_replication_slots"
                " WHERE slot_name = %s AND active",
                f"odoo_cdc_{kafka_prefix}",
            )
    until(lambda: active(own_odoo, kafka_prefix), capture)
    assert capture.stop() == 0
    installed.caught_up()
    judge(dispatched(kafka.bootstrap, installed.config), checkpoints)


def test_law_6_an_idle_source_still_advances(
    own_odoo: Source, kafka_prefix: str, installed: Programs
) -> None:
    capture = installed.start("capture")
    until(lambda: active(own_odoo, kafka_prefix), capture)

    ask(own_odoo, "CREATE TABLE elsewhere AS SELECT generate_series(1, 10000)")

    end = own_odoo.lsn()
    until(lambda: confirmed(own_odoo, kafka_prefix, end), capture)
    assert capture.stop() == 0


@pytest.mark.fault("TRUNCATE of tables, with other changes in the transaction", "by itself")
def test_law_4_what_truncate_takes_is_gone_as_of_its_commit(
    own_odoo: Source, kafka: Kafka, kafka_prefix: str, installed: Programs
) -> None:
    with Oracle(own_odoo.dsn, kafka_prefix) as oracle:
        checkpoints = Checkpoints(oracle)
        checkpoints.follow(own_odoo.commits(20), every=20)
        ask(
            own_odoo,
            "BEGIN; TRUNCATE sale_order_line, product_taxes_rel RESTART IDENTITY CASCADE;"
            " UPDATE sale_order SET name = name || ' emptied' WHERE id < 5; COMMIT",
        )
        checkpoints.take(own_odoo.lsn())
        checkpoints.follow(own_odoo.commits(20), every=20)

    installed.caught_up()

    judge(dispatched(kafka.bootstrap, installed.config), checkpoints)


@pytest.mark.parametrize(
    "behind",
    [
        pytest.param(
            "DROP PUBLICATION {p}; UPDATE res_partner SET color = 7;"
            " CREATE PUBLICATION {p} FOR TABLES IN SCHEMA public",
            id="another publication of that name",
        ),
    ],
)
@pytest.mark.parametrize("running", [True, False], ids=["while it runs", "while it does not"])
def test_law_1_what_was_not_published_for_a_while_stops_capture_although_it_is_again(
    own_odoo: Source, kafka_prefix: str, installed: Programs, behind: str, *, running: bool
) -> None:
    if running:
        capture = installed.start("capture")
        until(lambda: active(own_odoo, kafka_prefix), capture)

    for statement in behind.format(p=f"odoo_cdc_{kafka_prefix}").split("; "):
        ask(own_odoo, statement)

    if not running:
        capture = installed.start("capture")
    assert capture.wait() == 4
    log = capture.tail()
    assert f'publication "odoo_cdc_{kafka_prefix}"' in log
    assert "hint: Before the first start run" in log
    assert "Traceback" not in log


@pytest.mark.fault("A table is out of the publication for a while: put back {}", "by itself")
@pytest.mark.parametrize("running", [True, False], ids=["while it runs", "while it does not"])
@pytest.mark.parametrize(
    "back", ["ALTER PUBLICATION {p} ADD TABLE res_partner", ""], ids=["by a DBA", "by capture"]
)
def test_law_1_what_happened_to_a_table_that_was_out_of_the_publication_is_published(
    own_odoo: Source,
    kafka: Kafka,
    kafka_prefix: str,
    installed: Programs,
    back: str,
    *,
    running: bool,
) -> None:
    with Oracle(own_odoo.dsn, kafka_prefix) as oracle:
        checkpoints = Checkpoints(oracle)
        if running:
            capture = installed.start("capture", "--log-format", "json")
            until(lambda: active(own_odoo, kafka_prefix), capture)
        name = f"odoo_cdc_{kafka_prefix}"
        member = member_of(own_odoo, name, "res_partner")
        ask(own_odoo, f"ALTER PUBLICATION {name} DROP TABLE res_partner")
        ask(own_odoo, "UPDATE res_partner SET name = name || ' unseen' WHERE mod(id, 3) = 0")
        ask(own_odoo, "UPDATE sale_order SET name = name || ' seen' WHERE mod(id, 3) = 0")
        if back:
            ask(own_odoo, back.format(p=name))
        if not running:
            capture = installed.start("capture", "--log-format", "json")
        until(lambda: member_of(own_odoo, name, "res_partner") not in (None, member), capture)
        ask(own_odoo, "UPDATE res_partner SET name = name || ' again' WHERE mod(id, 2) = 0")
        capture.until_said("res.partner is recovered")
        assert capture.stop() == 0
        installed.caught_up()
        checkpoints.take(own_odoo.lsn())

    judge(dispatched(kafka.bootstrap, installed.config), checkpoints)
    assert "product.template" not in capture.tail(), "what does not show it waits for nothing"


@pytest.mark.fault(
    "A table is out of the publication, and capture may not put it back",
    "by itself, once the statement that it names was run",
)
def test_law_1_a_table_that_capture_may_not_put_back_is_named_with_the_statement(
    own_odoo: Source, kafka: Kafka, kafka_prefix: str, installed: Programs
) -> None:
    name = f"odoo_cdc_{kafka_prefix}"
    ask(
        own_odoo,
        "CREATE ROLE poor LOGIN REPLICATION; GRANT SELECT ON ALL TABLES IN SCHEMA public TO poor",
    )
    text = installed.config.read_text(encoding="utf-8")
    installed.config.write_text(text.replace("user=postgres", "user=poor"), encoding="utf-8")
    try:
        ask(own_odoo, f"ALTER PUBLICATION {name} DROP TABLE res_partner")
        ask(own_odoo, "UPDATE res_partner SET name = name || ' unseen'")
        ended = installed.start("capture", "--until-caught-up")
        assert ended.wait() == 4, ended.tail()
        capture = installed.start("capture")
        statement = f'ALTER PUBLICATION "{name}" ADD TABLE ONLY "public"."res_partner"'
        capture.until_said(f"Run as their owner: {statement}")
        ask(own_odoo, statement)
        capture.until_said("res.partner is recovered")
        assert capture.stop() == 0
        installed.caught_up()
    finally:
        ask(own_odoo, "DROP OWNED BY poor; DROP ROLE poor")
    with Oracle(own_odoo.dsn, kafka_prefix) as oracle:
        checkpoints = Checkpoints(oracle)
        checkpoints.take(own_odoo.lsn())
    judge(dispatched(kafka.bootstrap, installed.config), checkpoints)


def member_of(source: Source, publication: str, table: str) -> Any:
    """Return a table's number in a publication, None where it is not there."""
    query = (
        "SELECT r.oid::int8 FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid"
        " WHERE p.pubname = %s AND r.prrelid = %s::regclass"
    )
    return ask(source, query, publication, table)


def test_tables_of_others_in_the_publication_are_no_matter_to_capture(
    own_odoo: Source, kafka_prefix: str, installed: Programs
) -> None:
    name = f"odoo_cdc_{kafka_prefix}"
    tables = ask(
        own_odoo,
        "SELECT string_agg(tablename, ', ') FROM pg_publication_tables WHERE pubname = %s",
        name,
    )
    ask(
        own_odoo,
        f"CREATE TABLE other (id int PRIMARY KEY); ALTER PUBLICATION {name} ADD TABLE other",
    )
    ask(own_odoo, f"ALTER PUBLICATION {name} SET TABLE {tables}")

    installed.caught_up()


def test_law_1_a_slot_that_is_gone_stops_capture(
    own_odoo: Source, kafka_prefix: str, installed: Programs
) -> None:
    ask(own_odoo, "SELECT pg_drop_replication_slot(%s)", f"odoo_cdc_{kafka_prefix}")

    capture = installed.start("capture")

    assert capture.wait() == 4
    assert "no replication slot" in capture.tail()
    assert "`odoo-cdc capture --recover`" in capture.tail()


def test_law_8_what_no_route_selects_is_neither_stored_nor_published(
    own_odoo: Source, kafka: Kafka, kafka_prefix: str, installed: Programs
) -> None:
    secret = secrets.token_hex(20)
    ask(own_odoo, "UPDATE res_partner SET comment = %s, name = name || ' !'", secret)

    log = installed.caught_up().tail()

    assert secret not in log
    folder = installed.folder / "state"
    held = [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    topics = Topics(kafka_prefix)
    published = [r.value for r in read(kafka.bootstrap, [topics.events(m) for m in MODELS])]
    assert any(b" !" in value for value in published)
    assert not any(secret.encode() in data for data in (*held, *published))
