"""The target service with its real memory and threads, and an Odoo that does what a test says."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from schemas.keys import Chain
from streams.applying.answer import Answer, Delivered
from streams.applying.incoming import Incoming, Operation, of
from streams.metrics import Metrics
from streams.odoo.port import LoginRefused
from streams.target.applied import Memory
from streams.target.desk import Desk, Journal
from streams.target.figures import FIGURES
from streams.target.hands import Pool
from streams.target.login import Login
from streams.target.remembering import Remembering
from streams.target.service import Limits, Service

Script = Callable[[Incoming, Operation | None], Answer]


def sequence(number: int) -> str:
    return f"6743A1F0-{number:016X}-00000001-0000"


def message(
    number: int,
    record: int = 1,
    route: str = "r",
    operation: str = "update",
    value: object = None,
) -> dict[str, object]:
    chain = f"odoo_a/odoo_b/product.template/{record}"
    return {
        "specversion": "1.0",
        "id": f"{chain}/{route}/{sequence(number)}",
        "time": "2026-11-23T10:00:00.123456Z",
        "partitionkey": chain,
        "sequence": sequence(number),
        "data": {
            "routing": {"route": route, "target": "odoo_b", "mode": "stream"},
            "record": {
                "model": "product.template",
                "id": record,
                "key": f"odoo_a.product_template_{record}",
                "external_id": f"odoo_a.product_template_{record}",
                "target_model": "product.template",
                "operation": operation,
                "changed": None,
            },
            "fields": {"name": number if value is None else value},
        },
    }


def delivery(
    number: int, record: int = 1, route: str = "r", operation: Operation = "update"
) -> Incoming:
    made = of(message(number, record, route, operation))
    assert made.chain == Chain(f"odoo_a/odoo_b/product.template/{record}")
    return made


def delivers(incoming: Incoming, _: Operation | None) -> Answer:
    return Delivered(int(incoming.chain.rpartition("/")[2]) + 100)


class Gate:
    """A script whose calls wait, in their threads, until the test lets them go on."""

    def __init__(self, then: Script = delivers) -> None:
        self.then = then
        self._open = threading.Event()
        self._loop = asyncio.get_running_loop()
        self._here = asyncio.Semaphore(0)

    def __call__(self, incoming: Incoming, last: Operation | None) -> Answer:
        self._loop.call_soon_threadsafe(self._here.release)
        assert self._open.wait(30), "nobody has opened the gate"
        return self.then(incoming, last)

    async def reached(self, times: int = 1) -> None:
        async with asyncio.timeout(30):
            for _ in range(times):
                await self._here.acquire()

    def open(self) -> None:
        self._open.set()


class FakeOdoo:
    """Answers by a script, and remembers what it was asked."""

    def __init__(self) -> None:
        self.script: Script = delivers
        self.asked: list[tuple[str, str, Operation | None]] = []
        self.logins = 0
        self.lets_in = True
        self.prefetched: list[list[str]] = []

    def apply(self, incoming: Incoming, last: Operation | None) -> Answer:
        self.asked.append((incoming.id, threading.current_thread().name, last))
        return self.script(incoming, last)

    def prefetch(self, deliveries: Sequence[Incoming]) -> frozenset[str]:
        self.prefetched.append([each.id for each in deliveries])
        return frozenset()

    def log_in(self) -> None:
        self.logins += 1
        if not self.lets_in:
            raise LoginRefused("Wrong login ID or password")

    @property
    def numbers(self) -> list[int]:
        return [int(each.rpartition("/")[2].split("-")[1], 16) for each, _, _ in self.asked]


class TargetRig:
    """A service that has begun."""

    def __init__(self, folder: Path, odoo: FakeOdoo, limits: Limits, at_once: int) -> None:
        self.odoo = odoo
        self.metrics = Metrics(FIGURES)
        self.fatal: list[Exception] = []
        self.stuck = asyncio.Event()
        self._crashed = False
        self.key = "key"
        self.now = 0.0
        self.tries: list[float] = []
        self.memory = Memory(folder)
        self.remembering = Remembering(self.memory)
        self.pool = Pool(at_once, lambda: odoo, limits.lasting, self.stuck.set, lambda: self.now)
        self.login = Login(self._try, lambda: self.key, self._pause, lambda: self.now)
        self.service = Service(
            limits,
            self.remembering,
            self.pool,
            self.login,
            lambda each: frozenset((each.key,)),
            Journal(self.metrics),
            self.fatal.append,
        )
        self.unasked = self.service.reasons()
        self.login.missing = ""  # most tests ask no login
        self.desk = Desk(self.service, self.metrics, at_once)

    async def take(self, *deliveries: Incoming) -> list[Answer]:
        """Hand all in at once; answers in their order."""
        async with asyncio.timeout(30):
            return await asyncio.gather(*(self.service.take(each) for each in deliveries))

    def begin(self, incoming: Incoming) -> asyncio.Task[Answer]:
        return asyncio.create_task(self.service.take(incoming))

    def gauge(self, name: str) -> float:
        return next(each.value for each in self.service.gauges() if each.name == name)

    async def end(self) -> None:
        if not self._crashed:
            await self.service.stop(5)
            self.crash()

    def crash(self) -> None:
        """Leave the memory as it is on disk at this moment."""
        self._crashed = True
        self.remembering.close()
        self.memory.close()

    async def _try(self) -> None:
        self.tries.append(self.now)
        self.odoo.log_in()

    async def _pause(self, seconds: float) -> None:
        self.now += seconds
        await asyncio.sleep(0)


@asynccontextmanager
async def target(
    folder: Path,
    odoo: FakeOdoo | None = None,
    *,
    at_once: int = 2,
    waiting: int = 100,
    patience: float = 30,
    lasting: float = 30,
) -> AsyncIterator[TargetRig]:
    rig = TargetRig(folder, odoo or FakeOdoo(), Limits(waiting, patience, lasting), at_once)
    try:
        yield rig
    finally:
        await rig.end()
