"""A shop whose events are read: capture lives, dies, loses what it has, and is mended again.

A step has a name and arguments that JSON can hold: what was played can be written down, and played
again (`played`). After each step that brings capture up to date the fold of all events is held
against what SQL says.
"""

from __future__ import annotations

import secrets
import shutil
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import psycopg

from tests.programs import Program, sync_yaml, until
from tests.stateful import shop
from tests.stateful.heard import PARTITIONS, Folded, Listener
from tests.stateful.writes import Transaction, commit
from tests.warm import shared

if TYPE_CHECKING:
    from embedded.kafka import Kafka
    from embedded.postgres import Postgres

Fault = Sequence[Any] | None  # a point of `tests.faulty`, and how often capture gets there
FIRST: Final = {"shop.order": 0, "shop.partner": 0, "shop.tag": 0}
KILLED: Final = -signal.SIGKILL

# What is done to slot and publication `{p}`, so that capture must not go on.
LOSSES: Final[Mapping[str, Sequence[str]]] = {
    "the slot is dropped": ("SELECT pg_drop_replication_slot('{p}')",),
    "somebody made it anew": (
        "SELECT pg_drop_replication_slot('{p}')",
        "{gap}",
        "SELECT pg_create_logical_replication_slot('{p}', 'pgoutput')",
    ),
    "the publication is dropped": ("DROP PUBLICATION {p}",),
    "it is another one": (
        "DROP PUBLICATION {p}",
        "CREATE PUBLICATION {p} FOR TABLES IN SCHEMA public",
    ),
}
GAP: Final = "{gap}"


