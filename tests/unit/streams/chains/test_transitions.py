"""Every state of a delivery, and what every outcome, word and passing of time makes of it."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import pytest

from schemas.acknowledgement import Acknowledgement
from schemas.keys import Chain, DeliveryId
from schemas.state import State
from streams.chains.changes import Bury, Change, Forget, Keep, Record
from streams.chains.dead_letter import Letter
from streams.chains.item import Arrival, Item, Terms
from streams.chains.ledger import Entry, entry_of
from streams.chains.outcome import Accepted, Outcome, Refused, Unauthorised, Unavailable
from streams.chains.rules import Send, arrive, attempted, fall_due, hear, unanswered
from tests.deliveries import a_delivery

NOW = 1_800_000_000.0
ASKED = Terms("required", ack_timeout=60.0, retry=(10.0, 20.0), history="all")
PLAIN = replace(ASKED, acknowledge="accepted")
LAST = 3  # attempt, with those terms


@dataclass
class Held:
    """What a partition holds, in memory."""

    items: dict[DeliveryId, Item] = field(default_factory=dict)
    entries: dict[DeliveryId, Entry] = field(default_factory=dict)
    letters: list[Letter] = field(default_factory=list)

    def item(self, delivery_id: DeliveryId) -> Item | None:
        return self.items.get(delivery_id)

    def entry(self, delivery_id: DeliveryId) -> Entry | None:
        return self.entries.get(delivery_id)

    def waiting(self, chain: Chain, route: str = "") -> Sequence[DeliveryId]:
        return [
            i.id
            for i in self._chain(chain)
            if i.state is State.WAITING and route in ("", i.delivery.route)
        ]

    def out(self, chain: Chain, route: str) -> Sequence[DeliveryId]:
        return [
            i.id
            for i in self._chain(chain)
            if i.state is not State.WAITING and route == i.delivery.route
        ]

    def leader(self, chain: Chain) -> DeliveryId | None:
        mine = self._chain(chain)
        active = [i for i in mine if i.active]
        return (active or mine)[0].id if mine else None

    def _chain(self, chain: Chain) -> list[Item]:
        return sorted((i for i in self.items.values() if i.chain == chain), key=lambda i: i.place)

    def apply(self, changes: Iterable[Change]) -> None:
        for change in changes:
            match change:
                case Keep(item=item):
                    self.items[item.id] = item
                case Forget(id=delivery_id):
                    del self.items[delivery_id]
                case Record(entry=entry):
                    self.entries[entry.id] = entry
                case Bury(letter=letter):
                    self.letters.append(letter)


def an_item(terms: Terms = ASKED, attempt: int = 2) -> Item:
    item = Item.of(Arrival(a_delivery(), 0, 7, terms), NOW - 100)
    return replace(item, attempt=attempt, sent=NOW - 50)


def standing(state: str, attempt: int = 2, terms: Terms = ASKED) -> tuple[Held, DeliveryId]:
    """Return a partition with one delivery that stands there."""
    held, item = Held(), an_item(terms, attempt)
    items = {
        "its turn": replace(item, state=State.WAITING, due=None),
        "its time": replace(item, state=State.WAITING, due=NOW),
        "sent": replace(item, state=State.SENT, due=NOW),
        "accepted": replace(item, state=State.ACCEPTED, due=NOW, code="HTTP_202"),
    }
    if state in items:
        held.apply([Keep(items[state]), Record(entry_of(items[state], None))])
    elif state != "unknown":
        final = replace(item, state=State(state.removesuffix("!")), due=None)
        held.apply([Record(entry_of(final, None, final=True))])
    return held, item.id


def where(held: Held, delivery_id: DeliveryId) -> str:
    """Return where a delivery stands, and hold on the way to what is always so."""
    item, entry = held.items.get(delivery_id), held.entries.get(delivery_id)
    if entry is None:
        assert item is None
        return "unknown"
    assert entry.final is (item is None)
    if item is not None:
        assert (item.state, item.due, item.attempt) == (entry.state, entry.due, entry.attempt)
        if item.state is State.WAITING:
            return "its turn" if item.due is None else "its time"
        return item.state.value
    assert entry.due is None
    return f"{entry.state.value}!" if entry.state is State.ACCEPTED else entry.state.value


ITEMS = ("its turn", "its time", "sent", "accepted")
FINAL = ("accepted!", "delivered", "rejected", "dead", "superseded")
SAME = "same"  # nothing is written

WORDS = {
    "delivered": Acknowledgement("", "delivered"),
    "rejected": Acknowledgement("", "rejected", message="no"),
    "retry": Acknowledgement("", "retry", attempt=2),
    "retry, no attempt": Acknowledgement("", "retry"),
    "retry, older": Acknowledgement("", "retry", attempt=1),
}
#                 delivered    rejected    retry       no attempt  older
SAID = {
    "unknown": ("unknown", "unknown", "unknown", "unknown", "unknown"),
    "its turn": ("delivered", "rejected", SAME, SAME, SAME),
    "its time": ("delivered", "rejected", SAME, SAME, SAME),
    "sent": ("delivered", "rejected", "its time", "its time", SAME),
    "accepted": ("delivered", "rejected", "its time", "its time", SAME),
    "accepted!": ("delivered", "rejected", SAME, SAME, SAME),
    "delivered": (SAME, SAME, SAME, SAME, SAME),
    "rejected": ("delivered", SAME, SAME, SAME, SAME),
    "dead": ("delivered", "rejected", SAME, SAME, SAME),
    "superseded": ("delivered", "rejected", SAME, SAME, SAME),
}
assert set(SAID) == {"unknown", *ITEMS, *FINAL}


@pytest.mark.parametrize(
    ("state", "word", "becomes"),
    [
        (state, word, becomes)
        for state, row in SAID.items()
        for word, becomes in zip(WORDS, row, strict=True)
    ],
)
def test_a_word_in_every_state(state: str, word: str, becomes: str) -> None:
    held, delivery_id = standing(state)
    said = replace(WORDS[word], id=delivery_id)

    changes = hear(held, said, NOW)

    assert (changes is None) == (state == "unknown")
    if becomes == SAME:
        assert changes == []
        return
    held.apply(changes or [])
    assert where(held, delivery_id) == becomes
    assert [letter.entry.state.value for letter in held.letters] == (
        ["rejected"] if becomes == "rejected" else []
    )
    again = hear(held, said, NOW)
    assert not again, "a double changes nothing"


SPOKEN = Acknowledgement("", "rejected", code="MISSING", message='no\n"x"', target_id="17")


@pytest.mark.parametrize("state", [*ITEMS, "accepted!", "dead", "superseded"])
def test_what_a_target_said_stands_in_the_ledger_and_in_the_dead_letter(state: str) -> None:
    held, delivery_id = standing(state)

    held.apply(hear(held, replace(SPOKEN, id=delivery_id, http_status=422), NOW) or [])

    (letter,) = held.letters
    for said in (held.entries[delivery_id], letter.entry):
        assert said.why == 'rejected by the target: MISSING: no\n"x"'
        assert (said.code, said.http_status, said.target_id) == ("MISSING", 422, "17")
    assert Entry.from_json(letter.entry.to_json()) == letter.entry
    read = Letter.from_json(letter.to_json()).entry
    assert (read.why, read.code, read.target_id) == (letter.entry.why, "MISSING", "17")


@pytest.mark.parametrize("state", ["sent", "accepted"])
def test_what_waits_says_why_the_target_asked_for_a_retry(state: str) -> None:
    held, delivery_id = standing(state)
    word = replace(SPOKEN, id=delivery_id, status="retry", code="BUSY", retry_after="70")

    held.apply(hear(held, word, NOW) or [])

    item, entry = held.items[delivery_id], held.entries[delivery_id]
    assert item.due == NOW + 70
    for said in (item, entry, Item.from_json(item.to_json())):
        assert (said.why, said.code) == ('retry by the target: BUSY: no\n"x"', "BUSY")


@pytest.mark.parametrize("state", [*ITEMS, *FINAL])
def test_the_targets_id_of_what_it_has_is_kept(state: str) -> None:
    held, delivery_id = standing(state)

    held.apply(hear(held, Acknowledgement(delivery_id, "delivered", target_id="17"), NOW) or [])

    expected = "" if state == "delivered" else "17"  # it has its word already
    assert held.entries[delivery_id].target_id == expected


@pytest.mark.parametrize("state", ["sent", "accepted"])
def test_a_retry_of_the_last_attempt_is_the_end(state: str) -> None:
    held, delivery_id = standing(state, LAST)

    held.apply(hear(held, Acknowledgement(delivery_id, "retry"), NOW) or [])

    assert where(held, delivery_id) == "dead"
    assert held.entries[delivery_id].why == "retry by the target; given up after 3 attempts"


@pytest.mark.parametrize("state", ["sent", "accepted"])
@pytest.mark.parametrize("attempt", [1, LAST])
def test_a_retry_that_does_not_count_spends_no_attempt(state: str, attempt: int) -> None:
    held, delivery_id = standing(state, attempt)
    word = Acknowledgement(delivery_id, "retry", retry_after="15")

    held.apply(hear(held, word, NOW, counts=lambda _: False) or [])

    assert where(held, delivery_id) == "its time"
    item = held.items[delivery_id]
    assert (item.attempt, item.due) == (attempt - 1, NOW + 15)


@pytest.mark.parametrize("state", [*ITEMS, *FINAL])
def test_whatever_order_words_come_in_delivered_wins_then_rejected(state: str) -> None:
    for number in (1, 2, 3):
        for said in itertools.permutations(["delivered", "rejected", "retry"], number):
            held, delivery_id = standing(state)
            for word in said:
                held.apply(hear(held, Acknowledgement(delivery_id, word), NOW) or [])
            strongest = next((w for w in ("delivered", "rejected") if w in said), None)
            if state == "delivered":
                strongest = "delivered"
            elif state == "rejected" and strongest is None:
                strongest = "rejected"
            if strongest is not None:
                assert where(held, delivery_id) == strongest, said


PASSING = Unavailable("WSO2 answered 503", http_status=503)
OUTCOMES: dict[str, Outcome] = {
    "202": Accepted(),
    "503": PASSING,
    "503, Retry-After": replace(PASSING, retry_after=100.0),
    "503, not counted": replace(PASSING, counted=False),
    "503, Retry-After, not counted": replace(PASSING, retry_after=100.0, counted=False),
    "no connection": Unavailable("no connection", counted=False),
    "401": Unauthorised("WSO2 answered 401"),
    "422": Refused("WSO2 answered 422", "HTTP_422", "no", 422),
}
#  outcome -> (state, attempt, seconds until it is due) after attempts 1 and 3
ENDED = {
    "202": (("accepted", 1, 60.0), ("accepted", 3, 60.0)),
    "503": (("its time", 1, 10.0), ("dead", 3, None)),
    "503, Retry-After": (("its time", 1, 100.0), ("dead", 3, None)),
    "503, not counted": (("its turn", 0, None), ("its turn", 2, None)),
    "503, Retry-After, not counted": (("its time", 0, 100.0), ("its time", 2, 100.0)),
    "no connection": (("its turn", 0, None), ("its turn", 2, None)),
    "401": (("its turn", 0, None), ("its turn", 2, None)),
    "422": (("dead", 1, None), ("dead", 3, None)),
}


@pytest.mark.parametrize("before", ["unknown", "its turn", "its time", "sent", "accepted"])
@pytest.mark.parametrize("outcome", ENDED)
@pytest.mark.parametrize("last", [False, True], ids=["first attempt", "last attempt"])
def test_an_outcome_of_an_attempt_from_every_state(
    before: str, outcome: str, *, last: bool
) -> None:
    attempt = LAST if last else 1
    held, delivery_id = standing(before, attempt - 1)
    item = held.items.get(delivery_id) or replace(an_item(), attempt=attempt - 1)
    begun = replace(item, state=State.SENT, attempt=attempt, sent=NOW, due=None)

    held.apply(attempted(held, begun, OUTCOMES[outcome], NOW))

    state, made, pause = ENDED[outcome][last]
    entry = held.entries[begun.id]
    assert where(held, begun.id) == state
    assert (entry.attempt, entry.due) == (made, None if pause is None else NOW + pause)
    assert len(held.letters) == (state == "dead")
    assert entry.state.value in entry.times


def test_a_202_is_the_end_where_no_word_is_asked_for() -> None:
    held = Held()
    begun = replace(an_item(PLAIN, 1), state=State.SENT)

    held.apply(attempted(held, begun, Accepted(), NOW))

    assert where(held, begun.id) == "accepted!"


@pytest.mark.parametrize(
    ("state", "attempt", "counts", "becomes", "made"),
    [
        ("its turn", 2, True, "send", 2),
        ("its time", 2, True, "send", 2),
        ("sent", 2, True, "send", 2),
        ("accepted", 2, True, "its time", 2),
        ("accepted", LAST, True, "dead", 3),
        ("accepted", 2, False, "its turn", 1),
        ("accepted", LAST, False, "its turn", 2),
    ],
)
def test_time_passes_in_every_state(
    state: str, attempt: int, becomes: str, made: int, *, counts: bool
) -> None:
    held, delivery_id = standing(state, attempt)
    item = held.items[delivery_id]

    what = fall_due(held, item, NOW, counts=lambda _: counts)

    if becomes == "send":
        assert what == Send(item)
        assert item.begun(NOW).attempt == (attempt if state == "sent" else attempt + 1)
        return
    assert not isinstance(what, Send)
    held.apply(what)
    assert where(held, delivery_id) == becomes
    assert held.entries[delivery_id].attempt == made


@pytest.mark.parametrize("state", ["unknown", *ITEMS, *FINAL])
def test_a_copy_changes_nothing_in_any_state(state: str) -> None:
    held, delivery_id = standing(state)
    delivery = replace(a_delivery(), id=delivery_id, chain=delivery_id.rsplit("/", 2)[0])

    changes = arrive(held, Arrival(delivery, 0, 9, ASKED), NOW)

    held.apply(changes)
    assert where(held, delivery_id) == ("its turn" if state == "unknown" else state)
    assert bool(changes) == (state == "unknown")


def test_a_slow_attempt_is_sent_until_its_time() -> None:
    held, begun = Held(), replace(an_item(), state=State.SENT)

    held.apply(unanswered(held, begun, NOW, 10.0))

    assert where(held, begun.id) == "sent"
    assert held.items[begun.id].due == NOW + 10.0


@pytest.mark.parametrize("state", ["its turn", "its time", "sent", "accepted"])
def test_the_newest_of_a_chain_and_route_replaces_only_what_waits(state: str) -> None:
    held, old = standing(state, terms=replace(ASKED, history="latest"))
    newer = replace(held.items[old].delivery, id=f"{old.rpartition('/')[0]}/{'F' * 8}")

    held.apply(arrive(held, Arrival(newer, 0, 9, replace(ASKED, history="latest")), NOW))

    if state in ("its turn", "its time"):
        assert where(held, old) == "superseded"
        entry = held.entries[old]
        assert entry.superseded_by == newer.id
        assert entry.why == f"replaced by {newer.id}"
        assert Entry.from_json(entry.to_json()) == entry
    else:
        assert where(held, old) == state
    assert where(held, DeliveryId(newer.id)) == "its turn"


def test_one_that_comes_to_wait_behind_a_newer_is_replaced_by_that() -> None:
    terms = replace(ASKED, history="latest")
    held, old = standing("sent", terms=terms)
    newer = replace(held.items[old].delivery, id=f"{old.rpartition('/')[0]}/{'F' * 8}")
    held.apply(arrive(held, Arrival(newer, 0, 9, terms), NOW))

    held.apply(attempted(held, held.items[old], PASSING, NOW))

    assert where(held, old) == "superseded"
    assert held.entries[old].superseded_by == newer.id


def test_pauses_are_spread_never_shorter_and_by_a_tenth_or_30_seconds_at_most() -> None:
    ladder = (10.0, 86400.0)
    for attempt, most in ((1, 1.0), (2, 30.0)):
        dues = []
        for chance in (0.0, 0.5, 0.999):
            held = Held()
            item = replace(
                an_item(replace(ASKED, retry=ladder), attempt), state=State.SENT, due=None
            )
            held.apply(attempted(held, item, PASSING, NOW, chance))
            due = held.items[item.id].due
            assert due is not None
            dues.append(due - NOW - ladder[attempt - 1])
        assert dues[0] == 0
        assert dues == sorted(dues)
        assert 0.9 * most < dues[-1] < most
