"""The target service as it runs: put together, started, and ended by a signal."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from typing import Final

from schemas.from_files import current
from streams.applying.answer import Answer
from streams.applying.applier import Applier, holds
from streams.applying.incoming import Incoming, Operation
from streams.applying.settings import Settings
from streams.asked import Asked
from streams.http.deliveries import Condition, Deliveries
from streams.metrics import Gauge, Metrics
from streams.odoo.port import Away, Odoo
from streams.odoo.session import Session
from streams.target.applied import Memory
from streams.target.counted import Counted
from streams.target.desk import Desk, Journal
from streams.target.figures import FIGURES
from streams.target.hands import Hand, Hands, Pool
from streams.target.login import Login
from streams.target.reloading import InForce, Reloading
from streams.target.remembering import Remembering
from streams.target.service import Limits, Service

logger = logging.getLogger(__name__)

STUCK: Final = 75  # what a supervisor takes as: start it again
GRACE: Final = 7.0  # seconds that what is begun gets at the end
_ENGLISH: Final = {"lang": "en_US"}  # every Odoo takes it
_LASTING: Final = 3  # times `timeout`: a delivery is several calls

Connect = Callable[[Settings], Odoo]


def session(settings: Settings) -> Odoo:
    """Return a session of the Odoo that target.yaml names; it asks nothing yet."""
    return Session(settings.odoo, settings.context, settings.timeout)


def serve(settings: Settings, connect: Connect = session, asked: Asked | None = None) -> int:
    """Run until SIGTERM or SIGINT; return the exit code.

    `connect` opens a session, on the thread that uses it. `asked` hears who wants the file to be
    read again.
    Raises before it listens: MemoryInUse, MemoryDamaged, MemoryOfAnother, NoAddress, AddressTaken.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # until the event loop has its own
    url, database = settings.odoo["url"], settings.odoo["database"]
    with closing(Memory(settings.state, url, database)) as memory:
        return asyncio.run(_run(settings, connect, memory, asked or Asked()))


class _Session:
    """One session by the file in force, and what works with it."""

    def __init__(self, force: InForce, open_one: Callable[[Settings], Odoo]) -> None:
        self._force = force
        self._open = open_one
        self._begin()

    def apply(self, delivery: Incoming, last: Operation | None) -> Answer:
        self._follow()
        return self._applier.apply(delivery, last)

    def prefetch(self, deliveries: Sequence[Incoming]) -> frozenset[str]:
        self._follow()
        return self._applier.prefetch(deliveries)

    def log_in(self) -> None:
        self._follow()
        self._odoo.call("res.users", "search_count", [], context=_ENGLISH)

    def _follow(self) -> None:
        if self._used is not self._force.now:
            self._begin()

    def _begin(self) -> None:
        self._used = self._force.now
        self._odoo = self._open(self._used.settings)
        self._applier = Applier(self._used.settings, self._odoo, self._used.known)


async def _run(settings: Settings, connect: Connect, memory: Memory, asked: Asked) -> int:
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[int] = loop.create_future()
    metrics = Metrics(FIGURES)

    def tell(outcome: str, seconds: float) -> None:
        def count() -> None:
            metrics.count("odoo_calls", outcome)
            metrics.observe("odoo", seconds)

        with suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(count)

    force = InForce(settings)

    def hands() -> _Session:
        return _Session(force, lambda settings: Counted(connect(settings), tell))

    remembering = Remembering(memory)
    lasting = settings.timeout * _LASTING
    service = Service(
        Limits(settings.waiting, settings.timeout, lasting),
        remembering,
        Pool(settings.at_once, hands, lasting, lambda: _end(ended, STUCK)),
        Login(_Trial(hands, lasting), lambda: current(force.now.settings.odoo["api_key"])),
        lambda delivery: holds(delivery, force.now.settings),
        Journal(metrics),
        lambda error: _fail(ended, error),
    )
    listening = Deliveries(
        settings.listen,
        settings.token,
        Desk(service, metrics, settings.at_once),
        _condition(service, remembering, metrics),
        count=lambda status: metrics.count("refused", status),
    )
    beside = [
        asyncio.create_task(service.login.watch()),
        asyncio.create_task(Reloading(force, metrics).follow(asked)),
    ]
    try:
        with _signals(loop, ended):
            async with listening:
                return await _until(ended, service)
    finally:
        for task in beside:
            task.cancel()
        remembering.close()


async def _until(ended: asyncio.Future[int], service: Service) -> int:
    """Wait for the end, and finish what is begun."""
    try:
        return await ended
    finally:
        logger.info("stopping", extra={"action": "stopping"})
        await service.stop(GRACE)


def _condition(service: Service, remembering: Remembering, metrics: Metrics) -> Condition:
    def unhealthy() -> list[str]:
        why = service.login.refused
        return [f"Odoo does not let the service in: {why}"] if why else []

    def text() -> str:
        rows, size = float(remembering.rows), float(remembering.bytes)
        remembered = [
            Gauge("remembered", "chains and routes that something was applied of", rows),
            Gauge("remembered_bytes", "how large that is on disk", size),
            Gauge("commits", "times that it was put on disk", float(remembering.commits)),
        ]
        return metrics.text([*service.gauges(), *remembered])

    def unready() -> list[str]:
        return service.reasons() + ([remembering.failing] if remembering.failing else [])

    return Condition(unhealthy, unready, text)


class _Trial:
    """Tries the login with a session of its own; one try at a time, however long it lasts."""

    def __init__(self, make: Callable[[], Hands], patience: float) -> None:
        self._hand = Hand(make, "login")
        self._patience = patience
        self._trying: asyncio.Task[None] | None = None

    async def __call__(self) -> None:
        if self._trying is None:
            self._trying = asyncio.create_task(self._hand(_log_in))
        await asyncio.wait({self._trying}, timeout=self._patience)
        if not self._trying.done():
            raise Away("it has not answered yet")
        tried, self._trying = self._trying, None
        tried.result()


def _log_in(hands: Hands) -> None:
    hands.log_in()


@contextmanager
def _signals(loop: asyncio.AbstractEventLoop, ended: asyncio.Future[int]) -> Iterator[None]:
    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, _end, ended, 0)
    try:
        yield
    finally:
        for each in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(each)


def _end(ended: asyncio.Future[int], code: int) -> None:
    if not ended.done():
        ended.set_result(code)


def _fail(ended: asyncio.Future[int], error: Exception) -> None:
    if not ended.done():
        ended.set_exception(error)
