"""A captured database on a cluster of its own, and what a recovery has published of it."""

from __future__ import annotations

import secrets
import shutil
from collections import Counter
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import psycopg
from psycopg.conninfo import conninfo_to_dict

from schemas.event import Document, Event, Mode
from schemas.position import Lsn
from tests.documents_as_of import MODELS, Checkpoints, dispatched, judge
from tests.folding import Told
from tests.kafka_reading import events
from tests.oracle import Oracle, routes_yaml
from tests.programs import Program, Programs, sync_yaml
from tests.sources import Source

if TYPE_CHECKING:
    from embedded.kafka import Kafka
    from embedded.postgres import Postgres

DATABASE: Final = "odoo"
_ALL: Final = Lsn(1 << 62)  # a restored database has positions behind those of its past
DOOMED: Final = """
    INSERT INTO res_partner (name, complete_name, type, active, is_company, color)
    SELECT 'Doomed ' || n, 'Doomed ' || n, 'contact', true, true, 0 FROM generate_series(1, 3) n
"""
CHANGED: Final = """
    INSERT INTO res_partner (name, complete_name, type, active, is_company, color)
    SELECT 'Found ' || n, 'Found ' || n, 'contact', true, true, 0 FROM generate_series(1, 3) n;
    UPDATE res_partner SET name = name || ' of the gap'
    WHERE id IN (SELECT partner_id FROM sale_order ORDER BY id LIMIT 2);
    DELETE FROM product_taxes_rel WHERE prod_id = (SELECT min(prod_id) FROM product_taxes_rel);
    UPDATE res_country SET code = lower(code)
    WHERE id = (SELECT min(country_id) FROM res_partner WHERE active AND is_company);
    UPDATE sale_order SET name = name || '!' WHERE id = (SELECT max(id) FROM sale_order);
    UPDATE sale_order SET name = left(name, -1) WHERE id = (SELECT max(id) FROM sale_order)
"""  # what comes back to what it was is no difference
DELETED: Final = "DELETE FROM res_partner WHERE name LIKE 'Doomed %'"


@dataclass(slots=True)
class Site:
    """A database that is loaded and published; its programs."""

    cluster: Postgres
    source: Source
    name: str
    kafka: Kafka
    programs: Programs
    checkpoints: Checkpoints

    @property
    def slot(self) -> str:
        """The slot's name, and the publication's."""
        return f"odoo_cdc_{self.name}"

    @property
    def database(self) -> str:
        """The database's name."""
        return str(conninfo_to_dict(self.source.dsn)["dbname"])

    @property
    def shadow(self) -> Path:
        """The shadow's folder."""
        return self.programs.folder / "state" / "capture"

    def ask(self, *statements: str) -> Any:
        """Run statements, each in a transaction of its own; return the last one's first value."""
        with psycopg.connect(self.source.dsn, autocommit=True) as connection:
            for statement in statements:
                cursor = connection.execute(statement.encode())
            row = cursor.fetchone() if cursor.description else None
            return row and row[0]

    def work(self, commits: int = 30, *, deletes: bool = True) -> None:
        """Let something of everything happen."""
        if deletes:
            self.ask(DELETED)
        for _ in self.source.commits(commits):
            pass
        self.ask(*CHANGED.split(";"))

    def stopped(self, *said: str) -> None:
        """See that capture refuses to go on, publishes nothing, and says what to do."""
        before = len(self.events())
        capture = self.programs.start("capture", "--until-caught-up")
        assert capture.wait() == 4, capture.tail()
        log = capture.tail()
        for text in (*said, "hint: ", "odoo-cdc capture --recover"):
            assert text in log, log
        assert "Traceback" not in log
        assert len(self.events()) == before

    def recover(self, *options: str) -> Program:
        """Recover, and publish everything that is committed so far."""
        return self.programs.run("capture", "--recover", "--until-caught-up", *options)

    def events(self) -> list[Event]:
        """Return all events, each once, in the order of their positions."""
        found = {}
        for record, event in events(self.kafka.bootstrap, self.name, MODELS):
            whose = (event.position, event.model, event.id)
            assert found.setdefault(whose, (record.value, event))[0] == record.value
        return [event for _, (_, event) in sorted(found.items(), key=lambda pair: pair[0])]

    def recovered(self) -> list[Event]:
        """Return what recovery has published: of each document the difference, and once."""
        last: dict[tuple[str, int], Document | None] = {}
        found: list[Event] = []
        for event in self.events():
            whose = event.model, event.id
            if event.mode is Mode.RECOVER:
                assert event.before_known
                assert event.before == last.get(whose), whose
                assert event.before != event.after, whose
                found.append(event)
            last[whose] = event.after
        twice = [whose for whose, n in Counter((e.model, e.id) for e in found).items() if n > 1]
        assert not twice
        return found

    def move(self, cluster: Postgres) -> None:
        """Have the database on another cluster from here on."""
        config = self.programs.config
        text = config.read_text(encoding="utf-8")
        moved = text.replace(f"port={self.cluster.port}", f"port={cluster.port}")
        config.write_text(moved, encoding="utf-8")
        self.cluster, self.source = cluster, _source(cluster.dsn(DATABASE))

    def of_slot(self, column: str) -> str | None:
        """Return a column of pg_replication_slots."""
        query = "SELECT to_jsonb(s) ->> %s FROM pg_replication_slots s WHERE slot_name = %s"
        with psycopg.connect(self.source.dsn) as connection:
            (found,) = connection.execute(query, [column, self.slot]).fetchone() or [None]
        return found

    def look(self) -> None:
        """Ask what every target must hold; the database stands still."""
        with Oracle(self.source.dsn, self.name) as self.checkpoints.oracle:
            self.checkpoints.take(self.source.lsn())

    def differing(self) -> set[tuple[str, str, int]]:
        """Return what targets hold otherwise since the last checkpoint: target, route, record."""
        _, former = self.checkpoints.found[-1]
        self.look()
        _, now = self.checkpoints.found[-1]
        return {
            (*place, record)
            for place in now
            for record in {*former[place], *now[place]}
            if former[place].get(record) != now[place].get(record)
        }

    def judge(self) -> None:
        """Compare what targets hold with what SQL says, at this moment."""
        self.look()
        _, holding = self.checkpoints.found[-1]
        self.checkpoints.found[:] = [(_ALL, holding)]
        judge(dispatched(self.kafka.bootstrap, self.programs.config), self.checkpoints)

    def delivered(self) -> set[tuple[str, str, int]]:
        """Return what recovery sends: target, route, record. AssertionError for one sent twice."""
        told = map(Told.read, dispatched(self.kafka.bootstrap, self.programs.config))
        sent = Counter((*each.place, each.record) for each in told if each.mode == Mode.RECOVER)
        assert not [each for each, times in sent.items() if times > 1]
        return set(sent)


