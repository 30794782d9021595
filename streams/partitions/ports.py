"""What a partition is made of: state topics, written and read back, and a cache that copies them.

Ports only. Kafka's room has the publisher and the log, `cache` has the cache.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

from schemas.keys import Chain, DeliveryId
from streams.chains.changes import View
from streams.chains.item import Item
from streams.chains.ledger import Entry
from streams.chains.pause import Pause


class StateTopic(StrEnum):
    """The topics of a source that a worker keeps what it holds in."""

    RETRIES = "retries"
    LEDGER = "ledger"
    DEAD = "dead"
    PAUSES = "pauses"
    REPLAYS = "replays"


# What the cache is a copy of. Pauses first: which item of a chain may go depends on them.
MIRRORED: Final = (
    StateTopic.PAUSES,
    StateTopic.REPLAYS,
    StateTopic.RETRIES,
    StateTopic.LEDGER,
)
MANY: Final = 1000  # records that are read at a time


@dataclass(frozen=True, slots=True)
class Write:
    """One record to write; without a value it is a tombstone."""

    topic: StateTopic
    partition: int
    key: bytes
    value: bytes | None


@dataclass(frozen=True, slots=True)
class Stored:
    """One record read back."""

    key: bytes
    value: bytes | None


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some records, and the offset to go on from."""

    records: Sequence[Stored]
    next: int


class Publisher(Protocol):
    """Writes to Kafka."""

    async def publish(self, writes: Sequence[Write]) -> Sequence[int]:
        """Write in this order, flush, return each one's offset; raise where one is left."""


class Log(Protocol):
    """Reads a partition of a compacted topic from an offset to its end."""

    def read(
        self, topic: StateTopic, partition: int, start: int, most: int = MANY
    ) -> AsyncGenerator[Chunk, None]:
        """Yield at least one chunk, of `most` records; the last one's `next` is the end."""


@dataclass(frozen=True, slots=True)
class Lane:
    """What is due of one route at one target: acknowledgements (`deadline`), or sendings.

    A `draft` is not sent: it is filled.
    """

    target: str
    route: str
    deadline: bool
    draft: bool = False


Skip = Callable[[DeliveryId], bool]
Lanes = Callable[[Lane], bool]  # which ones are asked for


class PartitionView(View, Protocol):
    """What a partition holds, and what is due of it."""

    def due(self, now: float, limit: int, skip: Skip, lanes: Lanes) -> list[DeliveryId]:
        """Return what is due in some lanes, the longest first, but what `skip` says.

        Lanes that are not asked for cost nothing, however much waits there.
        """

    def next_due(self, skip: Skip, lanes: Lanes) -> float | None:
        """Return when something is due next in some lanes, but what `skip` says."""

    def oldest(self) -> float | None:
        """Return since when the oldest item is not final."""

    def expired(self, before: float) -> bool:
        """Return whether the ledger has entries that nothing happened to since `before`."""

    def uncrowned(self) -> bool:
        """Return whether chains are left whose first one a pause, or its end, may change."""

    def pauses(self) -> list[Pause]:
        """Return what is paused."""

    def replays(self) -> list[bytes]:
        """Return the records of the replays under way."""

    def known(self, chain: Chain) -> list[DeliveryId]:
        """Return what items and entries there are of a chain."""

    def targets(self, source: str) -> list[str]:
        """Return the targets that there are items or entries of."""

    def ids(self, start: str, after: str, limit: int) -> list[DeliveryId]:
        """Return what is on its way and begins so, in the order of ids, behind `after`."""


class Edit(PartitionView, Protocol):
    """An open change of a partition's cache; it sees what it wrote."""

    def keep(self, item: Item) -> None:
        """Write an item."""

    def forget(self, delivery_id: DeliveryId) -> None:
        """Drop an item."""

    def record(self, entry: Entry) -> None:
        """Write a ledger entry."""

    def erase(self, delivery_id: DeliveryId) -> None:
        """Drop a ledger entry."""

    def pause(self, key: str, pause: Pause | None) -> None:
        """Write a pause; None ends it."""

    def replay(self, name: str, value: bytes | None) -> None:
        """Write the record of a replay; None ends it."""

    def crown(self, limit: int) -> None:
        """Look at the first ones of some of these chains, about `limit` items."""

    def expire(self, before: float, limit: int) -> None:
        """Drop ledger entries that nothing happened to since `before`."""

    def commit(self, offsets: dict[StateTopic, int]) -> None:
        """Make it so, with the offsets behind what was written."""

    def abort(self) -> None:
        """Leave everything as it was; more than once does no harm."""


class Cache(Protocol):
    """What is kept of one partition's retries and ledger; may be lost at any time."""

    @property
    def partition(self) -> int:
        """The partition that this is of."""

    def view(self) -> AbstractContextManager[PartitionView]:
        """Read what is durable; nothing may be waited for inside."""

    def edit(self) -> Edit:
        """Open the one change there can be at a time."""

    def offset(self, topic: StateTopic) -> int:
        """Return the offset up to which the cache covers a topic."""

    def load(self, topic: StateTopic, chunk: Chunk) -> None:
        """Take over what was read from a topic."""

    def clear(self) -> None:
        """Forget everything, the offsets too."""

    def counts(self) -> dict[tuple[str, str], int]:
        """Return how many items there are by target and state."""

    def close(self) -> None:
        """Close it; what is committed stays."""
