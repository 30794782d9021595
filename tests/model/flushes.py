"""What a worker writes, record by record, and what it decides then."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations
from typing import Final

from streams.partitions.ports import StateTopic
from tests.model.contents import MemoryEdit
from tests.model.decisions import Claim, Fill, Job, Listen, PutBack, Release, Settle
from tests.model.search import Step
from tests.model.stage import Stage
from tests.model.world import Answer, Course, Moves, Worker, World, Writing

_BITS: Final = {StateTopic.RETRIES.value: 1, StateTopic.LEDGER.value: 2}
_ENDED: Final = ("accepted", "busy", "lost", "refused", "away")


@dataclass
class Flushes:
    """Runs steps and makes them durable."""

    stage: Stage

    def moves(self, world: World, role: str, worker: Worker) -> Moves:
        """Return what a worker may write next."""
        if worker.writing is not None:
            yield from self.written(world, role, worker)
            return
        ready = [*self.jobs(worker), *self.claims(worker)]
        if role == "owner":
            ready += self.commands(world, worker)
        for label, job in ready:
            yield from self.flushed(world, role, worker, (job,), label)
        if self.stage.scenario.together:
            for (label, one), (other_label, other) in permutations(ready, 2):
                both = f"{label} and, in one flush, {other_label}"
                yield from self.flushed(world, role, worker, (one, other), both)

    def jobs(self, worker: Worker) -> list[tuple[str, Job]]:
        """Return the steps that could run, but for what falls due."""
        found: list[tuple[str, Job]] = [
            ("writes what became of its batch", course)
            for course in worker.courses
            if course.stage == "ended"
        ]
        slow = {course.slow for course in worker.courses if course.stage != "done"}
        for call in worker.calls:
            chain, name = self.stage.chains[call.slot], self.stage.name(call.slot)
            if call.stage in ("read", "withheld"):
                found.append(
                    (f"writes what Odoo said of {name}", Fill(chain, call.slot, call.read))
                )
            elif call.stage == "begun" and self.stage.scenario.gate:
                found.append((f"finds the gate closed for {name}", Release(chain, call.was)))
            elif call.stage in _ENDED and call.item not in slow:
                job = Settle(chain, Answer(call.item, call.stage))
                found.append((f"writes what became of {name}", job))
        if worker.words:
            found.append(("applies words", Listen(worker.words)))
        return found

    def claims(self, worker: Worker) -> list[tuple[str, Job]]:
        """Return what may fall due."""
        edit = self.stage.archive.edit(worker.held)
        busy = {flight.chain for flight in worker.flights}
        return [
            (f"finds {self.stage.name(slot)} due", Claim(slot))
            for slot in self.stage.slots
            if self.stage.chains[slot] not in busy and self._is_due(edit, slot)
        ]

    def commands(self, world: World, worker: Worker) -> list[tuple[str, Job]]:
        """Return what an operator asks the owner for; a chain in flight is waited for."""
        if world.asked < 0 or world.did or worker.writing is not None:
            return []
        if not self.was_read_again(worker):
            return []
        chain = self.stage.chains[world.asked]
        if any(flight.chain == chain for flight in worker.flights):
            return []
        return [(f"puts {self.stage.name(world.asked)} back", PutBack(chain, world.asked))]

    def was_read_again(self, worker: Worker) -> bool:
        """Say whether it has done all that a former worker may have sent; see rereading.py."""
        return worker.done >= worker.behind

    def _is_due(self, edit: MemoryEdit, slot: int) -> bool:
        item = edit.item(self.stage.id(slot))
        if item is None:
            return False
        return item.due is not None or edit.leader(item.chain) == item.id

    def flushed(
        self, world: World, role: str, worker: Worker, jobs: tuple[Job, ...], label: str
    ) -> Moves:
        """Run steps; the first record of what they write is written."""
        decided = self.stage.decisions.decide(worker.held, worker.flights, jobs)
        ends = tuple(job.chain for job in jobs if isinstance(job, Course))
        heard = sum(len(job.words) for job in jobs if isinstance(job, Listen))
        frees = "".join(job.chain for job in jobs if isinstance(job, PutBack))
        gone = {(job.answer.item, True) for job in jobs if isinstance(job, Settle)}
        gone |= {(job.item, False) for job in jobs if isinstance(job, Release)}
        filled = {job.slot for job in jobs if isinstance(job, Fill)}
        calls = tuple(
            c
            for c in worker.calls
            if (c.item, c.stage in _ENDED) not in gone
            and not (c.stage == "begun" and (c.was, False) in gone)
            and not (c.stage in ("read", "withheld") and c.slot in filled)
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
            ends=ends,
            calls=decided.calls,
            heard=heard,
            frees=frees,
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
        name = self.stage.name(slot)
        if topic == StateTopic.DEAD.value:
            return f"dead letter {name}"
        if topic == StateTopic.LEDGER.value:
            entry = self.stage.archive.entry(number)
            return f"ledger {name} {entry.state}{' (final)' if entry.final else ''}"
        if not number:
            return f"tombstone {name}"
        item = self.stage.archive.item(number)
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
            if number and self.stage.archive.entry(number).final:
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
            flights=tuple(f for f in worker.flights if f.chain != writing.frees),
            writing=None,
        )
        if writing.frees:
            world = world._replace(did=True)
        said = world.said[writing.heard :] if role == "owner" else world.said
        return world._replace(said=said, **{role: after})


def _put(numbers: tuple[int, ...], slot: int, number: int) -> tuple[int, ...]:
    return (*numbers[:slot], number, *numbers[slot + 1 :])
