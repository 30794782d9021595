"""A batch of a worker, and the calls that it makes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from schemas.keys import Chain, DeliveryId
from streams import forward
from streams.chains.item import Arrival, Item
from tests.model.contents import Held
from tests.model.outside import Outside
from tests.model.requests import may_not_send
from tests.model.scenario import NOW, read_of
from tests.model.search import Step
from tests.model.stage import Stage
from tests.model.world import (
    Answer,
    Call,
    Course,
    Flight,
    Moves,
    Worker,
    World,
    swapped,
    with_course,
)


@dataclass
class Batches:
    """Takes batches, sends, hears answers."""

    stage: Stage
    outside: Outside
    _copies: dict[object, tuple[Course, ...]] = field(default_factory=dict)

    def moves(self, world: World, role: str, worker: Worker) -> Moves:
        """Return what may happen to the batch and the calls of a worker."""
        if not worker.courses:
            for end in range(worker.next + 1, len(self.stage.scenario.queue) + 1):
                took = world._replace(**{role: self.took(worker, end)})
                if self.stage.scenario.retries:
                    took = took._replace(reached=max(took.reached, end))
                yield Step(f"the {role} takes {end - worker.next} from the queue", took)
        for course in worker.courses:
            yield from self._course(world, role, worker, course)
        for call in worker.calls:
            if call.stage == "asks":
                yield from self.reads(world, role, worker, call)
            else:
                yield from self._call(world, role, worker, call)

    def took(self, worker: Worker, end: int) -> Worker:
        """Take a batch: drop copies, and take the chains that are free."""
        key = (worker.held, worker.flights, worker.next, end)
        if key not in self._copies:
            self._copies[key] = self._courses(*key)
        courses = self._copies[key]
        flights = [
            Flight(c.chain, sum(1 << slot for slot, _ in (*c.rest, *c.late)))
            for c in courses
            if c.held
        ]
        return worker._replace(
            next=end,
            end=end,
            courses=courses,
            flights=tuple(sorted((*worker.flights, *flights))),
        )

    def _courses(
        self, held: Held, flights: Sequence[Flight], start: int, end: int
    ) -> tuple[Course, ...]:
        edit = self.stage.archive.edit(held)
        chains: dict[str, dict[DeliveryId, Arrival]] = {}
        for offset in range(start, end):
            slot = self.stage.scenario.queue[offset]
            mine = chains.setdefault(self.stage.chains[slot], {})
            name = self.stage.id(slot)
            if name not in mine and not forward.known(edit, name):
                mine[name] = self.stage.decisions.arrival(slot, offset)
        busy = {flight.chain for flight in flights}
        courses = []
        for chain, mine in chains.items():
            arrivals = list(mine.values())
            free = chain not in busy and edit.leader(Chain(chain)) is None
            may, waits = forward.until_draft(arrivals)
            goes, stays = forward.ready(edit, may) if free else ([], may)
            stays = [*stays, *waits]
            stage = "sending" if goes else "ended"
            courses.append(Course(chain, free, self._slots(goes), self._slots(stays), stage=stage))
        return tuple(courses)

    def _slots(self, arrivals: Sequence[Arrival]) -> tuple[tuple[int, int], ...]:
        slots = self.stage.archive.slots
        return tuple((slots[DeliveryId(each.delivery.id)], each.offset) for each in arrivals)

    def _course(self, world: World, role: str, worker: Worker, course: Course) -> Moves:
        if course.stage != "sending" or self._under_way(worker, course) is not None:
            return
        yield self.sent_on(world, role, worker, course)
        if not self.stage.scenario.gate:
            return
        stopped = with_course(worker, course, course._replace(stage="ended"))
        yield Step(f"the {role} sends no more of the batch", world._replace(**{role: stopped}))

    def sent_on(self, world: World, role: str, worker: Worker, course: Course) -> Step[World]:
        """Send the next of a batch."""
        (slot, offset), *rest = course.rest
        was = Item.of(self.stage.decisions.arrival(slot, offset), NOW)
        item = self.stage.archive.of(was.begun(NOW))
        call = Call(slot, self.stage.archive.of(was), item, "open", course=True)
        after = with_course(worker, course, course._replace(rest=tuple(rest)))
        return self._emitted(world, role, after, call)

    def begun(self, world: World, role: str, worker: Worker, call: Call) -> Step[World]:
        """Send what was written down to be sent."""
        rest = tuple(other for other in worker.calls if other is not call)
        return self._emitted(world, role, worker._replace(calls=rest), call._replace(stage="open"))

    def _emitted(self, world: World, role: str, worker: Worker, call: Call) -> Step[World]:
        broken = may_not_send(self.stage, world, role, worker, call)
        world = self._with_body(world, call)
        after = worker._replace(calls=(*worker.calls, call))
        name, attempt = self.stage.name(call.slot), self.stage.archive.item(call.item).attempt
        return Step(
            f"the {role} sends {name}, attempt {attempt}", world._replace(**{role: after}), broken
        )

    def _with_body(self, world: World, call: Call) -> World:
        """Note with which of Odoo's answers a draft goes out first."""
        read = read_of(self.stage.archive.item(call.item).delivery)
        if not read or world.bodies[call.slot]:
            return world
        return world._replace(bodies=_put(world.bodies, call.slot, read))

    def reads(self, world: World, role: str, worker: Worker, call: Call) -> Moves:
        """Odoo says what it has at the moment, or that it does not give it."""
        name, number = self.stage.name(call.slot), world.reads[call.slot] + 1
        asked = world._replace(reads=_put(world.reads, call.slot, number))
        read = worker._replace(
            calls=swapped(worker.calls, call, call._replace(stage="read", read=number))
        )
        yield Step(f"the {role} reads {name} of Odoo", asked._replace(**{role: read}))
        if "withheld" in self.stage.scenario.outcomes:
            no = worker._replace(
                calls=swapped(worker.calls, call, call._replace(stage="withheld"))
            )
            yield Step(f"Odoo does not give {name} to the {role}", world._replace(**{role: no}))

    def _under_way(self, worker: Worker, course: Course) -> Call | None:
        for call in worker.calls:
            if call.course and self.stage.chains[call.slot] == course.chain:
                return call
        return None

    def _call(self, world: World, role: str, worker: Worker, call: Call) -> Moves:
        if call.stage == "begun":
            yield self.begun(world, role, worker, call)
            return
        if call.stage not in ("open", "taken"):
            return
        if call.course and self.stage.scenario.slow:
            course = next(c for c in worker.courses if c.chain == self.stage.chains[call.slot])
            slow = course._replace(slow=call.item, stage="ended")
            after = with_course(worker, course, slow)._replace(
                calls=swapped(worker.calls, call, call._replace(course=False))
            )
            yield Step(f"the {role} waits no longer in its batch", world._replace(**{role: after}))
        name, outcomes = self.stage.name(call.slot), self.stage.scenario.outcomes
        if call.stage == "taken":
            yield Step(
                f"the {role} hears that {name} was accepted",
                self.answered(world, role, worker, call, "accepted"),
            )
            if "lost" in outcomes:
                after = self.answered(world, role, worker, call, "lost")
                yield Step(f"the answer of {name} is lost", after)
            return
        yield from self.takes(world, role, worker, call)
        for outcome in sorted(outcomes & {"busy", "refused", "away"}):
            after = self.answered(world, role, worker, call, outcome)
            yield Step(f"WSO2 answers {name} of the {role}: {outcome}", after)
        if "late" in outcomes:
            after = self.answered(world, role, worker, call, "lost")
            orphaned = after._replace(orphans=after.orphans | 1 << call.slot)
            yield Step(f"no answer to {name} of the {role} in time; WSO2 still has it", orphaned)

    def takes(self, world: World, role: str, worker: Worker, call: Call) -> Moves:
        """WSO2 takes a request; its answer is on the way."""
        taken = worker._replace(calls=swapped(worker.calls, call, call._replace(stage="taken")))
        name = self.stage.name(call.slot)
        for how, landed in self.outside.landed(world._replace(**{role: taken}), call.slot):
            yield Step(f"WSO2 takes {name} of the {role}{how}", landed)

    def answered(self, world: World, role: str, worker: Worker, call: Call, outcome: str) -> World:
        """Bring an answer to the worker."""
        if not call.course:
            after = worker._replace(
                calls=swapped(worker.calls, call, call._replace(stage=outcome))
            )
            return world._replace(**{role: after})
        course = next(c for c in worker.courses if c.chain == self.stage.chains[call.slot])
        final = outcome == "accepted" and not self.stage.archive.item(call.item).awaits_word
        told = course._replace(
            answers=(*course.answers, Answer(call.item, outcome)),
            stage="sending" if final and course.rest else "ended",
        )
        calls = tuple(other for other in worker.calls if other is not call)
        return world._replace(**{role: with_course(worker, course, told)._replace(calls=calls)})


def _put(numbers: tuple[int, ...], slot: int, number: int) -> tuple[int, ...]:
    return (*numbers[:slot], number, *numbers[slot + 1 :])
