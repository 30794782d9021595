"""What the steps of one flush decide: the real rules and the real changeset, asked once each.

Each step is what its place in the code does inside `Committer.write`:

    batch     forward.py, `Forwarder._chain`
    words     responses.py, `_listen`, and core.py, `Core.listen`
    settle    core.py, `Core.settle`
    release   core.py, `Core.release`
    claim     timer.py, `Timer._claim`
    put back  retrying.py, `Retrying._try` and `_judge`
    fill      drafts.py, `Drafts._write` and `_settle`
"""

from __future__ import annotations

from dataclasses import dataclass, field
from operator import itemgetter
from typing import NamedTuple

from schemas.acknowledgement import Acknowledgement
from schemas.keys import Chain, DeliveryId
from streams.chains import drafts, rules
from streams.chains.acknowledgements import stronger
from streams.chains.by_hand import Result, Wish, concerns, put_back
from streams.chains.changes import Keep
from streams.chains.dead_letter import Letter
from streams.chains.item import Arrival, Item
from streams.chains.outcome import Accepted, Outcome, Refused, Unavailable
from streams.chains.rules import Send
from streams.partitions.changeset import Changeset
from streams.partitions.ports import StateTopic
from tests.model.contents import Archive, Held, MemoryEdit
from tests.model.scenario import NOW, TIMEOUT, Scenario, filled
from tests.model.world import Answer, Call, Course, Flight, Word

ANSWERS: dict[str, Outcome] = {
    "accepted": Accepted(),
    "busy": Unavailable("WSO2 answered 503", http_status=503),
    "lost": Unavailable("no answer within 10 s"),
    "refused": Refused("WSO2 answered 422", "HTTP_422", "", 422),
    "away": Unavailable("no connection", counted=False),
}

_WISH = Wish("retry-1", "eve", NOW, remembered=1.0)


class Settle(NamedTuple):
    """The answer to a call beside the batches."""

    chain: str
    answer: Answer


class Release(NamedTuple):
    """The gate has closed before the call began."""

    chain: str
    item: int


class Claim(NamedTuple):
    """The time of an item has come."""

    slot: int


class Fill(NamedTuple):
    """What Odoo said of a draft; 0: it does not give it."""

    chain: str
    slot: int
    read: int


class PutBack(NamedTuple):
    """An operator wants a dead letter to be sent."""

    chain: str
    slot: int


class Listen(NamedTuple):
    """Words from the response queue."""

    words: tuple[Word, ...]


Job = Course | Settle | Release | Claim | Listen | PutBack | Fill


class Decided(NamedTuple):
    """What a flush writes, in phases, a lane for each topic; and what is so in memory."""

    phases: tuple[tuple[tuple[tuple[str, int, int], ...], ...], ...]
    held: Held
    flights: tuple[Flight, ...]
    calls: tuple[Call, ...]


@dataclass
class Decisions:
    """Asks the rules; the same question only once."""

    scenario: Scenario
    archive: Archive
    _known: dict[object, Decided] = field(default_factory=dict)

    def arrival(self, slot: int, offset: int) -> Arrival:
        """Return a delivery as it comes from the send queue."""
        scenario = self.scenario
        return Arrival(scenario.deliveries[slot], 0, offset, scenario.terms)

    def decide(self, held: Held, flights: tuple[Flight, ...], jobs: tuple[Job, ...]) -> Decided:
        """Run the steps of a flush, one after the other."""
        question = (held, flights, tuple((type(job), job) for job in jobs))
        if question not in self._known:
            self._known[question] = self._decide(held, flights, jobs)
        return self._known[question]

    def _decide(self, held: Held, flights: tuple[Flight, ...], jobs: tuple[Job, ...]) -> Decided:
        edit = self.archive.edit(held)
        flush = _Flush(self, edit, Changeset(0, edit), {f.chain: f for f in flights})
        for job in jobs:
            flush.run(job)
        after = tuple(sorted(flush.flights.values()))
        phases = tuple(filter(None, map(self._lanes, flush.changeset.phases())))
        return Decided(phases, self.archive.held(edit), after, tuple(flush.calls))

    def _lanes(self, phase: list[object]) -> tuple[tuple[tuple[str, int, int], ...], ...]:
        lanes: dict[str, list[tuple[str, int, int]]] = {}
        for write in phase:
            topic = write.topic
            if topic is StateTopic.DEAD:
                name = DeliveryId(rules.Letter.from_json(write.value).entry.id)
                record = (topic.value, self.archive.slots[name], 1)
            else:
                slot = self.archive.slots[DeliveryId(write.key.decode())]
                record = (topic.value, slot, self.archive.number(topic, write.value))
            lanes.setdefault(topic.value, []).append(record)
        return tuple(map(tuple, lanes.values()))


