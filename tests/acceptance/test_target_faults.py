"""Whatever happens to the target service or to its Odoo: nothing twice, lost or written backwards.

`make test` runs each fault with few deliveries, `make test-long` with many, and writes what came
of it to `docs/faults.md`. Odoo is the stand-in, over a database that notes every version that a
record was given.
"""

from __future__ import annotations

import random
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tests.branch_work import Harm, Work, audited
from tests.erratic_odoo import WRITES, ErraticOdoo, Struck, not_serialised_by_load
from tests.faults_page import Table
from tests.faulty_odoo import BAD_GATEWAY, CLOSE, Fault, Lost, Through, conflict
from tests.fix_services import Database
from tests.odoo_client import Odoo
from tests.target_rig import target_yaml
from tests.target_service import Sender, TargetService

if TYPE_CHECKING:
    from embedded.odoo_rpc import OdooRpc

pytestmark = pytest.mark.acceptance


@dataclass(frozen=True)
class Size:
    """Categories, other records of each of three kinds, versions of each; kills."""

    categories: int
    others: int
    versions: int
    kills: int

    @property
    def patience(self) -> float:
        """Seconds; it ends long before."""
        return 60 + self.kills * 12 + self.others * self.versions


FEW: Final = Size(categories=6, others=8, versions=5, kills=5)  # 150 deliveries
MANY: Final = Size(categories=20, others=60, versions=10, kills=50)  # 2,000
NONE: Final = Harm(twice=0, missing=0, older_after_newer=0, wrong_ends=0)
TIMEOUT: Final = 2.0  # seconds that the service waits for Odoo
TABLE: Final = Table(
    "target",
    (
        "deliveries",
        "attempts",
        "calls of Odoo",
        "records twice",
        "missing",
        "older after newer",
        "wrong ends",
    ),
)


@dataclass
class Fire:
    """A service under fire."""

    work: Work
    size: Size
    odoo: ErraticOdoo
    behind: OdooRpc
    service: TargetService
    sender: Sender
    chance: random.Random = field(default_factory=lambda: random.Random(11))  # noqa: S311  any

    def deliver(self) -> None:
        self.sender.deliver(self.work.chains, self.size.patience)

    def at_random(self, chance: float, *faults: Fault) -> None:
        """Let so many of the calls that write meet one of these."""

        def choose(_: str, method: str) -> Fault | None:
            hit = method in WRITES and self.chance.random() < chance
            return self.chance.choice(faults) if hit else None

        self.odoo.plan.choose = choose


