"""Another file for a worker that runs: read and held against all it can be held against, first.

Until everything fits nothing has changed; then all of it changes in one step of the event loop,
between two batches of each topic. What is on its way ends as it began.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from schemas.command import Reloaded
from schemas.config import Config
from schemas.errors import OdooCdcError
from schemas.reload import read_again, said_refused, said_taken
from streams.asked import Asked
from streams.kafka.schema_reader import SchemaReader
from streams.metrics import Meter
from streams.routing.routes import refuse_unanswered, refuse_unfit
from streams.sending.exchange import Exchange
from streams.worker.duties import Duties

_TAKEN: Final = "taken"
_REFUSED: Final = "refused"

Adopt = Callable[[Config], object]


@dataclass(slots=True)
class Reloading:
    """Takes another file, one at a time."""

    config: Config  # in force
    worker: str
    schemas: SchemaReader
    exchange: Exchange
    meter: Meter
    also: list[Adopt] = field(default_factory=list)  # who goes by the file besides; none may fail
    _duties: Duties | None = None
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _last: tuple[str, Reloaded] = ("", Reloaded())

    def of(self, duties: Duties) -> None:
        """Have these go by the file."""
        self._duties = duties

    async def follow(self, asked: Asked) -> None:
        """Take the file whenever SIGHUP has come, for ever."""
        while True:
            await asked.wait()
            async with self._turn:
                await self._attempt()

    async def __call__(self, name: str) -> Reloaded:
        """Take the file for a command, whose name stands in several partitions, once."""
        async with self._turn:
            if self._last[0] != name:
                self._last = (name, await self._attempt())
            return self._last[1]

    async def _attempt(self) -> Reloaded:
        why = ""
        try:
            await self._take()
        except OdooCdcError as error:
            why = said_refused(error)
        else:
            said_taken(self.config)
        self.meter.count("reloads", _REFUSED if why else _TAKEN)
        return Reloaded(self.worker, self.config.fingerprint, why)

    async def _take(self) -> None:
        """Take the file; OdooCdcError where it cannot be, and nothing has changed."""
        if self._duties is None:
            raise RuntimeError("there is nothing yet that goes by a file")
        loop, old = asyncio.get_running_loop(), self.config
        config = await loop.run_in_executor(None, read_again, old.path, old)
        await self.schemas.refresh()
        shapes = self.schemas.book.shapes
        refuse_unfit(config, shapes)
        refuse_unanswered(config, shapes)
        opened = await self.exchange.open(config)
        # From here on nothing fails, and nothing is waited for.
        self.exchange.adopt(opened)
        await self._duties.adopt(config)
        for adopt in self.also:
            adopt(config)
        self.config = config
