"""A scenario made ready: who is of which chain, what has a number, what the rules say."""

from __future__ import annotations

from dataclasses import dataclass, field

from schemas.keys import DeliveryId
from streams.chains.ledger import Entry
from tests.model.contents import Archive, Held
from tests.model.decisions import Decisions
from tests.model.scenario import Scenario


@dataclass
class Stage:
    """What all moves of a scenario share. A slot is the index of a delivery: the newer, the more.

    A line is a chain and route: `lines` has the number of each slot's.
    """

    scenario: Scenario
    archive: Archive = field(init=False)
    decisions: Decisions = field(init=False)

    def __post_init__(self) -> None:
        told = self.scenario.deliveries
        self.archive = Archive(told)
        self.decisions = Decisions(self.scenario, self.archive)
        self.slots = range(len(told))
        self.chains = [d.chain for d in told]
        lines = list(dict.fromkeys((d.chain, d.route) for d in told))
        self.lines = [lines.index((d.chain, d.route)) for d in told]

    def name(self, slot: int) -> str:
        """Return what a delivery is called in a trace."""
        return self.scenario.name(slot)

    def has_ended(self, log: Held, slot: int) -> bool:
        number = log.entries[slot]
        return bool(number) and self.archive.entry(number).final

    def entry(self, log: Held, slot: int) -> Entry | None:
        number = log.entries[slot]
        return self.archive.entry(number) if number else None

    def id(self, slot: int) -> DeliveryId:
        return DeliveryId(self.scenario.deliveries[slot].id)

    def replayed(self, slot: int) -> bool:
        """Say whether a delivery repeats a past event."""
        return self.scenario.deliveries[slot].replayed

    def forced(self, slot: int) -> bool:
        """Say whether it may go although a newer one has gone."""
        return self.scenario.deliveries[slot].force_older

    def place(self, slot: int) -> int:
        """Return where it stands first in the send queue."""
        return list(self.scenario.queue).index(slot)

    def later(self, slot: int) -> list[int]:
        """Return the newer ones of a delivery's chain."""
        return [s for s in self.slots if s > slot and self.chains[s] == self.chains[slot]]

    def newer(self, slot: int) -> list[int]:
        """Return the newer ones of a delivery's chain and route."""
        return [s for s in self.slots if s > slot and self.lines[s] == self.lines[slot]]
