"""What the rules look at, and the changes that they ask for. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from schemas.keys import Chain, DeliveryId
from streams.chains.dead_letter import Letter
from streams.chains.item import Item
from streams.chains.ledger import Entry


class View(Protocol):
    """What a partition holds."""

    def item(self, delivery_id: DeliveryId) -> Item | None:
        """Return what is on its way."""

    def entry(self, delivery_id: DeliveryId) -> Entry | None:
        """Return what the ledger knows."""

    def waiting(self, chain: Chain, route: str = "") -> Sequence[DeliveryId]:
        """Return the waiting ones of one chain, or of one of its routes."""

    def out(self, chain: Chain, route: str) -> Sequence[DeliveryId]:
        """Return those of one chain and route that are sent, or whose word is awaited."""

    def leader(self, chain: Chain) -> DeliveryId | None:
        """Return the one that goes next or is in flight; None where the chain has no item."""

    def newer(self, delivery_id: DeliveryId) -> Iterator[Entry]:
        """Give what the ledger knows of newer ones of its chain and route, in order."""


@dataclass(frozen=True, slots=True)
class Keep:
    """Write the item, new or changed."""

    item: Item


@dataclass(frozen=True, slots=True)
class Forget:
    """The item is final."""

    id: DeliveryId


@dataclass(frozen=True, slots=True)
class Record:
    """Write the ledger entry."""

    entry: Entry


@dataclass(frozen=True, slots=True)
class Bury:
    """Write a dead letter."""

    letter: Letter


@dataclass(frozen=True, slots=True)
class Erase:
    """Nothing is to be known of the delivery any more: neither an item nor an entry."""

    id: DeliveryId


Change = Keep | Forget | Record | Bury | Erase