class Killer:
    """Kills the service over and over, at a call of its own each time, and starts it again."""

    def __init__(self, fire: Fire) -> None:
        self._fire = fire
        self._calls = 0
        self._apart = fire.work.deliveries * 2 // fire.size.kills  # calls, about
        self._following = self._apart // 2
        self._struck = threading.Event()
        self._ended = False

    def choose(self, _: str, __: str) -> Struck | None:
        fire = self._fire
        self._calls += 1
        due = self._calls >= self._following and fire.service.kills < fire.size.kills
        if not due or not fire.sender.up.is_set():
            return None
        self._following = self._calls + fire.chance.randint(self._apart // 2, self._apart)
        fire.service.kills += 1
        fire.sender.up.clear()
        return Struck(self._strike, fire.chance.choice(Struck.MOMENTS))

    def _strike(self) -> None:
        self._fire.service.strike()
        self._struck.set()

    def revive(self) -> None:
        """Start it whenever it was killed, until `end`; blocks."""
        while True:
            self._struck.wait()
            self._struck.clear()
            if self._ended:
                return
            self._fire.service.kill()
            self._fire.service.start()
            self._fire.sender.up.set()

    def end(self) -> None:
        self._ended = True
        self._struck.set()


Script = Callable[[Fire], None]
FAULTS: dict[str, Script] = {}


def fault(script: Script) -> Script:
    """Put a script into the table; its docstring is the fault's name there."""
    FAULTS[(script.__doc__ or "").rstrip(".")] = script
    return script


@fault
def service_killed(fire: Fire) -> None:
    """The target service is killed (kill -9) as it asks Odoo, as Odoo has done it, as it hears."""
    killer = Killer(fire)
    fire.odoo.plan.choose = killer.choose
    reviving = threading.Thread(target=killer.revive)
    reviving.start()
    try:
        fire.deliver()
    finally:
        killer.end()
        reviving.join()
    assert fire.service.kills == fire.size.kills


@fault
def odoo_killed(fire: Fire) -> None:
    """Odoo is killed (kill -9) and comes back."""
    times = max(2, fire.size.kills // 5)
    due, calls, ended = threading.Semaphore(0), 0, threading.Event()

    def choose(_: str, __: str) -> None:
        nonlocal calls
        calls += 1
        if calls % (fire.work.deliveries * 2 // times) == 0:
            due.release()

    def kill() -> None:
        for _ in range(times):
            due.acquire()
            if ended.is_set():
                return
            fire.behind.kill()
            fire.behind.launch()

    fire.odoo.plan.choose = choose
    killing = threading.Thread(target=kill)
    killing.start()
    try:
        fire.deliver()
    finally:
        ended.set()
        due.release(times)
        killing.join()


@fault
def answers_lost(fire: Fire) -> None:
    """Two of ten writes are done, and the connection ends before Odoo's answer."""
    fire.at_random(0.2, Lost())
    fire.deliver()


@fault
def bad_gateway(fire: Fire) -> None:
    """Two of ten writes are done, and a proxy says 502."""
    fire.at_random(0.2, Lost(BAD_GATEWAY))
    fire.deliver()


@fault
def too_late(fire: Fire) -> None:
    """One of fifty writes is done, and answered after the timeout."""
    fire.at_random(0.02, Through(TIMEOUT + 0.5))
    fire.deliver()


@fault
def unserialisable(fire: Fire) -> None:
    """Odoo cannot serialise three of ten writes."""

    def choose(_: str, method: str) -> Fault | None:
        if method not in WRITES or fire.chance.random() >= 0.3:
            return None
        return not_serialised_by_load() if method == "load" else conflict()

    fire.odoo.plan.choose = choose
    fire.deliver()


@fault
def everything(fire: Fire) -> None:
    """Three of ten writes meet one of these, and one of ten reads has no answer."""
    faults = (CLOSE, Lost(), Lost(BAD_GATEWAY), conflict())

    def choose(_: str, method: str) -> Fault | None:
        chance = fire.chance.random()
        if method in WRITES:
            return fire.chance.choice(faults) if chance < 0.3 else None
        return CLOSE if chance < 0.1 else None

    fire.odoo.plan.choose = choose
    fire.deliver()


@pytest.fixture
def fired(
    odoo_databases: Callable[[], Database], tmp_path: Path
) -> Iterator[Callable[[str, Size], tuple[str, Harm]]]:
    """Run a fault on a database of its own; give its row of the table, and its harm."""
    from embedded.odoo_rpc import OdooRpc  # noqa: PLC0415 - unit tests load nothing of it

    with ExitStack() as stack:

        def run(name: str, size: Size) -> tuple[str, Harm]:
            behind = stack.enter_context(OdooRpc.start(odoo_databases().dsn))
            odoo = Odoo(
                kind=behind.kind,
                url=behind.url,
                database=behind.database,
                user="admin",
                api_key=behind.keys["admin"],
                reader="demo",
                reader_key=behind.keys["demo"],
                dsn=behind.dsn,
            )
            audited(odoo)
            erratic = ErraticOdoo(odoo)
            stack.callback(erratic.close)
            text = target_yaml(erratic.odoo).replace("odoo: {", f"odoo: {{timeout: {TIMEOUT:g}s, ")
            service = TargetService(tmp_path / secrets.token_hex(3), text)
            source = f"src_{secrets.token_hex(3)}"
            work = Work(source, size.categories, size.others, size.versions)
            fire = Fire(work, size, erratic, behind, service, Sender(service))
            with service:
                FAULTS[name](fire)
            assert fire.sender.rejected == []
            assert "action=unexpected" not in service.log()
            return row(name, fire), work.harm(odoo)

        yield run


def row(name: str, fire: Fire) -> str:
    return (
        f"| {name} | {fire.work.deliveries:,} | {fire.sender.attempts:,} |"
        f" {len(fire.odoo.calls):,} |"
    )


@pytest.mark.parametrize("name", FAULTS)
def test_law_5_nothing_is_twice_lost_or_written_backwards(
    name: str, fired: Callable[[str, Size], tuple[str, Harm]]
) -> None:
    assert fired(name, FEW)[1] == NONE


@pytest.mark.slow
def test_law_5_with_many_deliveries_and_kills(
    fired: Callable[[str, Size], tuple[str, Harm]],
) -> None:
    """Writes the table."""
    found = [fired(name, MANY) for name in FAULTS]
    TABLE.write(
        [
            f"{row} {harm.twice} | {harm.missing} | {harm.older_after_newer} | {harm.wrong_ends} |"
            for row, harm in found
        ]
    )
    assert [harm for _, harm in found] == [NONE] * len(found)
