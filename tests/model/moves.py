"""What can happen next in the small world.

What a worker does between two effects is one move; an effect is a request that leaves, an answer
that comes, a record that Kafka has. Between any two moves a worker may die, or lose the partition
without knowing it. Where the moves come from:

    taking a batch, sending on, an answer      forward.py, `Forwarder.deliver` and `_send`
    an answer that takes too long              forward.py and sending/calls.py, `Call.within`
    a flush, record by record                  partitions/committer.py, `Committer._publish`
    records of others                          committer.py, `_Ends` and `_catch_up`
    what falls due                             timer.py, `Timer._claim` and `_send`
    words                                      responses.py, `acknowledge`
    opening a partition                        worker/app.py, `Worker.assigned`
    committing offsets                         worker/at_least_once.py

There is no clock: what has a time may fall due at any moment, so every clock is right. A flush
may come through in any order that Kafka's producer allows: in order within a topic. The gate may
close before any call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import permutations
from typing import Final

from schemas.keys import Chain, DeliveryId
from streams import forward
from streams.chains.item import Item
from streams.chains.ledger import Entry
from streams.partitions.ports import StateTopic
from tests.model.contents import Archive, Held, MemoryEdit
from tests.model.decisions import Claim, Decisions, Job, Listen, Release, Settle
from tests.model.scenario import NOW, Scenario
from tests.model.search import Step
from tests.model.world import Answer, Call, Course, Flight, Status, Word, Worker, World, Writing

Moves = Iterator[Step[World]]
Shop = Callable[[int, int], int]  # what it holds, what comes -> what it holds then
_BITS: Final = {StateTopic.RETRIES.value: 1, StateTopic.LEDGER.value: 2}
_ENDED: Final = ("accepted", "busy", "refused", "away")


def by_sequence(holds: int, comes: int) -> int:
    """Keep the newest, as a target does that compares `sequence`."""
    return max(holds, comes)


@dataclass
class Model:
    """The small world of a scenario."""

    scenario: Scenario
    shop: Shop = by_sequence
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
        self._copies: dict[object, tuple[Course, ...]] = {}

    def first(self) -> World:
        """Return the beginning: everything is in the send queue, nobody is there."""
        none = (0,) * len(self.slots)
        return World(
            log=Held(none, none),
            letters=0,
            ended=0,
            committed=0,
            said=(),
            owner=None,
            zombie=None,
            orphans=0,
            accepted=0,
            taken=0,
            shop=(-1,) * len(set(self.lines)),
            crashes=self.scenario.crashes,
            moves=self.scenario.moves,
            words=self.scenario.words,
        )

    def following(self, world: World) -> Moves:
        """Return everything that may happen next."""
        if world.owner is None:
            yield Step("a worker opens the partition", self.opened(world))
        for role in ("owner", "zombie"):
            worker = getattr(world, role)
            if worker is not None:
                yield from self._work(world, role, worker)
        yield from self._group(world)
        yield from self._outside(world)

    # The group

    def opened(self, world: World) -> World:
        worker = Worker(world.log, world.committed, world.committed, world.said)
        return world._replace(owner=worker)

    def _group(self, world: World) -> Moves:
        owner = world.owner
        for committed in sorted({world.committed, owner.done}) if owner is not None else ():
            how = f"having committed {committed} of the queue"
            if world.crashes:
                gone = world._replace(owner=None, crashes=world.crashes - 1, committed=committed)
                yield Step(f"the owner is killed, {how}", self._orphaned(gone, owner))
            if world.moves and world.zombie is None:
                moved = world._replace(
                    owner=None, zombie=owner, moves=world.moves - 1, committed=committed
                )
                yield Step(f"the owner, {how}, loses the partition and goes on", moved)
        if world.zombie is not None:
            yield Step("the zombie ends", self.without_zombie(world))

    def without_zombie(self, world: World) -> World:
        zombie = world.zombie
        return world if zombie is None else self._orphaned(world._replace(zombie=None), zombie)

    def _orphaned(self, world: World, worker: Worker) -> World:
        orphans = world.orphans
        for call in worker.calls:
            if call.stage == "open":
                orphans |= 1 << call.slot
        return world._replace(orphans=orphans)

    # Outside

    def _outside(self, world: World) -> Moves:
        for slot in self.slots:
            if world.orphans & 1 << slot:
                name = self.scenario.name(slot)
                rest = world._replace(orphans=world.orphans & ~(1 << slot))
                for how, landed in self.landed(rest, slot):
                    yield Step(
                        f"WSO2 takes the request of {name} that nobody waits for{how}", landed
                    )
        if world.words:
            for word in self._words(world):
                yield Step(self.heard(word), self.told(world, word))

    def landed(self, world: World, slot: int) -> list[tuple[str, World]]:
        """Return what WSO2's acceptance of a request may lead to at the target."""
        world = world._replace(accepted=world.accepted | 1 << slot)
        done = ("", self.arrived(world, slot))
        if self.scenario.terms.acknowledge == "accepted":
            return [done]
        return [done, (", but the target fails", world)]

    def arrived(self, world: World, slot: int) -> World:
        line = self.lines[slot]
        shop = list(world.shop)
        shop[line] = self.shop(shop[line], slot)
        return world._replace(shop=tuple(shop), taken=world.taken | 1 << slot)

    def _words(self, world: World) -> Iterator[Word]:
        statuses: tuple[Status, ...] = ("delivered", "rejected", "retry")
        for slot in self.slots:
            for status in statuses:
                bits = world.taken if status == "delivered" else world.accepted
                if bits & 1 << slot:
                    for attempt in (None, 1) if status == "retry" else (None,):
                        yield Word(slot, status, attempt)

    def heard(self, word: Word) -> str:
        of = "" if word.attempt is None else f" to attempt {word.attempt}"
        return f"the target says `{word.status}` of {self.scenario.name(word.slot)}{of}"

    def told(self, world: World, word: Word) -> World:
        owner = world.owner
        return world._replace(
            said=(*world.said, word),
            words=max(0, world.words - 1),
            owner=None if owner is None else owner._replace(words=(*owner.words, word)),
        )

    # A worker

    def _work(self, world: World, role: str, worker: Worker) -> Moves:
        if worker.writing is not None:
            yield from self.written(world, role, worker)
        else:
            yield from self._begin_flush(world, role, worker)
        if not worker.courses:
            for end in range(worker.next + 1, len(self.scenario.queue) + 1):
                took = self.took(worker, end)
                yield Step(
                    f"the {role} takes {end - worker.next} from the queue",
                    world._replace(**{role: took}),
                )
        for course in worker.courses:
            yield from self._course(world, role, worker, course)
        for call in worker.calls:
            yield from self._call(world, role, worker, call)

    def took(self, worker: Worker, end: int) -> Worker:
        """Take a batch: drop copies, and take the chains that are free."""
        key = (worker.held, worker.flights, worker.next, end)
        if key not in self._copies:
            self._copies[key] = self._courses(*key)
        courses = self._copies[key]
        flights = [
            Flight(c.chain, sum(1 << slot for slot, _ in c.rest)) for c in courses if c.held
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
        edit = self.archive.edit(held)
        chains: dict[str, dict[int, int]] = {}
        for offset in range(start, end):
            slot = self.scenario.queue[offset]
            mine = chains.setdefault(self.chains[slot], {})
            if slot not in mine and not forward.known(edit, self._id(slot)):
                mine[slot] = offset
        busy = {flight.chain for flight in flights}
        courses = []
        for chain, rest in chains.items():
            free = chain not in busy and edit.leader(Chain(chain)) is None
            stage = "sending" if free and rest else "ended"
            courses.append(Course(chain, free, tuple(rest.items()), stage=stage))
        return tuple(courses)

    def _course(self, world: World, role: str, worker: Worker, course: Course) -> Moves:
        if course.stage != "sending" or self._under_way(worker, course) is not None:
            return
        yield self.sent_on(world, role, worker, course)
        if not self.scenario.gate:
            return
        stopped = self._with(worker, course, course._replace(stage="ended"))
        yield Step(f"the {role} sends no more of the batch", world._replace(**{role: stopped}))

    def sent_on(self, world: World, role: str, worker: Worker, course: Course) -> Step[World]:
        """Send the next of a batch."""
        (slot, offset), *rest = course.rest
        was = Item.of(self.decisions.arrival(slot, offset), NOW)
        item = self.archive.of(was.begun(NOW))
        call = Call(slot, self.archive.of(was), item, "open", course=True)
        after = self._with(worker, course, course._replace(rest=tuple(rest)))
        return self._emitted(world, role, after, call)

    def begun(self, world: World, role: str, worker: Worker, call: Call) -> Step[World]:
        """Send what was written down to be sent."""
        rest = tuple(other for other in worker.calls if other is not call)
        return self._emitted(world, role, worker._replace(calls=rest), call._replace(stage="open"))

    def _emitted(self, world: World, role: str, worker: Worker, call: Call) -> Step[World]:
        broken = self.may_not_send(world, role, worker, call)
        after = worker._replace(calls=(*worker.calls, call))
        name, attempt = self.scenario.name(call.slot), self.archive.item(call.item).attempt
        return Step(
            f"the {role} sends {name}, attempt {attempt}", world._replace(**{role: after}), broken
        )

    def _under_way(self, worker: Worker, course: Course) -> Call | None:
        for call in worker.calls:
            if call.course and self.chains[call.slot] == course.chain:
                return call
        return None

    def _call(self, world: World, role: str, worker: Worker, call: Call) -> Moves:
        if call.stage == "begun":
            yield self.begun(world, role, worker, call)
            return
        if call.stage not in ("open", "taken"):
            return
        if call.course and self.scenario.slow:
            course = next(c for c in worker.courses if c.chain == self.chains[call.slot])
            slow = course._replace(slow=call.item, stage="ended")
            after = self._with(worker, course, slow)._replace(
                calls=_swapped(worker.calls, call, call._replace(course=False))
            )
            yield Step(f"the {role} waits no longer in its batch", world._replace(**{role: after}))
        name, outcomes = self.scenario.name(call.slot), self.scenario.outcomes
        if call.stage == "taken":
            yield Step(
                f"the {role} hears that {name} was accepted",
                self.answered(world, role, worker, call, "accepted"),
            )
            if "lost" in outcomes:
                after = self.answered(world, role, worker, call, "busy")
                yield Step(f"the answer of {name} is lost", after)
            return
        yield from self.takes(world, role, worker, call)
        for outcome in sorted(outcomes & {"busy", "refused", "away"}):
            after = self.answered(world, role, worker, call, outcome)
            yield Step(f"WSO2 answers {name} of the {role}: {outcome}", after)
        if "late" in outcomes:
            after = self.answered(world, role, worker, call, "busy")
            orphaned = after._replace(orphans=after.orphans | 1 << call.slot)
            yield Step(f"no answer to {name} of the {role} in time; WSO2 still has it", orphaned)

    def takes(self, world: World, role: str, worker: Worker, call: Call) -> Moves:
        """WSO2 takes a request; its answer is on the way."""
        taken = worker._replace(calls=_swapped(worker.calls, call, call._replace(stage="taken")))
        name = self.scenario.name(call.slot)
        for how, landed in self.landed(world._replace(**{role: taken}), call.slot):
            yield Step(f"WSO2 takes {name} of the {role}{how}", landed)

    def answered(self, world: World, role: str, worker: Worker, call: Call, outcome: str) -> World:
        """Bring an answer to the worker."""
        if not call.course:
            after = worker._replace(
                calls=_swapped(worker.calls, call, call._replace(stage=outcome))
            )
            return world._replace(**{role: after})
        course = next(c for c in worker.courses if c.chain == self.chains[call.slot])
        final = outcome == "accepted" and not self.archive.item(call.item).awaits_word
        told = course._replace(
            answers=(*course.answers, Answer(call.item, outcome)),
            stage="sending" if final and course.rest else "ended",
        )
        calls = tuple(other for other in worker.calls if other is not call)
        return world._replace(**{role: self._with(worker, course, told)._replace(calls=calls)})

    # Flushes

    def jobs(self, worker: Worker) -> list[tuple[str, Job]]:
        """Return the steps that could run, but for what falls due."""
        found: list[tuple[str, Job]] = [
            ("writes what became of its batch", course)
            for course in worker.courses
            if course.stage == "ended"
        ]
        slow = {course.slow for course in worker.courses if course.stage != "done"}
        for call in worker.calls:
            chain, name = self.chains[call.slot], self.scenario.name(call.slot)
            if call.stage == "begun" and self.scenario.gate:
                found.append((f"finds the gate closed for {name}", Release(chain, call.was)))
            elif call.stage in _ENDED and call.item not in slow:
                job = Settle(chain, Answer(call.item, call.stage))
                found.append((f"writes what became of {name}", job))
        if worker.words:
            found.append(("applies words", Listen(worker.words)))
        return found

    def claims(self, worker: Worker) -> list[tuple[str, Job]]:
        """Return what may fall due."""
        edit = self.archive.edit(worker.held)
        busy = {flight.chain for flight in worker.flights}
        return [
            (f"finds {self.scenario.name(slot)} due", Claim(slot))
            for slot in self.slots
            if self.chains[slot] not in busy and self._is_due(edit, slot)
        ]

    def _is_due(self, edit: MemoryEdit, slot: int) -> bool:
        item = edit.item(self._id(slot))
        if item is None:
            return False
        return item.due is not None or edit.leader(item.chain) == item.id

    def _begin_flush(self, world: World, role: str, worker: Worker) -> Moves:
        ready = [*self.jobs(worker), *self.claims(worker)]
        for label, job in ready:
            yield from self.flushed(world, role, worker, (job,), label)
        if self.scenario.together:
            for (label, one), (other_label, other) in permutations(ready, 2):
                both = f"{label} and, in one flush, {other_label}"
                yield from self.flushed(world, role, worker, (one, other), both)

    def flushed(
        self, world: World, role: str, worker: Worker, jobs: tuple[Job, ...], label: str
    ) -> Moves:
        """Run steps; the first record of what they write is written."""
        decided = self.decisions.decide(worker.held, worker.flights, jobs)
        ends, heard, gone = [], 0, set()
        for job in jobs:
            match job:
                case Course(chain=chain):
                    ends.append(chain)
                case Listen(words=words):
                    heard = len(words)
                case Settle(answer=answer):
                    gone |= {(answer.item, True)}
                case Release(item=item):
                    gone |= {(item, False)}
        calls = tuple(
            c
            for c in worker.calls
            if (c.item, c.stage in _ENDED) not in gone
            and not (c.stage == "begun" and (c.was, False) in gone)
        )
        courses = tuple(
            c._replace(stage="written") if c.chain in ends else c for c in worker.courses
        )
        after = worker._replace(
            flights=decided.flights, calls=calls, courses=courses, words=worker.words[heard:]
        )
        writing = Writing(
            decided.phases,
            decided.held,
            foreign=False,
            ends=tuple(ends),
            calls=decided.calls,
            heard=heard,
        )
        label = f"the {role} {label}"
        if not decided.phases:
            yield Step(label, self._durable(world, role, after, writing))
            return
        for step in self.written(world, role, after._replace(writing=writing)):
            yield Step(f"{label}: {step.label}", step.state, step.broken)

    def written(self, world: World, role: str, worker: Worker) -> Moves:
        """Kafka gets one more record of a flush."""
        writing = worker.writing
        assert writing is not None
        first, *later = writing.phases
        for index, lane in enumerate(first):
            topic, slot, number = lane[0]
            lanes = [*first[:index], *([lane[1:]] if lane[1:] else []), *first[index + 1 :]]
            phases = ((tuple(lanes),) if lanes else ()) + tuple(later)
            foreign = writing.foreign or bool(worker.stale & _BITS.get(topic, 0))
            after = writing._replace(phases=phases, foreign=foreign)
            label = f"{self._record(topic, slot, number)}, from the {role}"
            told = self._logged(world, role, topic, slot, number)
            mine = worker._replace(writing=after)
            if phases:
                yield Step(label, told._replace(**{role: mine}))
            else:
                yield Step(label, self._durable(told, role, mine, after))

    def _record(self, topic: str, slot: int, number: int) -> str:
        name = self.scenario.name(slot)
        if topic == StateTopic.DEAD.value:
            return f"dead letter {name}"
        if topic == StateTopic.LEDGER.value:
            entry = self.archive.entry(number)
            return f"ledger {name} {entry.state}{' (final)' if entry.final else ''}"
        if not number:
            return f"tombstone {name}"
        item = self.archive.item(number)
        due = "" if item.due is None else ", due"
        return f"item {name} {item.state}{due}"

    def _logged(self, world: World, role: str, topic: str, slot: int, number: int) -> World:
        if topic == StateTopic.DEAD.value:
            return world._replace(letters=world.letters | 1 << slot)
        log = world.log
        if topic == StateTopic.RETRIES.value:
            log = log._replace(items=_put(log.items, slot, number))
        else:
            log = log._replace(entries=_put(log.entries, slot, number))
            if number and self.archive.entry(number).final:
                world = world._replace(ended=world.ended | 1 << slot)
        other = "zombie" if role == "owner" else "owner"
        worker = getattr(world, other)
        if worker is not None and not worker.stale & _BITS[topic]:
            told = worker._replace(stale=worker.stale | _BITS[topic])
            world = world._replace(**{other: told})
        return world._replace(log=log)

    def _durable(self, world: World, role: str, worker: Worker, writing: Writing) -> World:
        """Take the cache on, and let go on what waited for it."""
        held, stale = (world.log, 0) if writing.foreign else (writing.held, worker.stale)
        courses = tuple(
            c._replace(stage="done") if c.chain in writing.ends else c for c in worker.courses
        )
        done = worker.done
        if courses and all(course.stage == "done" for course in courses):
            courses, done = (), worker.end
        after = worker._replace(
            held=held,
            stale=stale,
            courses=courses,
            done=done,
            calls=(*worker.calls, *writing.calls),
            writing=None,
        )
        said = world.said[writing.heard :] if role == "owner" else world.said
        return world._replace(said=said, **{role: after})

    # Laws that a request may break

    def may_not_send(self, world: World, role: str, worker: Worker, call: Call) -> str:
        """Name the law that a request breaks, "" for none."""
        slot, chain = call.slot, self.chains[call.slot]
        if self.archive.item(call.item).delivery != self.scenario.deliveries[slot]:
            return f"law 3: {self.scenario.name(slot)} goes out with other bytes"
        for other in worker.calls:
            if other.stage in ("open", "taken") and self.chains[other.slot] == chain:
                return f"law 2: the {role} has two of a chain in flight"
        mates = [other for other in self.slots if self.chains[other] == chain]
        for older in mates[: mates.index(slot)]:
            if not (world.accepted | world.ended) & 1 << older:
                older_name = self.scenario.name(older)
                return f"law 2: {self.scenario.name(slot)} goes before {older_name} has an ending"
        if role == "owner" and not worker.stale:
            return self._owner_may_not_send(world, slot, mates)
        return ""

    def _owner_may_not_send(self, world: World, slot: int, mates: Sequence[int]) -> str:
        name = self.scenario.name(slot)
        if self.scenario.moves:
            return ""  # what a zombie wrote lately is not known here
        if self.has_ended(world.log, slot) and not world.accepted & 1 << slot:
            return f"law 2: {name} goes out for the first time after its ending"
        for other in mates:
            if other > slot and world.accepted & 1 << other and not world.accepted & 1 << slot:
                newer = self.scenario.name(other)
                return f"law 2: {name} goes for the first time after {newer} was accepted"
            number = world.log.items[other]
            ended = self.has_ended(world.log, other)
            if other != slot and number and not ended and self.archive.item(number).active:
                return f"law 2: {name} goes while {self.scenario.name(other)} is in flight"
        return ""

    def has_ended(self, log: Held, slot: int) -> bool:
        number = log.entries[slot]
        return bool(number) and self.archive.entry(number).final

    def entry(self, log: Held, slot: int) -> Entry | None:
        number = log.entries[slot]
        return self.archive.entry(number) if number else None

    def _id(self, slot: int) -> DeliveryId:
        return DeliveryId(self.scenario.deliveries[slot].id)

    def _with(self, worker: Worker, old: Course, new: Course) -> Worker:
        return worker._replace(
            courses=tuple(new if c.chain == old.chain else c for c in worker.courses)
        )


def _swapped(calls: tuple[Call, ...], old: Call, new: Call) -> tuple[Call, ...]:
    return tuple(new if call is old else call for call in calls)


def _put(numbers: tuple[int, ...], slot: int, number: int) -> tuple[int, ...]:
    return (*numbers[:slot], number, *numbers[slot + 1 :])
