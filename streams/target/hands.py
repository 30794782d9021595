"""The threads that ask Odoo: a session each, as many as `at_once`, and nothing queues for them.

A call cannot be taken back. One that lasts longer than `limit` gives its place to another thread
and goes on by itself; so at most twice as many are under way as may be.
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final, Generic, Protocol, TypeVar

from streams.applying.answer import Answer
from streams.applying.incoming import Incoming, Operation

T = TypeVar("T")
R = TypeVar("R")

_STUCK: Final = 600.0  # seconds without any answer, while none is free


class Hands(Protocol):
    """A session, and what works with it; used by one thread only."""

    def apply(self, delivery: Incoming, last: Operation | None) -> Answer:
        """See Applier.apply."""

    def prefetch(self, deliveries: Sequence[Incoming]) -> frozenset[str]:
        """See Applier.prefetch."""

    def log_in(self) -> None:
        """Ask Odoo for something that only who is logged in gets; raises a Trouble."""


class Hand(Generic[T]):
    """A thread with something of its own, `make` makes it there; one piece of work at a time."""

    def __init__(self, make: Callable[[], T], name: str) -> None:
        """Begin, in the running event loop."""
        self._make = make
        self._loop = asyncio.get_running_loop()
        self._works: queue.SimpleQueue[tuple[Callable[[T], Any], asyncio.Future[Any]] | None]
        self._works = queue.SimpleQueue()
        # It may be in a call that never ends: the process must not wait for it.
        threading.Thread(target=self._run, name=name, daemon=True).start()

    async def __call__(self, work: Callable[[T], R]) -> R:
        """Have it done; what it raises is raised, and its own thing then made anew."""
        future: asyncio.Future[R] = self._loop.create_future()
        self._works.put((work, future))
        return await future

    def end(self) -> None:
        """End once the work in hand is done."""
        self._works.put(None)

    def _run(self) -> None:
        own: T | None = None
        while (found := self._works.get()) is not None:
            work, future = found
            said: Any = None
            try:
                if own is None:
                    own = self._make()
                said = work(own)
            except Exception as error:  # noqa: BLE001  it is raised where it is waited for
                own = None
                self._tell(_fail, future, error)
            else:
                self._tell(_succeed, future, said)

    def _tell(self, how: Callable[..., None], future: asyncio.Future[Any], said: object) -> None:
        with suppress(RuntimeError):  # the loop has ended: nobody waits
            self._loop.call_soon_threadsafe(how, future, said)


def _succeed(future: asyncio.Future[Any], said: object) -> None:
    if not future.done():
        future.set_result(said)


def _fail(future: asyncio.Future[Any], error: Exception) -> None:
    if not future.done():
        future.set_exception(error)


class Pool:
    """So many hands; who wants one asks for its place first."""

    def __init__(
        self,
        size: int,
        make: Callable[[], Hands],
        limit: float,
        stuck: Callable[[], object],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`limit` is in seconds; `stuck` is called once nothing will ever be done here."""
        self._size = size
        self._make = make
        self._limit = limit
        self._stuck = stuck
        self._clock = clock
        self._places = asyncio.Semaphore(size)
        self._idle: list[Hand[Hands]] = []
        self._answered = clock()
        self._made = 0
        self.free = size  # places that nobody has
        self.hung = 0  # calls that have given their place away

    async def place(self) -> None:
        """Wait for a place; first come, first served. It is given back by `leave` or `use`."""
        await self._places.acquire()
        self.free -= 1

    def leave(self) -> None:
        """Give a place back."""
        self.free += 1
        self._places.release()

    async def use(self, work: Callable[[Hands], R]) -> R:
        """Have it done, however long that lasts; the place is given back at the end or before."""
        hand = self._idle.pop() if self._idle else self._another()
        using = _Using()
        self._watch(using)
        try:
            return await hand(work)
        finally:
            assert using.timer is not None  # noqa: S101  `_watch` has set it
            using.timer.cancel()
            self._answered = self._clock()
            if using.hangs:
                self.hung -= 1
                hand.end()
            else:
                self._idle.append(hand)
                self.leave()

    def close(self) -> None:
        """Let the idle ones end."""
        for hand in self._idle:
            hand.end()
        self._idle.clear()

    def _another(self) -> Hand[Hands]:
        self._made += 1
        return Hand(self._make, f"odoo-{self._made}")

    def _watch(self, using: _Using) -> None:
        using.timer = asyncio.get_running_loop().call_later(self._limit, self._hangs, using)

    def _hangs(self, using: _Using) -> None:
        if self.hung < self._size:
            self.hung += 1
            using.hangs = True
            self.leave()
            return
        if self._clock() - self._answered > _STUCK:
            self._stuck()
        self._watch(using)  # until it ends, or another has


class _Using:
    """One piece of work under way."""

    __slots__ = ("hangs", "timer")

    def __init__(self) -> None:
        self.hangs = False
        self.timer: asyncio.TimerHandle | None = None
