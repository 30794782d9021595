"""Chains that something is being sent of, and the words that come in meanwhile.

A chain in flight is worked on by one task only. What waits here is in memory alone, so it is
kept to words on what is being sent: after a crash that is repeated and gets another word.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from schemas.acknowledgement import Acknowledgement
from schemas.keys import Chain, DeliveryId, split_delivery_id
from streams.chains.acknowledgements import stronger


@dataclass(slots=True)
class _Flight:
    sending: frozenset[DeliveryId]
    words: dict[DeliveryId, Acknowledgement] = field(default_factory=dict)


class InFlight:
    """The chains in flight."""

    def __init__(self) -> None:
        """Begin with none."""
        self._in_flight: dict[Chain, _Flight] = {}

    def __len__(self) -> int:
        return len(self._in_flight)

    def __contains__(self, chain: object) -> bool:
        return chain in self._in_flight

    def busy(self, delivery_id: DeliveryId) -> bool:
        """Return whether the chain of a delivery is in flight."""
        return split_delivery_id(delivery_id)[0] in self._in_flight

    def awaits(self, chain: Chain, delivery_id: DeliveryId) -> bool:
        """Return whether a delivery of a chain is being sent, its answer not durable."""
        flight = self._in_flight.get(chain)
        return flight is not None and delivery_id in flight.sending

    def take(self, chain: Chain, sending: Iterable[DeliveryId]) -> None:
        """Take a chain that is not in flight, to send these of it."""
        if chain in self._in_flight:
            raise RuntimeError(f"{chain} is in flight already")
        self._in_flight[chain] = _Flight(frozenset(sending))

    def put_beside(self, chain: Chain, word: Acknowledgement) -> None:
        """Keep a word until the chain is let go; of several for one delivery the strongest."""
        words = self._in_flight[chain].words
        delivery_id = DeliveryId(word.id)
        other = words.get(delivery_id)
        words[delivery_id] = word if other is None else stronger(word, other)

    def keep_only(self, chain: Chain, delivery_id: DeliveryId) -> list[Acknowledgement]:
        """Keep a chain for the one that is still being sent; return the words on the others."""
        flight = self._in_flight[chain]
        flight.sending = frozenset({delivery_id})
        return [flight.words.pop(other) for other in list(flight.words) if other != delivery_id]

    def let_go(self, chain: Chain) -> list[Acknowledgement]:
        """Return the words that came in meanwhile."""
        flight = self._in_flight.pop(chain, None)
        return [] if flight is None else list(flight.words.values())