def _source(dsn: str) -> Source:
    from embedded.odoo.simulator import Simulator  # noqa: PLC0415 - unit tests load nothing of it

    def play() -> Generator[object]:
        with Simulator(dsn, secrets.randbelow(1_000)) as simulator:
            while True:
                yield simulator.step()

    return Source(dsn, play)


@contextmanager
def standby(captured: Site, *, synchronised: bool = False) -> Iterator[Postgres]:
    """Follow a site's cluster, over a copy of its folder with the slots that are in it.

    `synchronised`: without them, and ready to take over those that have `failover`.
    """
    from embedded.postgres import Postgres  # noqa: PLC0415 - likewise

    primary = captured.cluster
    home = primary.home.with_name(f"{captured.name}_standby")
    primary.stop()
    shutil.copytree(primary.data, home / "data", symlinks=True)
    primary.launch()
    (home / "data" / "standby.signal").touch()
    settings = {"primary_conninfo": primary.dsn(), "hot_standby": "on"}
    if synchronised:
        captured.ask("SELECT pg_create_physical_replication_slot('standby', true)")
        for folder in (home / "data" / "pg_replslot").iterdir():
            shutil.rmtree(folder)
        settings |= {"primary_slot_name": "standby", "hot_standby_feedback": "on"}
    with Postgres.start(home, keep=False, settings=settings) as copy:
        yield copy


@contextmanager
def loaded(
    folder: Path,
    kafka: Kafka,
    cluster: Postgres,
    dsn: str,
    source: Mapping[str, Any] | None = None,
) -> Iterator[Site]:
    """Load and publish an Odoo-shaped database; `source` are keys of sync.yaml's besides."""
    name = f"src_{secrets.token_hex(3)}"
    text = sync_yaml(
        source=name,
        dsn=dsn,
        kafka=kafka.bootstrap,
        targets=("shop", "erp"),
        routes=routes_yaml(),
        more={"source": {"name": name, "dsn": dsn, **(source or {})}},
    )
    with Oracle(dsn, name) as oracle:
        checkpoints = Checkpoints(oracle)
    with Programs(folder, text) as programs:
        made = Site(cluster, _source(dsn), name, kafka, programs, checkpoints)
        made.ask(DOOMED)
        programs.run("setup")
        programs.caught_up()
        made.look()
        yield made


@contextmanager
def site(
    folder: Path,
    kafka: Kafka,
    *,
    source: Mapping[str, Any] | None = None,
    **how: Any,
) -> Iterator[Site]:
    """The same, on a cluster of its own (`version`, `settings`), which may be stopped."""
    from embedded.odoo import SMALL, create  # noqa: PLC0415 - unit tests load nothing of it
    from embedded.postgres import Postgres  # noqa: PLC0415 - likewise

    with Postgres.start(**how) as cluster:
        cluster.create_database(DATABASE, "template0")
        dsn = cluster.dsn(DATABASE)
        create(dsn, seed=1, size=SMALL)
        with loaded(folder, kafka, cluster, dsn, source) as made:
            yield made
