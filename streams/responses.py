"""Third step: the target's word on a delivery, by way of the response queue.

Any worker may have written it, on any partition: what stands beside its chain's partition is
written again to the right one. A word counts in every state of its delivery.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from schemas import acknowledgement as words
from schemas.acknowledgement import Acknowledgement, MalformedAcknowledgement
from schemas.keys import split_delivery_id
from streams.chains.acknowledgements import Word
from streams.core import Core
from streams.kafka.records import Places, Record, Taken, WriteRecords, report_unreadable
from streams.metrics import Meter
from streams.partitions.changeset import Changeset


@dataclass(slots=True)
class Responses:
    """What a worker does with the records of the response queue."""

    core: Core
    places: Places
    write: WriteRecords
    meter: Meter

    async def __call__(self, batch: Sequence[Taken]) -> None:
        """Apply a batch of acknowledgements."""
        here: list[Word] = []
        moved: list[Record] = []
        for taken in batch:
            for said in self._read(taken):
                try:
                    chain = split_delivery_id(said.id)[0]
                except ValueError:
                    self.meter.count("acknowledgements_unknown")
                    continue
                record = self.places.response(chain, words.to_json(said))
                if record.partition == taken.partition:
                    here.append(Word(taken.partition, said))
                else:
                    moved.append(record)
        self.meter.count("acknowledgements_moved", by=len(moved))
        await self.write(moved)
        if here:
            await acknowledge(self.core, here)

    def _read(self, taken: Taken) -> list[Acknowledgement]:
        try:
            return words.read(taken.value)
        except MalformedAcknowledgement as error:
            report_unreadable(taken, f"not an acknowledgement: {error}")
            self.meter.count("acknowledgements_unreadable")
            return []


async def acknowledge(core: Core, batch: Sequence[Word]) -> None:
    """Apply words; returns when what they changed is durable."""
    partitions: dict[int, list[Word]] = {}
    for word in batch:
        core.ports.meter.count("acknowledgements", word.acknowledgement.status)
        partitions.setdefault(word.partition, []).append(word)
    async with core.partitions.batch():
        await asyncio.gather(*(_listen(core, p, some) for p, some in partitions.items()))
    core.wake.set()


async def _listen(core: Core, partition: int, said: Sequence[Word]) -> None:
    await core.partitions.ready(partition)

    def step(changeset: Changeset) -> None:
        for word in said:
            core.listen(changeset, word.acknowledgement)

    await core.committer.write(partition, step)
    core.taken += len(said)
