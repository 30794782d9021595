"""A model that finds nothing proves nothing: each rule is broken once, and it must be seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import pytest

from schemas.state import State
from streams import forward
from streams.chains import ahead, by_hand, rules
from streams.chains.item import Item
from streams.chains.rules import Send
from streams.partitions.changeset import Changeset
from tests.model.flushes import Flushes
from tests.model.laws import look
from tests.model.moves import Model
from tests.model.scenario import ACCEPTED, REQUIRED, Scenario, Told

Phases = Callable[[list[Any], list[Any], list[Any], list[Any]], tuple[list[Any], ...]]
LATEST: Final = replace(ACCEPTED, history="latest")
TWO: Final = Scenario(moves=0, outcomes=frozenset({"busy", "refused"}), most=60_000)
ONE: Final = replace(TWO, told=(Told(),), queue=(0,))
ASKED: Final = replace(ONE, terms=REQUIRED, words=1)
DRAFT: Final = replace(ONE, told=(Told(draft=True),))
REPLAY: Final = replace(TWO, told=(Told(event=1, run=1), Told(event=2)), queue=(1, 0))
TOO_LATE: Final = "law 2: A goes for the first time after B was accepted"
_phases = Changeset.phases
_begun = Item.begun


def _found(scenario: Scenario, **model: Any) -> str:
    return str(look(Model(scenario, **model)))


def _written(patch: pytest.MonkeyPatch, phases: Phases) -> None:
    patch.setattr(Changeset, "phases", lambda changeset: phases(*_phases(changeset)))


def test_the_item_forgotten_before_the_ledger_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    _written(monkeypatch, lambda letters, settled, said, gone: (letters, settled, gone, said))

    found = _found(ASKED)

    assert found.startswith("law 1: A is lost")
    assert "tombstone A" in found


def test_the_dead_letter_written_last(monkeypatch: pytest.MonkeyPatch) -> None:
    _written(monkeypatch, lambda letters, settled, said, gone: (settled, said, gone, letters))

    assert "law 10: A is dead without a dead letter" in _found(ONE)


def test_the_ledger_written_with_the_items(monkeypatch: pytest.MonkeyPatch) -> None:
    _written(
        monkeypatch, lambda letters, settled, said, gone: (letters, [*said, *settled], [], gone)
    )

    found = _found(replace(TWO, terms=LATEST))

    assert found.startswith("law 2: B goes before A has an ending")


def test_copies_taken_for_deliveries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "known", lambda *_: False)
    monkeypatch.setattr(forward, "known", lambda *_: False)

    assert _found(replace(TWO, queue=(0, 1, 0), crashes=0)).startswith("law 2: A goes")


def test_what_is_left_over_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def fall_due(view: Any, item: Item, now: float) -> Any:
        return Send(item) if rules.has_ended(view, item.id) else right(view, item, now)

    right = rules.fall_due
    monkeypatch.setattr(rules, "fall_due", fall_due)

    assert _found(TWO).startswith("law 2: A goes out for the first time after its ending")


def test_a_turn_taken_by_whoever_is_due(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "fall_due", lambda _view, item, _now: Send(item))
    monkeypatch.setattr(Item, "active", property(lambda item: item.attempt == 0))

    assert _found(TWO).startswith("law 2: A goes while B is in flight")


def test_an_acceptance_taken_for_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Item, "awaits_word", property(lambda _: False))

    assert "law 5: the target ends with nothing, not with A" in _found(ASKED)


def test_a_body_that_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    def begun(item: Item, now: float) -> Item:
        sent = _begun(item, now)
        body = sent.delivery.body + b" " * (sent.attempt - 1)
        return replace(sent, delivery=replace(sent.delivery, body=body))

    monkeypatch.setattr(Item, "begun", begun)

    assert _found(ONE).startswith("law 3: A goes out with other bytes")


def test_an_item_never_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "arrive", lambda *_: [])

    assert _found(ONE).startswith("law 1: A has no ending")


def test_a_target_that_does_not_compare_sequences() -> None:
    found = _found(TWO, shop=lambda _, comes: comes)

    assert "law 5: the target ends with A, not with B" in found


def test_a_replayed_one_sent_although_a_newer_has_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead, "ahead_of", lambda *_: None)

    assert _found(REPLAY).startswith(TOO_LATE)


def test_a_batch_sent_in_the_order_of_sequences(monkeypatch: pytest.MonkeyPatch) -> None:
    def ready(view: Any, arrivals: Any) -> Any:
        passed = [a for a in arrivals if ahead.overtaken(view, Item.of(a, 0.0))]
        free = [a for a in arrivals if a not in passed]
        return sorted(free, key=lambda each: each.delivery.sequence), passed

    monkeypatch.setattr(forward, "ready", ready)

    found = _found(replace(REPLAY, outcomes=frozenset()))

    assert found.startswith(TOO_LATE)
    assert "the owner is killed" in found


def test_a_replayed_one_that_passes_a_newer_which_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead, "_before", lambda *_: None)

    assert _found(REPLAY).startswith(TOO_LATE)


def test_a_replayed_one_whose_turn_is_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "overtaken", lambda *_: None)

    assert _found(REPLAY).startswith(TOO_LATE)


def test_a_rejection_taken_for_no_acceptance(monkeypatch: pytest.MonkeyPatch) -> None:
    def blind(view: Any, newer: Any, history: str, older: Any) -> bool:
        unheard = newer.state is State.REJECTED and State.ACCEPTED.value not in newer.times
        return not unheard and right(view, newer, history, older)

    right = ahead._is_ahead  # noqa: SLF001 - the rule that is broken
    monkeypatch.setattr(ahead, "_is_ahead", blind)

    found = _found(replace(REPLAY, terms=REQUIRED, words=1, outcomes=frozenset(), gate=False))

    assert found.startswith(TOO_LATE)
    assert "the target says `rejected` of B" in found


def test_one_put_back_behind_a_newer_that_waits_for_its_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(by_hand, "_step_back", lambda *_: [])

    found = _found(replace(TWO, crashes=0, retries=1))

    assert found.startswith("law 2: B goes before A, which was put back")


AGAIN: Final = replace(TWO, outcomes=frozenset({"refused"}), retries=1, gate=False, slow=False)


def test_one_put_back_before_its_queue_was_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Flushes, "was_read_again", lambda *_: True)

    found = _found(AGAIN)

    assert found.startswith(TOO_LATE)
    assert "the owner is killed" in found


def test_one_put_back_that_comes_from_the_queue_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "_GIVEN_UP", frozenset())

    found = _found(AGAIN)

    assert found.startswith(TOO_LATE)
    assert "the owner is killed" in found


def test_one_put_back_although_a_newer_has_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(by_hand, "ahead_of", lambda *_: None)

    assert _found(replace(TWO, crashes=0, retries=1)).startswith(TOO_LATE)


@pytest.mark.parametrize("outcome", ["lost", "late"])
def test_an_answer_that_did_not_come_taken_for_a_refusal(
    monkeypatch: pytest.MonkeyPatch, outcome: str
) -> None:
    monkeypatch.setattr(rules, "may_be_taken", lambda _: False)

    found = _found(replace(AGAIN, crashes=0, outcomes=frozenset({"refused", outcome})))

    assert found.startswith(TOO_LATE)


def test_a_draft_sent_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forward, "until_draft", lambda arrivals: (arrivals, ()))

    assert _found(DRAFT).startswith("law 3: A goes out with")


def test_a_draft_read_again_for_another_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    def attempted(view: Any, item: Item, outcome: Any, now: float) -> Any:
        draft = replace(item.delivery, wants=DRAFT.deliveries[0].wants, body=b'{"number":0}')
        return right(view, replace(item, delivery=draft), outcome, now)

    right = rules.attempted
    monkeypatch.setattr(rules, "attempted", attempted)

    assert _found(DRAFT).startswith("law 3: A goes out with other bytes")
