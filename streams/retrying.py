"""What `retry` does in one partition: first what waits, then the dead letters, slice by slice.

A slice takes about a second. What is left is described by a `rest` that the caller keeps in
Kafka, so a command of any size holds up neither the others nor a worker that is to stop. A slice
that is done twice changes nothing the second time: a delivery knows the last command that
concerned it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from schemas.arguments import MalformedCommand, Selection
from schemas.command import Command
from schemas.keys import DeliveryId
from streams.chains.by_hand import Wish, hasten
from streams.chains.rules import has_ended
from streams.core import Core
from streams.letters import Letters
from streams.partitions.changeset import Changeset
from streams.slices import AT_ONCE, SECONDS, Slice, Tally


@dataclass(frozen=True, slots=True)
class _Place:
    """Where to go on: behind a delivery that waits, of the name of that number, or at a letter."""

    name: int = 0
    after: str = ""
    letter: int | None = None  # offset in `dead`

    def to_rest(self) -> dict[str, Any]:
        """Return it as a part of a `rest`."""
        return {"name": self.name, "after": self.after, "letter": self.letter}

    @classmethod
    def of(cls, rest: Mapping[str, Any]) -> _Place:
        """Read what `to_rest` wrote."""
        name, letter = int(rest.get("name", 0)), rest.get("letter")
        return cls(
            max(0, name), str(rest.get("after", "")), None if letter is None else int(letter)
        )


class Retrying:
    """Does what `retry` asks for."""

    def __init__(self, core: Core, source: str, letters: Letters) -> None:
        """Work with the means of a worker's core."""
        self._core = core
        self._source = source
        self._letters = letters

    async def go_on(self, partition: int, command: Command) -> tuple[Tally, dict[str, Any] | None]:
        """Do a slice in a partition that is held; return the tally and what is left, or None.

        Raises MalformedCommand.
        """
        core = self._core
        try:
            tally, place = Tally.of(command.rest), _Place.of(command.rest)
        except (ValueError, TypeError, AttributeError) as error:
            raise MalformedCommand(f"`rest` is none that a worker has written: {error}") from error
        part = Slice(
            partition,
            Selection.of(command.arguments),
            Wish(command.id, command.who, core.clock(), core.limits.retention),
            tally,
            core.ports.monotonic() + SECONDS,
        )
        if place.letter is None:
            place = await self._hasten(part, place) or _Place(letter=0)
        left: _Place | None = place
        if place.letter is not None:
            letter = await self._letters.put_back(part, place.letter)
            left = None if letter is None else _Place(letter=letter)
        core.wake.set()
        return tally, None if left is None else {**left.to_rest(), **tally.to_rest()}

    async def _hasten(self, part: Slice, place: _Place) -> _Place | None:
        """Let what waits go; return where to go on, None at the end."""
        names = [] if part.selection.dead_only else self._names(part.selection)
        after = place.after
        for index in range(place.name, len(names)):
            while True:
                found = await self._hasten_some(part, names[: index + 1], after)
                if len(found) < AT_ONCE:
                    break
                after = found[-1]
                if self._core.ports.monotonic() >= part.end:
                    return _Place(index, after)
            after = ""
        return None

    async def _hasten_some(
        self, part: Slice, names: Sequence[str], after: str
    ) -> Sequence[DeliveryId]:
        *before, name = names

        def step(changeset: Changeset) -> list[DeliveryId]:
            found = changeset.edit.ids(name, after, AT_ONCE)
            for delivery_id in found:
                item = changeset.edit.item(delivery_id)
                if item is None or has_ended(changeset.edit, delivery_id):
                    continue
                if any(map(delivery_id.startswith, before)):
                    continue
                held = self._core.permits.hold_of(item.delivery) is not None
                done = hasten(changeset.edit, item, part.wish, held=held)
                part.tally.add(delivery_id, done.result)
                if not part.selection.dry_run:
                    changeset.apply(done.changes)
            return found

        return await self._core.committer.write(part.partition, step)

    def _names(self, selection: Selection) -> list[str]:
        """Return what the ids of the deliveries begin with."""
        return [
            *selection.ids,
            *(f"{chain}/" for chain in selection.chains),
            *(f"{self._source}/{target}/" for target in selection.targets),
        ]
