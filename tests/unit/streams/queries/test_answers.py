from __future__ import annotations

from schemas.command import Answer, Progress
from streams.queries.answers import Gathered


def answer(partition: int, progress: Progress, number: int = 1, why: str = "") -> Answer:
    return Answer("a", "retry", partition, progress, {"now": number}, [], why)


def test_who_has_not_ended_it_is_silent() -> None:
    gathered = Gathered(frozenset({0, 1, 2}))

    assert gathered.take([answer(0, Progress.DONE), answer(1, Progress.DOING)])

    assert gathered.silent == [1, 2]


def test_the_latest_answer_of_each_partition_is_counted() -> None:
    gathered = Gathered(frozenset({0, 1}))

    gathered.take([answer(0, Progress.DOING, 5), answer(1, Progress.DONE, 2)])
    gathered.take([answer(0, Progress.DONE, 9)])

    assert gathered.counts == {"now": 11}
    assert gathered.silent == []


def test_what_is_done_stays_done_when_it_is_answered_again() -> None:
    gathered = Gathered(frozenset({0}))

    gathered.take([answer(0, Progress.DONE, 9), answer(0, Progress.DOING, 2)])

    assert (gathered.counts, gathered.silent) == ({"now": 9}, [])


def test_partitions_that_were_not_asked_say_nothing() -> None:
    gathered = Gathered(frozenset({0}))

    assert not gathered.take([answer(5, Progress.DONE)])
    assert gathered.counts == {}


def test_a_reason_to_refuse_is_said_once() -> None:
    gathered = Gathered(frozenset({0, 1}))

    gathered.take([answer(p, Progress.FAILED, why="unknown") for p in (0, 1)])

    assert gathered.failures == ["unknown"]
    assert gathered.silent == []