@dataclass
class _Flush:
    decisions: Decisions
    edit: MemoryEdit
    changeset: Changeset
    flights: dict[str, Flight]
    calls: list[Call] = field(default_factory=list)

    def run(self, job: Job) -> None:
        match job:
            case Course():
                self._batch(job)
            case Settle():
                self._settle(job)
            case Release(chain=chain, item=item):
                self.changeset.apply([Keep(self._item(item))])
                self._let_go(chain)
            case Claim(slot=slot):
                self._claim(slot)
            case Listen(words=words):
                for word in words:
                    self._listen(word)
            case PutBack() | Fill():
                self._beside(job)

    def _beside(self, job: PutBack | Fill) -> None:
        if isinstance(job, Fill):
            self._fill(job)
        else:
            self._put_back(job.slot)

    def _item(self, number: int) -> Item:
        return self.decisions.archive.item(number)

    def _batch(self, course: Course) -> None:
        for answer in course.answers:
            self._judge(answer)
        if course.slow:
            item = self._item(course.slow)
            self.changeset.apply(rules.unanswered(self.edit, item, NOW, TIMEOUT))
        for slot, offset in sorted((*course.rest, *course.late), key=itemgetter(1)):
            arrival = self.decisions.arrival(slot, offset)
            self.changeset.apply(rules.arrive(self.edit, arrival, NOW))
        if course.held and course.slow:
            self._keep_only(course.chain, self._slot(self._item(course.slow).id))
        elif course.held:
            self._let_go(course.chain)

    def _settle(self, job: Settle) -> None:
        if self.edit.item(self._item(job.answer.item).id) is not None:
            self._judge(job.answer)
        self._let_go(job.chain)

    def _judge(self, answer: Answer) -> None:
        item, outcome = self._item(answer.item), ANSWERS[answer.outcome]
        self.changeset.apply(rules.attempted(self.edit, item, outcome, NOW))

    def _claim(self, slot: int) -> None:
        item = self.edit.item(DeliveryId(self.decisions.scenario.deliveries[slot].id))
        if item is None or item.chain in self.flights:
            return
        what = rules.fall_due(self.edit, item, NOW)
        if not isinstance(what, Send):
            self.changeset.apply(what)
            return
        if item.delivery.wants:
            self.flights[item.chain] = Flight(item.chain, 0)
            number = self.decisions.archive.of(item)
            self.calls.append(Call(slot, number, number, "asks", course=False))
            return
        self.flights[item.chain] = Flight(item.chain, 1 << slot)
        self.changeset.apply(rules.begin(what.item, NOW, TIMEOUT))
        archive = self.decisions.archive
        begun = archive.of(what.item.begun(NOW))
        self.calls.append(Call(slot, archive.of(what.item), begun, "begun", course=False))

    def _fill(self, job: Fill) -> None:
        draft = self.decisions.scenario.deliveries[job.slot]
        item = self.edit.item(DeliveryId(draft.id))
        if item is not None and item.delivery == draft:
            if job.read:
                self.changeset.apply(drafts.filled(self.edit, item, filled(draft, job.read)))
            else:
                self.changeset.apply(drafts.withheld(self.edit, item, "no right", NOW, 0.0))
        self._let_go(job.chain)

    def _put_back(self, slot: int) -> None:
        scenario = self.decisions.scenario
        delivery, terms = scenario.deliveries[slot], scenario.terms
        entry = self.edit.entry(DeliveryId(delivery.id))
        if entry is None:
            return
        self.flights[delivery.chain] = Flight(delivery.chain, 0)
        letter = Letter(entry, NOW, "", delivery, terms)
        if concerns(self.edit, letter, _WISH) is Result.PUT_BACK:
            self.changeset.apply(put_back(self.edit, delivery, terms, _WISH).changes)

    def _listen(self, word: Word) -> None:
        chain = Chain(self.decisions.scenario.deliveries[word.slot].chain)
        flight = self.flights.get(chain)
        if flight is None or not flight.sending & 1 << word.slot:
            self._hear(word)
            return
        others = {other.slot: other for other in flight.words}
        if (other := others.get(word.slot)) is not None:
            won = stronger(self._said(word), self._said(other))
            word = word if won == self._said(word) else other
        others[word.slot] = word
        self.flights[chain] = flight._replace(words=tuple(others.values()))

    def _hear(self, word: Word) -> None:
        self.changeset.apply(rules.hear(self.edit, self._said(word), NOW) or ())

    def _said(self, word: Word) -> Acknowledgement:
        delivery = self.decisions.scenario.deliveries[word.slot]
        return Acknowledgement(delivery.id, word.status, attempt=word.attempt)

    def _let_go(self, chain: str) -> None:
        flight = self.flights.pop(chain, None)
        for word in flight.words if flight else ():
            self._hear(word)

    def _keep_only(self, chain: str, slot: int) -> None:
        flight = self.flights[chain]
        mine = tuple(word for word in flight.words if word.slot == slot)
        self.flights[chain] = Flight(chain, 1 << slot, mine)
        for word in flight.words:
            if word.slot != slot:
                self._hear(word)

    def _slot(self, delivery_id: DeliveryId) -> int:
        return self.decisions.archive.slots[delivery_id]
