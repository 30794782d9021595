"""Beside the steps: what operators ask for, by way of the commands topic.

A command stands once in every partition that it concerns, and whoever owns a partition does
there what stands in it. So ownership, order, restarts and rebalances are those of every other
topic that the workers read: a record is done when its effects and its answer are durable, and it
is done again where that is not certain. Who asks knows how many answers there must be.

What is left of a long command is written behind the others of its partition.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from schemas.arguments import MalformedCommand, refuse_unknown
from schemas.command import OF_CAPTURE, Answer, Command, Kind, Progress, Reloaded
from schemas.kafka_errors import KafkaAway
from streams.chains.ledger import iso
from streams.core import Core
from streams.kafka.records import Places, Record, Taken, WriteRecords, report_unreadable
from streams.metrics import Meter
from streams.pausing import Pausing
from streams.purging import Purging
from streams.replaying import Replaying
from streams.retrying import Retrying
from streams.slices import Tally

logger = logging.getLogger(__name__)

_PAUSE: Final = 1.0  # seconds until a slice that Kafka was away for is tried again


Reload = Callable[[str], Awaitable[Reloaded]]
"""Takes the file again, once for all partitions of a command's name."""


class UnknownKind(MalformedCommand):
    """A worker does not know the command."""

    hint = "Workers and who asks them need the same version of odoo-cdc."


@dataclass(frozen=True, slots=True)
class _Done:
    """What came of a slice: what is left, or whether it is `going` on beside the commands."""

    tally: Tally = field(default_factory=Tally)
    rest: dict[str, Any] | None = None
    going: bool = False
    reloaded: Reloaded = field(default_factory=Reloaded)


@dataclass(slots=True)
class Requests:
    """What a worker does with the records of the commands topic."""

    core: Core
    retrying: Retrying
    pausing: Pausing
    replaying: Replaying
    purging: Purging
    places: Places
    write: WriteRecords
    meter: Meter
    reload: Reload

    async def __call__(self, batch: Sequence[Taken]) -> None:
        """Do a slice of each command of a batch, in order."""
        for taken in batch:
            try:
                command = Command.from_json(taken.value)
            except MalformedCommand as error:
                report_unreadable(taken, f"not a command: {error}")
                self.meter.count("commands_unreadable")
            else:
                if command.kind not in OF_CAPTURE:
                    await self.write(await self._do(taken.partition, command))
            self.core.taken += 1

    async def _do(self, partition: int, command: Command) -> list[Record]:
        """Do a slice; return the answer, and what is left."""
        core = self.core
        done, why = _Done(), ""
        try:
            done = await self._patiently(partition, command)
        except MalformedCommand as error:
            why = f"{error}; {error.hint}"
        tally, rest = done.tally, done.rest
        why = why or done.reloaded.why
        going = done.going or rest is not None
        progress = Progress.FAILED if why else Progress.DOING if going else Progress.DONE
        answer = Answer(
            id=command.id,
            kind=command.kind,
            partition=partition,
            progress=progress,
            counts=tally.counts,
            deliveries=tally.shown,
            why=why,
            at=iso(core.clock()),
            worker=done.reloaded.worker,
            config=done.reloaded.config,
        )
        if progress is not Progress.DOING:
            self._log(partition, command, answer)
        records = [self.places.answer(partition, command.id, answer.to_json())]
        if rest is not None:
            left = command.with_rest(rest)
            records.append(self.places.command(partition, command.id, left.to_json()))
        return records

    async def _patiently(self, partition: int, command: Command) -> _Done:
        """Do a slice; while Kafka is away it is waited for, as every other step does."""
        while True:
            try:
                async with self.core.partitions.batch():
                    await self.core.partitions.ready(partition)
                    return await self._slice(partition, command)
            except KafkaAway as error:
                logger.warning(
                    "a command waits: %s", error, extra={"action": "kafka_away", "id": command.id}
                )
            await asyncio.sleep(_PAUSE)  # no event says when it is back

    async def _slice(self, partition: int, command: Command) -> _Done:
        match command.kind:
            case Kind.RETRY:
                return _Done(*await self.retrying.go_on(partition, command))
            case Kind.REPLAY:
                job = await self.replaying.begin(partition, command)
                return _Done(Tally(job.progress), going=not job.done)
            case Kind.RELOAD:
                refuse_unknown(command.arguments, ())
                return _Done(reloaded=await self.reload(command.id))
            case _:
                return _Done(Tally(await self._at_once(partition, command)))

    async def _at_once(self, partition: int, command: Command) -> dict[str, int]:
        """Do what is small; return what it came to."""
        match command.kind:
            case Kind.PAUSE | Kind.RESUME | Kind.DRAIN:
                return await self.pausing.do(partition, command)
            case Kind.CANCEL:
                return await self.replaying.cancel(partition, command)
            case Kind.PURGE:
                return await self.purging.do(partition, command)
            case Kind.CLAIM:
                return {}
            case _:
                raise UnknownKind(f"this worker does not know {command.kind!r}")

    def _log(self, partition: int, command: Command, answer: Answer) -> None:
        self.meter.count("commands", command.kind if command.kind in set(Kind) else "unknown")
        logger.info(
            "%s by %s in partition %d: %s",
            command.kind,
            command.who or "somebody",
            partition,
            answer.why or dict(answer.counts) or "nothing to do",
            extra={"action": "command", "command": command.id},
        )
