"""What resends need of Kafka, of the workers' queues and of the shadow.

What the stream needs of them stands here too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from cdc.engine.datum import Stamp
from cdc.loading import Piece
from cdc.resending.last import LastSent


class Came(Protocol):
    """A record of the commands topic."""

    @property
    def partition(self) -> int:
        """Where it stands."""

    @property
    def offset(self) -> int:
        """Likewise."""

    @property
    def value(self) -> bytes:
        """A command in JSON, or anything else."""


class Commands(Protocol):
    """The commands topic."""

    def begin(self, offsets: Mapping[int, int]) -> None:
        """Begin where these offsets say."""

    def come(self) -> Sequence[Came]:
        """Return what has come, without waiting."""


class Room(Protocol):
    """Who knows how full the queues are."""

    def room(self, way: str, deliveries: frozenset[str], now: float) -> int:
        """Return how many documents may be published on a way to these send queues."""

    def stands_still(self, way: str, deliveries: frozenset[str], now: float) -> bool:
        """Whether the workers keep it waiting for long."""

    def filled(self, way: str, documents: int, now: float) -> None:
        """Note what Kafka has."""


class Sent(Protocol):
    """Who reads what targets were last sent, for jobs by their names."""

    def known(self, name: str, model: str, target: str) -> LastSent | None:
        """Return it; None while it is being read. Raises ServiceUnavailable where it cannot be."""

    def waits(self, name: str) -> str:
        """Say how far that is, "" where nobody has asked."""

    def end(self, name: str) -> None:
        """Let it go."""


class Workers(Protocol):
    """Who knows which routes the workers have."""

    def lack(self, model: str, routes: Iterable[str], now: float) -> str:
        """Say why routes of a model cannot be served by all workers, "" where they can."""


class Shadow(Protocol):
    """Notes and rows."""

    def recall(self, name: str) -> dict[str, Any] | None:
        """Return a note."""

    def note(self, name: str, note: Mapping[str, Any]) -> None:
        """Write a note."""

    def rows(self, table: int, after: int = -1) -> Iterator[tuple[int, bytes]]:
        """Yield (id, row) of a table behind an id, in order."""

    def last(self, table: int) -> int:
        """Return the highest id of a table, -1 where it has no row."""


class Resends(Protocol):
    """Who sends documents again."""

    def begin_again(self) -> None:
        """Go on with what is durable."""

    def go_on(self, piece: Piece, stamp: Stamp) -> None:
        """Publish a piece at its mark, and end the epoch."""