class Installation:
    """One source; its steps are the public methods after `finish`."""

    def __init__(self, postgres: Postgres, kafka: Kafka, folder: Path) -> None:
        self.name = f"src_{secrets.token_hex(3)}"
        self.folded = Folded()
        self.settled = False
        """Whether nothing is under way: capture was up to date when it last ended."""
        self.begun = False
        """Whether it ever was: a first start refuses what is not set up."""
        self._postgres, self._kafka = postgres, kafka
        self._folder = folder / self.name
        self._forms = dict(FIRST)
        self._ever: set[str] = set()  # models that have a topic
        self._number = 0

    def __enter__(self) -> Self:
        self._folder.mkdir()
        self._postgres.create_database(self.name)
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            shop.make(connection)
        self._listener = Listener(self._kafka.bootstrap, self.name)
        self._take(self._forms)
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.__exit__()
        self._postgres.drop_database(self.name)

    @property
    def dsn(self) -> str:
        """The database's."""
        return self._postgres.dsn(self.name)

    def play(self, steps: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
        """Do what was written down."""
        for name, values in steps:
            getattr(self, name)(**values)
        self.finish()

    def finish(self) -> None:
        """Bring capture up to date, whatever there is."""
        self.live()

    def write(self, transactions: list[Transaction]) -> None:
        """Let transactions be committed while capture is not there."""
        commit(self.dsn, transactions)

    def live(self, fault: Fault = None, during: Sequence[Transaction] = ()) -> None:
        """Let capture run until it is up to date, or dies; transactions come while it runs."""
        self._run(fault, during=during)
        if during and self.settled:
            self._run(None)
        if self.settled:
            self._agree()

    def leave_out(self, table: str, gap: list[Transaction], *, back: bool) -> None:
        """Take a table out of the publication for some transactions; `back`: a DBA mends it."""
        self._have(self.begun)
        if not self._ask(
            "SELECT true FROM pg_publication_tables WHERE (pubname, tablename) = (%s, %s)",
            [self._slot, table],
        ):
            return
        self._ask(f"ALTER PUBLICATION {self._slot} DROP TABLE {table}")
        commit(self.dsn, gap)
        if back:
            self._ask(f"ALTER PUBLICATION {self._slot} ADD TABLE {table}")

    def lose(self, what: str, gap: list[Transaction], fault: Fault = None) -> None:
        """Lose slot or publication for some transactions; capture refuses to go on; recover."""
        self._have(self.begun)
        statements = LOSSES[what]
        for statement in statements:
            if statement == GAP:
                commit(self.dsn, gap)
            else:
                self._ask(statement.format(p=self._slot))
        if GAP not in statements:
            commit(self.dsn, gap)
        ended = self._start("capture", "--until-caught-up")
        assert ended.wait() == 4, ended.tail()
        self._recover(fault)

    def lose_shadow(self, gap: list[Transaction], fault: Fault = None) -> None:
        """Lose the shadow: what was deleted since cannot be known, all else is sent again."""
        self.live()
        shutil.rmtree(self._folder / "state" / "capture")
        commit(self.dsn, gap)
        self.folded.forgotten = True
        ended = self._start("capture", "--until-caught-up")
        assert ended.wait() == 4, ended.tail()
        self._recover(fault, "--yes")

    def reconfigure(self, forms: Mapping[str, int], fault: Fault = None) -> None:
        """Begin with another file; while a recovery is under way it would be refused."""
        self._have(self.settled)
        self._take(forms)
        self.live(fault)

    def session(
        self,
        first: list[Transaction],
        forms: Mapping[str, int] | None,
        second: list[Transaction],
        *,
        killed: bool,
    ) -> None:
        """Let capture run as it does every day, with another file by SIGHUP where there is one."""
        self._have(self.settled)
        program = self._start("capture")
        program.until_said("action=following")
        commit(self.dsn, first)
        former, refused = self._forms, False
        if forms is not None and dict(forms) != former:
            self._take(forms)
            program.process.send_signal(signal.SIGHUP)
            wanted = ("in force", "not taken", *(["action=reading"] if killed else ()))
            until(lambda: any(text in program.tail() for text in wanted), program)
            refused = "documents are still due" in program.tail()
            assert refused == ("not taken" in program.tail()), program.tail()
        commit(self.dsn, second)
        if killed:
            program.kill()
        else:
            assert program.stop() == 0, program.tail()
        if refused:  # a table is read again: another file must wait
            self._take(former)
        self.live()

    @property
    def _slot(self) -> str:
        return f"odoo_cdc_{self.name}"

    def _have(self, given: bool) -> None:  # noqa: FBT001 - what the name asks for
        """Bring capture up to date where that is not given: kills have their own time."""
        if not given:
            self.live()

    def _recover(self, fault: Fault, *options: str) -> None:
        self._run(fault, "--recover", *options)
        if not self.settled:
            again = self._start("capture", "--until-caught-up")
            code = again.wait()
            assert code in {0, 4}, again.tail()
            # 4: it died before the shadow knew of the slot that recovery has made.
            self._run(None, *(() if code == 0 else ("--recover", *options)))
        self._agree()

    def _run(self, fault: Fault, *options: str, during: Sequence[Transaction] = ()) -> None:
        program = self._start("capture", "--until-caught-up", *options, fault=fault)
        commit(self.dsn, list(during))
        code = program.wait()
        assert code == 0 or (fault is not None and code == KILLED), program.tail()
        self.settled = code == 0
        self.begun |= self.settled
        self._listen()

    def _listen(self) -> None:
        for event, value in self._listener.listen(self._ever):
            self.folded.take(event, value)
        self.folded.only(self._trees)

    def _agree(self) -> None:
        """Hold the fold against SQL."""
        with psycopg.connect(self.dsn) as connection:
            for model, tree in self._trees.items():
                wanted, held = shop.documents(connection, model, tree), self.folded.of(model)
                if self.folded.forgotten:
                    for row in held.keys() - wanted.keys():
                        del self.folded.held[model, row], held[row]
                assert held.keys() == wanted.keys(), f"{model}: {self._folder}"
                for row, each in held.items():
                    known = {name: wanted[row][name] for name in each.document}
                    assert each.document == known, f"{model} {row}: {self._folder}"
        self.folded.loading.clear()
        self.folded.forgotten = False

    def _take(self, forms: Mapping[str, int]) -> None:
        """Write the file, and make what it needs; who has not published yet is loading."""
        self.settled = False
        self._forms = {**self._forms, **forms}
        text = sync_yaml(
            source=self.name,
            dsn=self.dsn,
            kafka=self._kafka.bootstrap,
            targets=("t",),
            routes=shop.routes_yaml(self._forms),
            more={"topics": {"partitions": PARTITIONS, "replication": 1}},
        )
        (self._folder / "sync.yaml").write_text(text, encoding="utf-8")
        made = self._start("setup")
        assert made.wait() == 0, made.tail()
        self._ever |= self._trees.keys()
        former = {model for model, _ in self.folded.held}
        # What is selected no longer may still be published, till the file is in force.
        self.folded.loading |= self._trees.keys() ^ former
        self.folded.only(self._trees)

    @property
    def _trees(self) -> dict[str, shop.Tree]:
        return {model: shop.tree_of(paths) for model, paths in shop.selected(self._forms).items()}

    def _start(self, command: str, *options: str, fault: Fault = None) -> Program:
        self._number += 1
        log = self._folder / f"{self._number}-{command}.log"
        words = [command, "-c", str(self._folder / "sync.yaml"), *options]
        process = shared().start(
            words, log, log, fault=fault and (fault[0], fault[1]), hurried=True
        )
        return Program(process, log, log)

    def _ask(self, statement: str, values: Sequence[object] | None = None) -> Any:
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            cursor = connection.execute(statement.encode(), values)
            return cursor.fetchone() if cursor.description else None
