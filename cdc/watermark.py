"""How far Postgres may forget: never beyond what the shadow holds durably. Pure.

Kafka acknowledges, the shadow commits, and only then the server is told. Positions are LSNs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple


class Handled(NamedTuple):
    """The last transaction that was handled: where its commit stands, its id, and its time.

    The time is in microseconds since 2000-01-01 UTC. Together they name it in the history of any
    one server: another history has another one there.
    """

    lsn: int
    xid: int
    time: int


NONE_HANDLED: Final = Handled(0, 0, 0)


@dataclass(slots=True)
class Watermark:
    """Three marks, each at or behind the next: `confirmed`, `durable`, `passed`.

    `passed` is the end of the last transaction that was handled; `durable` is what the shadow
    has committed; `confirmed` is what the server was told; `received` is how far the server has
    sent.
    """

    durable: int
    passed: int = 0
    confirmed: int = 0
    received: int = 0

    def __post_init__(self) -> None:
        """Begin where the shadow stands."""
        self.passed = self.durable

    def receive(self, lsn: int) -> None:
        """Note how far the server has sent."""
        self.received = max(self.received, lsn)

    def reach(self, lsn: int) -> None:
        """Everything that ends at or before `lsn` was handled."""
        self.passed = max(self.passed, lsn)

    def commit(self) -> None:
        """Note that the shadow has committed all that was handled."""
        self.durable = self.passed

    def status(self) -> tuple[int, int, int]:
        """Return what to tell the server: written, flushed, applied.

        With nothing to confirm, flushed is 0: it confirms nothing and lets a fast shutdown of
        the server end at once (walsender.c, WalSndDone), whatever Kafka is doing.
        """
        if self.durable > self.confirmed:
            self.confirmed = self.durable
            return max(self.received, self.durable), self.durable, self.durable
        return self.received, 0, 0
