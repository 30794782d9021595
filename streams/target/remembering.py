"""The memory off the event loop: a thread that puts on disk together what comes together.

To put something on disk is what costs, and while that lasts others come: they share the next.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, TypeVar, cast

from schemas.errors import OdooCdcError
from streams.applying.incoming import Incoming
from streams.target.applied import Begun, Memory, MemoryDamaged, NotRemembered, Stale

logger = logging.getLogger(__name__)

T = TypeVar("T")

_TOGETHER: Final = 256  # at most


@dataclass(frozen=True, slots=True)
class _Wish:
    work: Callable[[], Any]
    future: asyncio.Future[Any]


class Remembering:
    """What a service remembers. Its methods return when it is on disk.

    They raise NotRemembered where it could not be written, and MemoryDamaged.
    """

    def __init__(self, memory: Memory) -> None:
        """Begin, in the running event loop."""
        self._memory = memory
        self._loop = asyncio.get_running_loop()
        self._wishes: queue.SimpleQueue[_Wish | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="memory", daemon=True)
        self.commits = 0
        self.failing = ""  # why it cannot be written, "" where it can
        self._thread.start()

    @property
    def rows(self) -> int:
        """How many chains and routes are remembered."""
        return self._memory.rows

    @property
    def bytes(self) -> int:
        """How large that is on disk."""
        return self._memory.bytes

    async def begin(self, delivery: Incoming) -> Stale | Begun:
        """See Memory.begin."""
        return await self._do(lambda: self._memory.begin(delivery))

    async def done(self, delivery: Incoming, target_id: int | None) -> None:
        """See Memory.done."""
        await self._do(lambda: self._memory.done(delivery, target_id))

    async def failed(self, delivery: Incoming, begun: Begun) -> None:
        """See Memory.failed."""
        await self._do(lambda: self._memory.failed(delivery, begun))

    def close(self) -> None:
        """Finish what was asked for, and end; the memory itself stays open."""
        self._wishes.put(None)
        self._thread.join()

    async def _do(self, work: Callable[[], T]) -> T:
        future: asyncio.Future[T] = self._loop.create_future()
        self._wishes.put(_Wish(work, cast("asyncio.Future[Any]", future)))
        return await future

    def _run(self) -> None:
        while (first := self._wishes.get()) is not None:
            wishes, ends = [first], False
            with suppress(queue.Empty):  # nothing more is wished for at the moment
                while len(wishes) < _TOGETHER and not ends:
                    following = self._wishes.get_nowait()
                    if following is None:
                        ends = True
                    else:
                        wishes.append(following)
            self._fulfil(wishes)
            if ends:
                return

    def _fulfil(self, wishes: list[_Wish]) -> None:
        said: list[Any] | OdooCdcError
        try:
            with self._memory.together():
                said = [wish.work() for wish in wishes]
        except OdooCdcError as error:
            said = error
        except Exception as error:  # noqa: BLE001  whoever waits must be told
            said = MemoryDamaged(f"{type(error).__name__}: {error}")
        with suppress(RuntimeError):  # the loop has ended: nobody waits
            self._loop.call_soon_threadsafe(self._tell, wishes, said)

    def _tell(self, wishes: list[_Wish], said: list[Any] | OdooCdcError) -> None:
        self.commits += 1
        self._note(said)
        for place, wish in enumerate(wishes):
            if wish.future.done():
                continue
            if isinstance(said, OdooCdcError):
                wish.future.set_exception(said)
            else:
                wish.future.set_result(said[place])

    def _note(self, said: list[Any] | OdooCdcError) -> None:
        """Say it when it begins to fail, and when it ends."""
        if isinstance(said, NotRemembered) and not self.failing:
            extra = {"action": "alarm", "alarm": "target_not_remembered"}
            logger.error("%s; %s", said, said.hint, extra=extra)
        if not isinstance(said, OdooCdcError) and self.failing:
            logger.info("what is applied is written down again", extra={"action": "remembered"})
        self.failing = str(said) if isinstance(said, OdooCdcError) else ""
