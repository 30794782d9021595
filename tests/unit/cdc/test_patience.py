"""How long capture waits."""

from __future__ import annotations

import pytest

from cdc import patience
from cdc.patience import DURABLE, IN_HAND, PAUSES, Backoff, Ending, patiently
from schemas.errors import ServiceUnavailable


@pytest.mark.parametrize("chance", [0.0, 1.0])
def test_pauses_grow_and_are_never_longer_than_the_last_one(chance: float) -> None:
    backoff = Backoff(lambda: chance)

    pauses = [backoff.next() for _ in range(20)]

    assert pauses == sorted(pauses)
    assert pauses[-1] == PAUSES[-1] * (1 - chance / 2)


def test_two_that_lost_the_same_server_do_not_come_back_at_the_same_time() -> None:
    assert len({Backoff().next() for _ in range(20)}) > 1


def test_what_was_asked_to_end_first_sets_the_time() -> None:
    ending = Ending()
    assert not ending.overdue(1e9)

    ending.ask(100.0)
    ending.ask(200.0)

    assert not ending.overdue(100.0 + IN_HAND)
    assert ending.overdue(100.1 + IN_HAND)
    ending.leave(300.0)
    assert not ending.overdue(300.0 + DURABLE)
    assert ending.overdue(300.1 + DURABLE)


class Full(ServiceUnavailable):
    passing = False


def test_who_is_away_is_asked_again_and_what_stays_is_raised(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(patience, "PAUSES", (0.0,))
    answers: list[Exception | str] = [
        ServiceUnavailable("one"),
        ServiceUnavailable("two"),
        "there",
    ]
    said: list[str] = []

    def ask() -> str:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert patiently(ask, lambda error: said.append(str(error))) == "there"
    assert said == ["one", "two"]
    answers.append(Full("the disk"))
    with pytest.raises(Full):
        patiently(ask, said.append)
