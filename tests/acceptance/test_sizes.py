"""Large tables, transactions and rows: nothing is lost, and memory does not grow with them.

`make test` plays each in a size that takes seconds; `make test-long` in a large one, and writes
what came of it to `docs/sizes.md`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import psycopg
import pytest
from confluent_kafka import Consumer, TopicPartition

from cdc.notes import PROGRESS
from cdc.shadow.look import look
from schemas.topics import Topics
from tests import partners, sizes_page
from tests.fix_services import Database
from tests.programs import Programs, Spent, sync_yaml, until

if TYPE_CHECKING:
    from embedded.kafka import Kafka

pytestmark = pytest.mark.acceptance

LONG: Final = 4 * 3600.0  # seconds; what tests wait for comes before
MOST: Final = 250e6  # bytes of memory
ROUTES: Final = """routes:
  - {name: partners, model: res.partner, targets: [shop], fields: [name, comment]}
"""
_COMMENT: Final = (
    "UPDATE res_partner SET comment = repeat(md5(id || %s::text), 32768) WHERE id > %s"
)
_NAME: Final = "UPDATE res_partner SET name = %s WHERE id = 1"
_COUNT: Final = "SELECT count(*) FROM res_partner"
_LAST: Final = "SELECT max(id) FROM res_partner"


def sized(few: int, many: int) -> pytest.MarkDecorator:
    """Play it with few rows, and where there is time with many."""
    large = pytest.param(many, id=f"{many} rows", marks=pytest.mark.slow)
    return pytest.mark.parametrize("rows", [pytest.param(few, id=f"{few} rows"), large])


@dataclass
class Site:
    """A database of partners, and capture's programs over it."""

    database: Database
    kafka: Kafka
    name: str
    folder: Path
    programs: Programs

    def config(self, **source: Any) -> None:
        """Write the file with other keys of `source`."""
        self.programs.config.write_text(self._text(**source), encoding="utf-8")

    def _text(self, **source: Any) -> str:
        return sync_yaml(
            source=self.name,
            dsn=self.database.dsn,
            kafka=self.kafka.bootstrap,
            targets=["shop"],
            routes=ROUTES,
            more={"source": {"name": self.name, "dsn": self.database.dsn, **source}},
        )

    def run(self, statement: str, *values: object) -> int:
        """Run a statement; return its one number, or how many rows it changed."""
        with psycopg.connect(self.database.dsn, autocommit=True) as connection:
            cursor = connection.execute(statement.encode(), values)
            row = cursor.fetchone() if cursor.description else None
            return int(row[0]) if row else cursor.rowcount

    def events(self) -> int:
        """Return how many events of partners there are."""
        consumer = Consumer({"bootstrap.servers": self.kafka.bootstrap, "group.id": "sizes"})
        topic = Topics(self.name).events(partners.MODEL)
        parts = consumer.list_topics(topic, 30).topics[topic].partitions
        asked = (consumer.get_watermark_offsets(TopicPartition(topic, p), 30) for p in parts)
        number = sum(high for _, high in asked)
        consumer.close()
        return number

    def progress(self) -> dict[str, Any]:
        """Return what the shadow notes of itself."""
        seen = look(self.folder / "state" / "capture")
        return seen.notes.get(PROGRESS, {}) if seen else {}

    def frontier(self) -> int:
        """Return the last id of the partners that are read; all of them: a very large one.

        0 where nobody can say: nothing is read, or the shadow is being written.
        """
        at = self.progress().get("frontiers", {"res_partner": [0]}).get("res_partner", [2**63])
        return int(at[0]) if at else 0

    def status(self) -> dict[str, Any]:
        """Ask as anybody would."""
        program = self.programs.start("status", "--json")
        program.wait()
        found: dict[str, Any] = json.loads(program.out.read_text(encoding="utf-8"))["capture"]
        return found


@pytest.fixture
def site(
    odoo_database: Database, kafka: Kafka, kafka_prefix: str, tmp_path: Path
) -> Iterator[Site]:
    with Programs(tmp_path, "", cold=True) as programs:
        made = Site(odoo_database, kafka, kafka_prefix, tmp_path, programs)
        made.config()
        yield made


