"""What happens beside the workers: requests that nobody waits for, the target, its words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.model.search import Step
from tests.model.stage import Stage
from tests.model.world import Moves, Status, Word, Worker, World

Shop = Callable[[int, int], int]  # what it holds, what comes -> what it holds then


@dataclass
class Outside:
    """WSO2 and the target; `shop` says how the target keeps what comes."""

    stage: Stage
    shop: Shop

    def moves(self, world: World) -> Moves:
        """Return what may happen there."""
        for slot in self.stage.slots:
            if world.orphans & 1 << slot:
                name = self.stage.name(slot)
                rest = world._replace(orphans=world.orphans & ~(1 << slot))
                for how, landed in self.landed(rest, slot):
                    yield Step(
                        f"WSO2 takes the request of {name} that nobody waits for{how}", landed
                    )
        if world.retries and (world.asked < 0 or world.did):
            yield from self._asks(world)
        if world.words:
            for word in self._words(world):
                yield Step(self.heard(word), self.told(world, word))

    def _asks(self, world: World) -> Moves:
        for slot in self.stage.slots:
            if world.letters & 1 << slot:
                asked = world._replace(retries=world.retries - 1, asked=slot, did=False)
                yield Step(f"an operator asks to send {self.stage.name(slot)} again", asked)

    def landed(self, world: World, slot: int) -> list[tuple[str, World]]:
        """Return what WSO2's acceptance of a request may lead to at the target."""
        world = world._replace(accepted=world.accepted | 1 << slot)
        done = ("", self.arrived(world, slot))
        if self.stage.scenario.terms.acknowledge == "accepted":
            return [done]
        return [done, (", but the target fails", world)]

    def arrived(self, world: World, slot: int) -> World:
        line = self.stage.lines[slot]
        shop = list(world.shop)
        shop[line] = self.shop(shop[line], slot)
        return world._replace(shop=tuple(shop), taken=world.taken | 1 << slot)

    def _words(self, world: World) -> Iterator[Word]:
        statuses: tuple[Status, ...] = ("delivered", "rejected", "retry")
        for slot in self.stage.slots:
            for status in statuses:
                bits = world.taken if status == "delivered" else world.accepted
                if bits & 1 << slot:
                    for attempt in (None, 1) if status == "retry" else (None,):
                        yield Word(slot, status, attempt)

    def heard(self, word: Word) -> str:
        of = "" if word.attempt is None else f" to attempt {word.attempt}"
        return f"the target says `{word.status}` of {self.stage.name(word.slot)}{of}"

    def told(self, world: World, word: Word) -> World:
        owner = world.owner
        return world._replace(
            said=(*world.said, word),
            words=max(0, world.words - 1),
            owner=None if owner is None else owner._replace(words=(*owner.words, word)),
        )

    def orphaned(self, world: World, worker: Worker) -> World:
        """Leave the requests of a worker that is gone to themselves."""
        orphans = world.orphans
        for call in worker.calls:
            if call.stage == "open":
                orphans |= 1 << call.slot
        return world._replace(orphans=orphans)
