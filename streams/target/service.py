"""From a delivery that arrives to its answer: in its turn, once, remembered.

What is worked at is a task of its own: who asked may go away, it goes on, keeps its names and its
place in the memory until Odoo has answered, and whoever asks for the same again gets its answer.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

from streams.applying import answer
from streams.applying.answer import STALE, Answer, Delivered, Rejected, Retry
from streams.applying.incoming import Incoming
from streams.metrics import Gauge
from streams.odoo.port import LoginRefused
from streams.target.applied import Begun, MemoryDamaged, NotRemembered, Stale
from streams.target.expected import Expected
from streams.target.hands import Hands, Pool
from streams.target.holding import Holding
from streams.target.login import Login

logger = logging.getLogger(__name__)

_STOPPING: Final = Retry(answer.STOPPING, "the service is stopping", after=5)
_BUSY: Final = Retry(answer.BUSY, "as much is waiting as may", after=1)
_NO_TURN: Final = Retry(answer.BUSY, "its turn did not come in time", after=1)
_LASTS: Final = Retry(
    answer.UNCLEAR, "Odoo has not answered yet, and is still waited for", after=5, unclear=True
)


class Remembers(Protocol):
    """What is on disk; raises NotRemembered and MemoryDamaged."""

    async def begin(self, delivery: Incoming) -> Stale | Begun:
        """See Memory.begin."""

    async def done(self, delivery: Incoming, target_id: int | None) -> None:
        """See Memory.done."""

    async def failed(self, delivery: Incoming, begun: Begun) -> None:
        """See Memory.failed."""


@dataclass(frozen=True, slots=True)
class Limits:
    """`waiting` deliveries may wait, each `patience` seconds; Odoo may need `lasting` for one."""

    waiting: int
    patience: float
    lasting: float


@dataclass(eq=False, slots=True)
class _Work:
    """A delivery that is worked at."""

    delivery: Incoming
    until: float  # when it is answered, whatever it is about then
    task: asyncio.Task[Answer] | None = None
    begun: bool = False  # its place and its turn have come


@dataclass(eq=False)
class Service:
    """Takes deliveries; lives in one event loop.

    `names` says what no other delivery may work at meanwhile, beside those of its chain. `note`
    is told what became of each, after how many seconds; `fatal` what the service cannot go on
    with.
    """

    limits: Limits
    memory: Remembers
    pool: Pool
    login: Login
    names: Callable[[Incoming], frozenset[str]]
    note: Callable[[Incoming, Answer, float], object]
    fatal: Callable[[Exception], object]
    clock: Callable[[], float] = time.monotonic
    _works: dict[str, _Work] = field(default_factory=dict)
    _holding: Holding = field(default_factory=Holding)
    _expected: Expected = field(default_factory=Expected)
    _waiting: int = 0  # works whose turn has not come
    _joined: int = 0  # requests that wait for what another has begun
    _stopping: bool = False

    def refusal(self) -> Retry | None:
        """Return why nothing is taken at the moment, None where something is."""
        if self._stopping:
            return _STOPPING
        if self.login.refused:
            return self._not_let_in()
        if self._waiting + self._joined >= self.limits.waiting + self.pool.free:
            return _BUSY
        return None

    def reasons(self) -> list[str]:
        """Return why nothing would be applied at the moment."""
        found = [self.login.missing]
        if self._stopping:
            found.append(_STOPPING.message)
        if self.login.refused:
            found.append(f"Odoo does not let the service in: {self.login.refused}")
        if not self.pool.free and self.pool.hung:
            found.append(f"{self.pool.hung} calls to Odoo hang")
        return [each for each in found if each]

    def gauges(self) -> list[Gauge]:
        """Return how much is in hand."""
        refused = bool(self.login.refused)
        told = {
            "in_flight": ("deliveries begun and not done", len(self._works) - self._waiting),
            "waiting": ("deliveries whose turn has not come", self._waiting),
            "joined": ("requests that wait for the answer of an earlier one", self._joined),
            "hung": ("calls to Odoo that have given up their place", self.pool.hung),
            "login_refused": ("1 while Odoo does not let the service in", refused),
        }
        return [Gauge(name, about, float(value)) for name, (about, value) in told.items()]

    async def take(self, delivery: Incoming) -> Answer:
        """Apply a delivery and answer it; to be cancelled does not end the work."""
        if (refusal := self.refusal()) is not None:
            return refusal
        found = self._works.get(delivery.id)
        if found is None:
            return await self._answer_of(self._begun(delivery))
        self._joined += 1
        try:
            return await self._answer_of(found)
        finally:
            self._joined -= 1

    async def prefetch(self, deliveries: Sequence[Incoming]) -> frozenset[str]:
        """Let Odoo be asked at once for what many deliveries name; they do without it too.

        Returns the external ids that no record has.
        """
        if self.refusal() is not None:
            return frozenset()
        await self.pool.place()
        try:
            return await self.pool.use(lambda hands: hands.prefetch(deliveries))
        except Exception as error:
            logger.debug("nothing was prefetched", exc_info=error)
            return frozenset()

    async def stop(self, grace: float) -> None:
        """Take nothing more, let what waits come again, and finish what is begun.

        What has not ended after `grace` seconds is as after a crash.
        """
        self._stopping = True
        for work in self._works.values():
            if not work.begun and work.task is not None:
                work.task.cancel()
        tasks = [work.task for work in self._works.values() if work.task is not None]
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=grace)
            if late:
                logger.warning(
                    "Odoo has not answered %d deliveries: they are applied again when they come",
                    len(late),
                    extra={"action": "left_begun"},
                )
        self.pool.close()

    def _begun(self, delivery: Incoming) -> _Work:
        limits = self.limits
        work = _Work(delivery, self.clock() + limits.patience + limits.lasting)
        self._works[delivery.id] = work
        self._waiting += 1
        work.task = asyncio.ensure_future(self._done(work))
        return work

    async def _answer_of(self, work: _Work) -> Answer:
        assert work.task is not None  # noqa: S101  `_begun` has set it
        left = max(0.0, work.until - self.clock())
        await asyncio.wait({work.task}, timeout=left)
        return work.task.result() if work.task.done() else _LASTS

    async def _done(self, work: _Work) -> Answer:
        begins = self.clock()
        try:
            said = await self._in_turn(work)
        except asyncio.CancelledError:  # by `stop`: nothing of it is begun
            said = _STOPPING
        except NotRemembered as error:
            said = Retry(answer.NOT_REMEMBERED, str(error), after=5, unclear=True)
        except MemoryDamaged as error:
            self.fatal(error)
            said = Retry(answer.NOT_REMEMBERED, str(error), unclear=True)
        except Exception as error:  # noqa: BLE001  it is said there
            said = _of_a_fault(work.delivery, error)
        finally:
            if not work.begun:
                self._waiting -= 1
            del self._works[work.delivery.id]
        self.note(work.delivery, said, self.clock() - begins)
        return said

    async def _in_turn(self, work: _Work) -> Answer:
        patience = asyncio.timeout(self.limits.patience)
        try:
            names = self.names(work.delivery) | {f"chain {work.delivery.chain}"}
            async with patience, self._holding.held(names):
                await self.pool.place()
                work.begun = True
                self._waiting -= 1
                patience.reschedule(None)
                said = await self._at_its_place(work.delivery)
                if isinstance(said, Retry) and await self._expected.came(said.missing):
                    await self.pool.place()
                    again = replace(work.delivery, absent=frozenset())
                    said = await self._at_its_place(again)
                return said
        except TimeoutError:
            if not patience.expired():
                raise
            return _NO_TURN

    async def _at_its_place(self, delivery: Incoming) -> Answer:
        used = False
        try:
            if (refusal := self._closed()) is not None:
                return refusal
            begun = await self.memory.begin(delivery)
            if isinstance(begun, Stale):
                return Delivered(begun.target_id, STALE)
            used = True
        finally:
            if not used:
                self.pool.leave()
        said = await self._applied(delivery, begun)
        return await self._remembered(delivery, begun, said)

    def _closed(self) -> Retry | None:
        """Return why not even what has waited is begun."""
        if self._stopping:
            return _STOPPING
        return self._not_let_in() if self.login.refused else None

    async def _applied(self, delivery: Incoming, begun: Begun) -> Answer:
        def work(hands: Hands) -> Answer:
            return hands.apply(delivery, begun.last)

        try:
            said = await self.pool.use(work)
        except LoginRefused as error:
            said = Retry(answer.LOGIN, str(error))
        except Exception as error:  # noqa: BLE001  it is said there
            return _of_a_fault(delivery, error)
        return self._heeded(said)

    def _heeded(self, said: Answer) -> Answer:
        """Take in what an answer says of Odoo itself."""
        match said:
            case Retry(code=answer.LOGIN):
                self.login.note(said.message)
                return self._not_let_in()
            case Retry(code=answer.AWAY):
                self.login.lost(said.message)
            case Delivered() | Rejected(code=answer.REFUSED):
                self.login.heard()
            case Rejected() | Retry():
                pass  # Odoo may not have been asked
        return said

    async def _remembered(self, delivery: Incoming, begun: Begun, said: Answer) -> Answer:
        match said:
            case Delivered(target_id):
                await self.memory.done(delivery, target_id)
                self._expected.note((delivery.key, delivery.external_id))
            case Rejected() | Retry(unclear=False):
                await self.memory.failed(delivery, begun)
            case Retry():
                pass  # it stays begun: Odoo may have written it
        return said

    def _not_let_in(self) -> Retry:
        why = self.login.refused
        return Retry(answer.LOGIN, f"Odoo does not let the service in: {why}", after=5)


def _of_a_fault(delivery: Incoming, error: Exception) -> Retry:
    logger.error(
        "a delivery could not be applied: a fault of ours",
        exc_info=error,
        extra={"action": "unexpected", "delivery": delivery.id},
    )
    name = type(error).__name__
    return Retry(answer.UNEXPECTED, f"the service failed: {name}", unclear=True)