def written(what: str, rows: int, few: int, events: int, began: float, spent: Spent) -> None:
    """Hold it to its memory, and write a large one's line."""
    assert spent.peak < MOST, f"{spent.peak / 1e6:.0f} MB"
    if rows > few:
        seconds = f"{time.monotonic() - began:,.0f}"
        sizes_page.put(what, f"{events:,}", seconds, f"{spent.peak / 1e6:.0f}")


@sized(8_000, 10_000_000)
def test_law_1_a_first_load_that_is_killed_goes_on_behind_its_last_range(
    site: Site, rows: int
) -> None:
    partners.add(site.database.dsn, rows)
    number = site.run(_COUNT)
    site.config(load_rate=max(400, rows // 200))
    site.programs.run("setup")
    began = time.monotonic()
    first = site.programs.start("capture")
    until(lambda: rows // 4 < site.frontier() < 2**63, first)
    until(lambda: site.status()["reading"]["res_partner"]["per_second"], first)
    reading = site.status()["reading"]["res_partner"]
    first.kill()
    first.look()
    reached = site.frontier()
    assert rows // 5 < reading["rows"] < rows
    assert reading["per_second"] > 0

    site.config()
    second = site.programs.start("capture", "--until-caught-up")
    seen: list[int] = []
    while second.process.poll() is None:
        seen += [at] if (at := site.frontier()) else []
        second.look()
        time.sleep(0.02)
    assert second.wait(LONG) == 0, second.tail()
    assert min(seen) >= reached, "it began again"
    assert seen == sorted(seen)
    assert site.events() == number
    what = f"first load of {rows:,} rows, killed at a quarter"
    written(what, rows, 8_000, number, began, second.spent)


@sized(30_000, 3_000_000)
def test_law_9_a_large_transaction_fits_into_the_memory_of_a_small_one(
    site: Site, rows: int
) -> None:
    site.programs.run("setup")
    site.programs.caught_up()
    before = site.events()
    partners.add(site.database.dsn, rows)
    began = time.monotonic()
    spent = site.programs.caught_up(LONG).spent
    assert site.events() == before + rows
    written(f"one transaction of {rows:,} rows", rows, 30_000, rows, began, spent)


@sized(20_000, 1_000_000)
def test_an_upgrade_that_rewrites_every_row_and_changes_nothing_makes_no_event(
    site: Site, rows: int
) -> None:
    partners.add(site.database.dsn, rows)
    site.programs.run("setup")
    site.programs.caught_up(LONG)
    before = site.events()
    capture = site.programs.start("capture")
    capture.until_said("following the stream")
    assert partners.rewrite(site.database.dsn) > rows
    began = time.monotonic()
    site.run(_NAME, "behind it")
    seen = []
    deadline = time.monotonic() + LONG
    while site.events() == before:
        assert capture.process.poll() is None, capture.tail()
        assert time.monotonic() < deadline
        if rows > 20_000 and (found := site.status()["transaction"]):
            seen.append(found)
        time.sleep(0.1)
    capture.look()
    assert site.events() == before + 1, "only the later commit's"
    if rows > 20_000:
        assert [each["table"] for each in seen] == ["res_partner"] * len(seen)
        assert 0 < seen[0]["rows"] <= seen[-1]["rows"] <= rows * 2
        assert site.status()["transaction"] is None
    assert capture.stop() == 0
    written(f"{rows:,} rows rewritten, none changed", rows, 20_000, 0, began, capture.spent)


@sized(60, 2_000)
def test_law_9_rows_of_a_megabyte_fit_into_the_memory_of_small_ones(site: Site, rows: int) -> None:
    last = site.run(_LAST)
    partners.add(site.database.dsn, rows)
    site.run(_COMMENT, "a", last)
    number = site.run(_COUNT)
    site.programs.run("setup")
    began = time.monotonic()
    loaded = site.programs.caught_up(LONG).spent
    assert site.events() == number
    site.run(_COMMENT, "b", last)
    changed = site.programs.caught_up(LONG).spent
    assert site.events() == number + rows
    spent = max(loaded, changed, key=lambda one: one.peak)
    what = f"{rows:,} rows of 1 MB, loaded and then changed in one transaction"
    written(what, rows, 60, number + rows, began, spent)
