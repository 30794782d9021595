"""What must be so in every moment, and how each must end where all goes well from there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from schemas.state import State
from tests.model.moves import Model
from tests.model.search import Found, Step, explore
from tests.model.world import Call, Word, Worker, World

_BOUND = 400  # moves that a good ending may take
_ENDINGS = (State.ACCEPTED, State.DELIVERED, State.REJECTED, State.DEAD, State.SUPERSEDED)


def look(model: Model) -> Found:
    """Look at everything that can happen in a model."""
    return explore(model.first(), model.following, Judge(model), model.scenario.most)


@dataclass
class Judge:
    """Judges moments of one model."""

    model: Model
    _ends_well: set[World] = field(default_factory=set)

    def __call__(self, world: World) -> tuple[str, tuple[str, ...]]:
        """Name the law that a moment breaks, and what must still happen for it to be seen."""
        broken = self._lost(world)
        return (broken, ()) if broken else self._end(world)

    def _lost(self, world: World) -> str:
        """Law 1: what is behind the committed offset has an ending or waits."""
        model, owner = self.model, world.owner
        for offset in range(world.committed if owner is None else owner.done):
            slot = model.scenario.queue[offset]
            if not world.log.items[slot] and not world.ended & 1 << slot:
                return f"law 1: {model.stage.name(slot)} is lost"
        return ""

    def _end(self, world: World) -> tuple[str, tuple[str, ...]]:
        world = world._replace(crashes=0, moves=0, words=0, retries=0)
        seen: list[World] = []
        labels: list[str] = []
        while world not in self._ends_well:
            seen.append(world)
            step = next(self._good(world), None)
            if step is None:
                broken = self._ending(world)
                if broken:
                    return broken, tuple(labels)
                break
            labels.append(step.label)
            if step.broken:
                return step.broken, tuple(labels)
            if len(labels) > _BOUND:
                return "law 1: it never ends", tuple(labels[:60])
            world = step.state
        self._ends_well.update(seen)
        return "", ()

    def _good(self, world: World) -> Iterator[Step[World]]:
        """Return what comes next where all goes well; only the first is asked for."""
        model = self.model
        if world.zombie is not None:
            yield Step("the zombie ends", model.without_zombie(world))
        owner = world.owner
        if owner is None:
            yield Step("a worker opens the partition", model.opened(world))
            return
        yield from self._good_work(world, owner)
        yield from self._good_words(world, owner)
        for label, job in model.flushes.commands(world, owner):
            yield from model.flushes.flushed(world, "owner", owner, (job,), label)
        for label, job in model.flushes.claims(owner):
            yield from model.flushes.flushed(world, "owner", owner, (job,), label)
        if owner.stale:
            again = model.opened(world._replace(committed=owner.done))
            yield Step("a worker opens the partition anew", again)

    def _good_work(self, world: World, owner: Worker) -> Iterator[Step[World]]:
        model = self.model
        if owner.writing is not None:
            yield from model.flushes.written(world, "owner", owner)
        for call in owner.calls:
            yield from self._good_call(world, owner, call)
        for course in owner.courses:
            if course.stage == "sending" and not any(call.course for call in owner.calls):
                yield model.batches.sent_on(world, "owner", owner, course)
        for label, job in model.flushes.jobs(owner):
            yield from model.flushes.flushed(world, "owner", owner, (job,), label)
        if not owner.courses and owner.next < len(model.scenario.queue):
            took = model.batches.took(owner, len(model.scenario.queue))
            yield Step("the owner takes the rest of the queue", world._replace(owner=took))

    def _good_call(self, world: World, owner: Worker, call: Call) -> Iterator[Step[World]]:
        model = self.model
        match call.stage:
            case "asks":
                yield from model.batches.reads(world, "owner", owner, call)
            case "begun":
                yield model.batches.begun(world, "owner", owner, call)
            case "open":
                yield from model.batches.takes(world, "owner", owner, call)
            case "taken":
                after = model.batches.answered(world, "owner", owner, call, "accepted")
                yield Step(
                    f"the owner hears that {model.stage.name(call.slot)} was accepted", after
                )

    def _good_words(self, world: World, owner: Worker) -> Iterator[Step[World]]:
        model, held = self.model, owner.held
        for slot, number in enumerate(held.items):
            if not number or not world.taken & 1 << slot or model.stage.has_ended(held, slot):
                continue
            if model.stage.archive.item(number).state is State.ACCEPTED:
                word = Word(slot, "delivered", None)
                yield Step(model.outside.heard(word), model.outside.told(world, word))

    def _ending(self, world: World) -> str:
        """Judge the end: nothing waits, and all that was said is true."""
        for slot in set(self.model.scenario.queue):
            broken = self._state(world, slot)
            if broken:
                return broken
        return self._shop(world)

    def _state(self, world: World, slot: int) -> str:
        model = self.model
        name, entry = model.stage.name(slot), model.stage.entry(world.log, slot)
        if world.log.items[slot]:
            return f"law 1: {name} waits for ever"
        if world.ended & 1 << slot and model.scenario.moves:
            return ""  # a zombie that died may have left an older word on it in the ledger
        if entry is None or not entry.final or entry.state not in _ENDINGS:
            return f"law 1: {name} has no ending: {entry.state if entry else 'nothing'}"
        if entry.state in (State.DEAD, State.REJECTED) and not world.letters & 1 << slot:
            return f"law 10: {name} is {entry.state} without a dead letter"
        truth = {
            State.ACCEPTED: world.accepted & 1 << slot,
            State.DELIVERED: world.taken & 1 << slot,
            State.SUPERSEDED: model.stage.newer(slot),
        }
        return "" if truth.get(entry.state, True) else f"law 1: {name} is not {entry.state}"

    def _shop(self, world: World) -> str:
        """Law 5: the target holds the newest of each chain and route that is said to be there."""
        model = self.model
        for slot in model.stage.slots:
            entry = model.stage.entry(world.log, slot)
            done = entry is not None and entry.final
            there = done and entry.state in (State.ACCEPTED, State.DELIVERED)
            holds = world.shop[model.stage.lines[slot]]
            if there and holds < slot:
                held = "nothing" if holds < 0 else model.stage.name(holds)
                return f"law 5: the target ends with {held}, not with {model.stage.name(slot)}"
        return ""
