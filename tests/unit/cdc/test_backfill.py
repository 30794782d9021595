from __future__ import annotations

import logging

import pytest

from cdc.backfill import Paced, Unpaced
from cdc.pace import PORTION, Lane, Look, Pace, queues
from cdc.progress import Portion, Progress
from schemas.kafka_errors import KafkaAway

NAMES = ("s.a", "s.b", *(f"s.deliveries.{target}" for target in "xyz"))
LANES = [
    Lane("a", "s.a", "s.deliveries.x", takes_existing=True),
    Lane("b", "s.b", "s.deliveries.y", takes_existing=True),
    Lane("b", "s.b", "s.deliveries.z", takes_existing=False),
]


class Workers:
    """Answers with what is left of each topic, or not at all."""

    def __init__(self) -> None:
        self.left = dict.fromkeys(NAMES, 0)
        self.away = False
        self.resting = False

    def look(self, now: float) -> Look | None:
        self.resting = False
        if self.away:
            raise KafkaAway("it is away")
        return Look(now, dict.fromkeys(NAMES, 0), dict(self.left))

    def rest(self) -> None:
        self.resting = True


@pytest.fixture
def workers() -> Workers:
    return Workers()


@pytest.fixture
def paced(workers: Workers) -> Paced:
    return Paced(Pace(queues(LANES)), workers, LANES[::-1])


def progress(*models: str) -> Progress:
    return Progress(published=dict.fromkeys(models, -1))


def test_without_a_pace_models_follow_each_other() -> None:
    assert Unpaced(["b", "a"]).next(progress("a", "b"), 0.0) == Portion("b", PORTION)
    assert Unpaced(["b", "a"]).next(progress(), 0.0) is None


def test_a_target_that_stands_still_holds_back_its_own_models_only(
    paced: Paced, workers: Workers
) -> None:
    workers.left["s.deliveries.x"] = 2 * PORTION

    assert paced.next(progress("a", "b"), 0.0) == Portion("b", PORTION)


def test_the_next_portion_waits_until_the_last_is_done(paced: Paced, workers: Workers) -> None:
    standing = progress("a")
    assert paced.next(standing, 0.0) == Portion("a", PORTION)
    workers.left["s.a"] = 2 * PORTION
    paced.published(Portion("a", 2 * PORTION), 0.1)

    assert paced.next(standing, 0.2) is None
    workers.left["s.a"] = 0
    assert paced.next(standing, 0.3) == Portion("a", PORTION)


def test_models_go_out_in_the_order_of_the_file_each_when_what_went_before_has_gone(
    workers: Workers,
) -> None:
    """What refers to others comes behind them; queues that are never empty are not waited for."""
    lanes = [Lane(each, f"s.{each}", "s.deliveries.x", takes_existing=True) for each in "ba"]
    paced = Paced(Pace(queues(lanes)), workers, lanes)
    assert paced.next(progress("a", "b"), 0.0) == Portion("b", PORTION)
    workers.left["s.deliveries.x"] = 1
    paced.published(Portion("b", 7), 0.1)

    assert paced.next(progress("a"), 0.2) is None
    assert paced.next(Progress(published={"a": 3}), 0.3) == Portion("a", PORTION)  # it has begun
    assert paced.next(progress("a"), 10.2) == Portion("a", PORTION)
    workers.left["s.deliveries.x"] = 0
    assert paced.next(progress("a"), 10.3) == Portion("a", PORTION)


def test_who_waits_long_is_named_once_and_once_more_when_it_goes_on(
    paced: Paced, workers: Workers, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    standing = progress("a", "b")
    workers.left["s.a"] = 2 * PORTION
    for second in range(15):
        paced.next(standing, float(second))
    assert standing.held == {"a"}
    assert [r.message for r in caplog.records] == ["documents of a wait for the workers"]

    workers.left["s.a"] = 0
    paced.next(standing, 15.0)

    assert standing.held == set()
    assert caplog.records[-1].message == "documents of a go on"


def test_while_kafka_is_away_everything_waits_and_the_reason_is_said(
    paced: Paced, workers: Workers, caplog: pytest.LogCaptureFixture
) -> None:
    standing = progress("a")
    workers.away = True

    assert [paced.next(standing, float(second)) for second in range(12)] == [None] * 12
    assert [r.message for r in caplog.records] == [
        "documents of a wait for the workers (it is away)"
    ]

    workers.away = False
    assert paced.next(standing, 13.0) == Portion("a", PORTION)


def test_when_all_is_published_nobody_is_asked(paced: Paced, workers: Workers) -> None:
    paced.next(progress("a"), 0.0)
    assert not workers.resting

    assert paced.next(progress(), 0.1) is None
    assert workers.resting


def test_a_resend_has_the_room_of_the_queues_that_it_fills(paced: Paced, workers: Workers) -> None:
    to_z = "b > z", frozenset({"s.deliveries.z"})
    workers.left["s.deliveries.y"] = 2 * PORTION

    assert paced.room(*to_z, 0.0) == PORTION
    both = "b > y, z", frozenset({"s.deliveries.y", "s.deliveries.z"})
    assert paced.room(*both, 0.0) == 0

    workers.left["s.b"] = 2 * PORTION
    paced.filled("b > z", 2 * PORTION, 0.1)
    assert paced.room(*to_z, 0.2) == 0
    assert not paced.stands_still(*to_z, 5.0)
    assert paced.stands_still(*to_z, 15.0)


def test_the_workers_are_asked_as_long_as_a_resend_may_ask_again(
    paced: Paced, workers: Workers
) -> None:
    paced.room("b > z", frozenset({"s.deliveries.z"}), 0.0)

    paced.next(progress(), 0.1)
    assert not workers.resting
    paced.next(progress(), 6.0)
    assert workers.resting


def test_what_a_resend_publishes_lets_no_model_wait_for_its_turn(
    paced: Paced, workers: Workers
) -> None:
    workers.left["s.a"] = 1
    paced.filled("a > x", 7, 0.0)

    assert paced.next(progress("a"), 0.1) == Portion("a", PORTION)
