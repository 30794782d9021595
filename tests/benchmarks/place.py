"""Where figures are taken: real services, a database, and a source of its own per measure."""

from __future__ import annotations

import resource
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import psycopg

from embedded.kafka import Kafka
from embedded.odoo import DEMO, OPENED, create
from embedded.odoo.simulator import Simulator
from embedded.postgres import Postgres
from tests.fix_odoo18 import NoRecording, Recording, folder
from tests.oracle import routes_yaml
from tests.programs import Programs, sync_yaml
from tests.workload import Player

SINK: Final = Path(__file__).with_name("sink.py")
_FRESH: Final = "fresh"
STEPS: Final = 5_000  # of the simulator, where there is no recorded workload


@dataclass(frozen=True, slots=True)
class Cost:
    """What a child process took: `wall` and `cpu` in seconds."""

    wall: float
    cpu: float


@dataclass(frozen=True, slots=True)
class Site:
    """A database whose changes go to topics of its own."""

    name: str
    dsn: str
    folder: Path
    programs: Programs
    publish: str = "tables"

    def config(self, **parts: object) -> str:
        """Return the sync.yaml of this site with other parts."""
        return site_yaml(self.name, self.dsn, **parts)


def site_yaml(name: str, dsn: str, **parts: object) -> str:
    """Return a sync.yaml over the routes of the main acceptance test."""
    values: dict[str, object] = {
        "source": name,
        "dsn": dsn,
        "targets": ("shop", "erp"),
        "routes": routes_yaml(),
    }
    return sync_yaml(**(values | parts))


@dataclass(slots=True)
class Place:
    """Services, started once; `say` reports progress."""

    say: Callable[[str], None]
    rows: int = 1_000_000  # that a million is
    stack: ExitStack = field(default_factory=ExitStack)
    recorded: bool = False
    postgres: Postgres = field(init=False)
    kafka: Kafka = field(init=False)
    folder: Path = field(init=False)
    _recording: Recording | None = None
    _fresh: bool = False

    def __enter__(self) -> Self:
        self.say("starting Postgres and Kafka")
        self.folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        try:
            folder()
            self.recorded = True
        except NoRecording as error:
            self.say(f"{error}: our own Odoo-shaped database instead")
        extension = "pg_trgm" if self.recorded else None
        self.postgres = self.stack.enter_context(Postgres.start(extension=extension))
        self.kafka = self.stack.enter_context(Kafka.start())
        if self.recorded:
            self._recording = Recording.restore(self.postgres)
        else:
            self.postgres.create_database("own", "template0")
            create(self.postgres.dsn("own"), seed=1, size=DEMO)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stack.close()

    @contextmanager
    def site(
        self,
        prepare: Callable[[str], object] | None = None,
        publish: str = "tables",
        **parts: object,
    ) -> Iterator[Site]:
        """Give a database of one's own, captured, loaded and published.

        `prepare` is called with its connection string before anything of that; who gives one
        loads it too.
        """
        name = f"bench_{secrets.token_hex(3)}"
        self.postgres.create_database(name, "odoo18" if self.recorded else "own")
        home = self.folder / name
        home.mkdir()
        dsn = self.postgres.dsn(name)
        if prepare is not None:
            prepare(dsn)
        source = {"name": name, "dsn": dsn, "publish": publish}
        more = {"more": {"source": source}} | parts
        text = site_yaml(name, dsn, kafka=self.kafka.bootstrap, **more)
        try:
            with Programs(home, text, cold=True) as programs:
                programs.run("setup")
                if prepare is None:
                    programs.caught_up()
                yield Site(name, dsn, home, programs, publish)
        finally:
            self.postgres.drop_database(name)
            shutil.rmtree(home)

    def fresh_odoo(self) -> str:
        """Name the database of an Odoo in which nobody has worked yet, to be copied."""
        if not self._fresh:
            self.postgres.create_database(_FRESH, "template0")
            create(self.postgres.dsn(_FRESH), seed=1, size=OPENED)
            self._fresh = True
        return _FRESH

    def play(self, dsn: str) -> int:
        """Play the workload; return how many transactions that were."""
        if self._recording is not None:
            with Player(dsn) as player:
                return sum(1 for _ in player.play(self._recording.workload()))
        with Simulator(dsn, 18) as simulator:
            return sum(1 for _ in (simulator.step() for _ in range(STEPS)))

    @contextmanager
    def sink(self, *manner: str) -> Iterator[tuple[str, Path]]:
        """Run a WSO2 that accepts everything; give its URL and the file of what came.

        `manner` are options of sink.py: when it answers, what it refuses, whom it tells.
        """
        notes = self.folder / f"sink-{secrets.token_hex(3)}"
        command = [sys.executable, str(SINK), str(notes), *manner]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            port = int(process.stdout.readline())
            try:
                yield f"http://127.0.0.1:{port}/cdc/v1/messages", notes
            finally:
                process.kill()


def query(dsn: str, sql: str, *values: object) -> str:
    """Return the one value of a query as text."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        row = connection.execute(sql.encode(), values).fetchone()
        return str(row[0]) if row else ""


def cost_of(run: Callable[[], object]) -> Cost:
    """Return what a child process took that `run` starts and waits for."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    run()
    wall, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return Cost(wall, cpu)


def run_program(command: Sequence[str]) -> None:
    """Run a program; AssertionError with its words where it failed."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
