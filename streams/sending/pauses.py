"""What operators have paused: targets, routes and chains, in the partitions that a worker holds.

Only a copy in memory of what stands in the caches, for quick answers. Where one partition is
paused and another is not, because a command has reached only one of them yet, both are held.
What drains has an end of its own in every partition: up to what stood in that part of the queue.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from schemas.keys import Chain, DeliveryId, partition_of, split_delivery_id
from streams.chains.item import target_of
from streams.chains.pause import Pause
from streams.sending.holds import Hold, Holder, Reason

_By = dict[str, Pause]  # name -> pause


class Pauses(Holder):
    """Holds what is paused, and of what is draining that which is new."""

    reason = Reason.PAUSED

    def __init__(self) -> None:
        """Hold nothing."""
        self.count = 1
        """How many partitions topics have."""
        self._partitions: dict[int, list[Pause]] = {}
        self._targets: _By = {}
        self._routes: _By = {}
        self._chains: _By = {}
        self._draining = False
        self._drained: set[tuple[str, int]] = set()  # target, partition: what is left is new

    def load(self, partition: int, pauses: Iterable[Pause]) -> None:
        """Take over what is paused in a partition that is held."""
        # What drains once more has another end: how far its queue is beyond is seen anew.
        self._drained = {each for each in self._drained if each[1] != partition}
        self._partitions[partition] = list(pauses)
        self._index()

    def drop(self, partition: int) -> None:
        """Forget a partition that is not held any more."""
        self._partitions.pop(partition, None)
        self._index()

    def of_line(self, target: str, route: str) -> Hold | None:
        """Return who has paused a target or a route."""
        for pause in (self._targets.get(target), self._routes.get(route)):
            if pause is not None and not pause.draining:
                return hold_of(pause)
        return None

    def of_id(self, delivery_id: DeliveryId) -> Hold | None:
        """Return who has paused a delivery's chain, or drains what it is too new for."""
        if not self._partitions or not (self._chains or self._draining):
            return None
        chain, route, sequence = split_delivery_id(delivery_id)
        target = target_of(chain)
        for pause in (
            self._chains.get(chain),
            self._targets.get(target),
            self._routes.get(route),
        ):
            if pause is not None and not self._lets(pause, chain, sequence):
                return hold_of(pause)
        return None

    def _lets(self, pause: Pause, chain: Chain, sequence: str) -> bool:
        """Say whether a delivery may go although something of it is paused or drains."""
        if not pause.draining:
            return False
        partition = partition_of(chain, self.count)
        mine = (each for each in self._partitions.get(partition, ()) if each.key == pause.key)
        if all(each.lets(sequence) for each in mine):
            return True
        if pause.subject.kind == "target":
            self._drained.add((pause.subject.name, partition))
        return False

    def halts(self, target: str) -> bool:
        """Say whether a target is paused, or its queue has come to what is new."""
        pause = self._targets.get(target)
        if pause is None or not pause.draining:
            return pause is not None
        return all((target, partition) in self._drained for partition in self._partitions)

    def standing(self) -> Iterator[Hold]:
        """Give all that is paused."""
        for names in (self._targets, self._routes, self._chains):
            yield from map(hold_of, names.values())

    def _index(self) -> None:
        self._targets, self._routes, self._chains = {}, {}, {}
        for pauses in self._partitions.values():
            for pause in pauses:
                names = self._of_kind(pause.subject.kind)
                before = names.get(pause.subject.name)
                if before is None or before.draining:  # what is paused holds more
                    names[pause.subject.name] = pause
        everything = (*self._targets.values(), *self._routes.values(), *self._chains.values())
        self._draining = any(pause.draining for pause in everything)
        self._drained = {
            (target, partition)
            for target, partition in self._drained
            if partition in self._partitions and self._drains(target)
        }

    def _drains(self, target: str) -> bool:
        pause = self._targets.get(target)
        return pause is not None and pause.draining

    def _of_kind(self, kind: str) -> _By:
        return {"target": self._targets, "route": self._routes, "chain": self._chains}[kind]


def hold_of(pause: Pause) -> Hold:
    """Return what a pause holds back."""
    reason = Reason.DRAINING if pause.draining else Reason.PAUSED
    return Hold(reason, pause.subject.text, pause.why, pause.since)
