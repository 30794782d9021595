"""Chains being sent right now, and the words that come in meanwhile.

A chain in hand is worked on by one task only. What waits here is in memory alone: after a crash
the unfinished send is repeated and gets another word.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from schemas.acknowledgement import Acknowledgement
from schemas.keys import Chain, DeliveryId, split_delivery_id
from streams.acknowledgements import stronger


@dataclass(slots=True)
class _Hand:
    sending: DeliveryId | None
    words: dict[DeliveryId, Acknowledgement] = field(default_factory=dict)


class Hands:
    """The chains in hand."""

    def __init__(self) -> None:
        """Begin with none."""
        self._hands: dict[Chain, _Hand] = {}

    def __len__(self) -> int:
        return len(self._hands)

    def __contains__(self, chain: object) -> bool:
        return chain in self._hands

    def busy(self, delivery_id: DeliveryId) -> bool:
        """Return whether the chain of a delivery is in hand."""
        return split_delivery_id(delivery_id)[0] in self._hands

    def sending(self, chain: Chain) -> DeliveryId | None:
        """Return the item of a chain that is being sent, where it waited before."""
        hand = self._hands.get(chain)
        return None if hand is None else hand.sending

    def take(self, chain: Chain, sending: DeliveryId | None = None) -> None:
        """Take a chain that nobody has in hand."""
        if chain in self._hands:
            raise RuntimeError(f"{chain} is in hand already")
        self._hands[chain] = _Hand(sending)

    def put_beside(self, chain: Chain, word: Acknowledgement) -> None:
        """Keep a word until the chain is let go; of several for one delivery the strongest."""
        words = self._hands[chain].words
        delivery_id = DeliveryId(word.id)
        other = words.get(delivery_id)
        words[delivery_id] = word if other is None else stronger(word, other)

    def let_go(self, chain: Chain) -> list[Acknowledgement]:
        """Return the words that came in meanwhile."""
        hand = self._hands.pop(chain, None)
        return [] if hand is None else list(hand.words.values())
