"""What `pause`, `resume` and `drain` do in one partition.

A pause is a record of the partition's own, written and copied like all that it holds. A drain is
a pause for what is new: what stands in the send queues when it begins, and what waits, goes out
still. New is what was committed after the last of that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final, Protocol

from schemas.arguments import MalformedCommand, Subject
from schemas.command import Command, Kind
from schemas.keys import split_delivery_id
from streams.chains.pause import Pause
from streams.core import Core
from streams.partitions.changeset import Changeset

_AT_ONCE: Final = 1000  # deliveries that are looked at
LEFT: Final = "left"  # of what drains: sent, waiting, or its word is awaited
PAUSED: Final = "paused"
DRAINING: Final = "draining"


class Queues(Protocol):
    """Reads the send queues."""

    async def latest(self, target: str, partition: int) -> str:
        """Return the highest sequence among the last ones of a queue; "" where it is empty."""


class Pausing:
    """Pauses, resumes and drains."""

    def __init__(
        self, core: Core, source: str, routes: Mapping[str, Iterable[str]], queues: Queues
    ) -> None:
        """Work with the means of a worker's core; `routes` of the file: their targets."""
        self._core = core
        self._source = source
        self._queues = queues
        self.adopt(routes)

    def adopt(self, routes: Mapping[str, Iterable[str]]) -> None:
        """Go by the routes of another file."""
        self._routes = routes
        self._all = {target for targets in routes.values() for target in targets}

    async def do(self, partition: int, command: Command) -> dict[str, int]:
        """Do it in a partition that is held; return what there is. Raises MalformedCommand."""
        look = bool(command.arguments.get("look", False))
        subject = Subject.of({k: v for k, v in command.arguments.items() if k != "look"})
        if not look:
            await self._write(partition, await self._wanted(partition, command, subject), subject)
        found = self._found(partition, subject)
        if found is None:
            return {}
        name = DRAINING if found.draining else PAUSED
        return {name: 1, LEFT: await self._left(partition, found)}

    async def _wanted(self, partition: int, command: Command, subject: Subject) -> Pause | None:
        """Return the pause as it is to be; None for none."""
        now, found = self._core.clock(), self._found(partition, subject)
        if found is not None and found.command == command.id:
            return found  # a worker that was killed has done it
        match command.kind:
            case Kind.PAUSE:
                return Pause(subject, now, command.who, command=command.id)
            case Kind.RESUME:
                return None
            case Kind.DRAIN:
                latest = [
                    await self._queues.latest(target, partition)
                    for target in self._targets(subject)
                ]
                upto = max(latest, default="")
                pause = Pause(subject, now, command.who, command=command.id)
                return replace(pause, draining=True, upto=upto)
            case _:
                raise MalformedCommand(f"{command.kind} pauses nothing")

    def _targets(self, subject: Subject) -> list[str]:
        match subject.kind:
            case "target":
                return [subject.name]
            case "chain":
                return [subject.name.split("/")[1]]
            case _:
                return list(self._routes.get(subject.name, self._all))

    async def _write(self, partition: int, pause: Pause | None, subject: Subject) -> None:
        """Make it durable, then heed it: when this returns nothing more of it begins."""

        def step(changeset: Changeset) -> None:
            changeset.pause(subject.key, pause)

        core = self._core
        await core.committer.write(partition, step)
        core.heed(partition)
        core.wake.set()

    def _found(self, partition: int, subject: Subject) -> Pause | None:
        with self._core.partitions.caches[partition].view() as view:
            return next((p for p in view.pauses() if p.key == subject.key), None)

    async def _left(self, partition: int, pause: Pause) -> int:
        """Count what is on its way of it, new ones left out."""
        cache, number, after = self._core.partitions.caches[partition], 0, ""
        start = self._start(pause.subject)
        while True:
            with cache.view() as view:
                ids = view.ids(start, after, _AT_ONCE)
            for delivery_id in ids:
                _, route, sequence = split_delivery_id(delivery_id)
                mine = pause.subject.kind != "route" or route == pause.subject.name
                number += mine and (not pause.draining or pause.lets(sequence))
            if len(ids) < _AT_ONCE:
                return number
            after = ids[-1]
            await asyncio.sleep(0)  # let everything else go on in between

    def _start(self, subject: Subject) -> str:
        match subject.kind:
            case "target":
                return f"{self._source}/{subject.name}/"
            case "chain":
                return f"{subject.name}/"
            case _:
                return f"{self._source}/"
