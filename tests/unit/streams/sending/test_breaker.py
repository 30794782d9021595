"""A target's breaker by itself: what it learns, and what it forgets."""

from __future__ import annotations

import pytest

from streams.chains.item import Arrival, Item
from streams.chains.outcome import Accepted, Refused, Unauthorised, Unavailable
from streams.sending.breaker import Stage
from streams.sending.breakers import Breakers
from tests.core_rig import ASKED, TERMS, Clock
from tests.deliveries import a_delivery

TIMEOUT = 10.0  # seconds


class Story:
    """The breakers of a worker, and a clock."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.opened: list[str] = []
        self.breakers = Breakers(self.clock, self.clock, TIMEOUT, self.opened.append)

    @property
    def stage(self) -> Stage:
        return self.breakers.of("webshop").stage

    def open(self) -> None:
        for _ in range(5):
            self.breakers.note(an_item(), Unavailable("WSO2 answered 503"))
        assert self.stage is Stage.OPEN

    def attempt(self) -> Item:
        """Begin a trial."""
        item = an_item(asked=True)
        patience = self.breakers.patience(item)
        self.breakers.of("webshop").trials.begin(item.id, item.chain, patience)
        return item


@pytest.fixture
def story() -> Story:
    return Story()


def an_item(*, asked: bool = False) -> Item:
    return Item.of(Arrival(a_delivery(), 0, 1, ASKED if asked else TERMS), 0.0)


def test_it_tells_once_that_it_has_opened(story: Story) -> None:
    story.open()
    story.open()

    assert story.opened == ["webshop"]


def test_a_202_ends_a_row_of_wso2s_failures_but_not_one_of_the_targets(story: Story) -> None:
    for fails in (
        lambda item: story.breakers.note(item, Unavailable("WSO2 answered 503")),
        lambda item: story.breakers.ask_again(item, "no acknowledgement in time"),
    ):
        story.breakers = Breakers(story.clock, story.clock, TIMEOUT, story.opened.append)
        for _ in range(5):
            story.breakers.note(an_item(asked=True), Accepted())
            fails(an_item(asked=True))

    assert story.opened == ["webshop"]


@pytest.mark.parametrize(
    "outcome",
    [
        Refused("WSO2 answered 422"),
        Unauthorised("WSO2 answered 401"),
        Unavailable("no connection", counted=False),
    ],
)
def test_what_is_wso2s_matter_is_no_failure_of_a_target(
    story: Story, outcome: Refused | Unauthorised | Unavailable
) -> None:
    for _ in range(20):
        assert story.breakers.note(an_item(), outcome) == outcome

    assert story.stage is Stage.CLOSED


def test_a_trial_of_which_nothing_is_heard_has_failed_in_the_end(story: Story) -> None:
    story.open()
    story.clock.now += 1.0
    story.attempt()
    breaker = story.breakers.of("webshop")
    story.clock.now += TIMEOUT + ASKED.ack_timeout + 59.0
    breaker.look()
    assert breaker.trials.until() == float("inf")

    story.clock.now += 1.0
    breaker.look()

    assert breaker.trials.until() == 2.0


def test_what_was_not_sent_takes_no_place_of_those_on_their_way(story: Story) -> None:
    story.open()
    story.breakers.of("webshop").succeed(story.attempt().id)
    assert story.stage is Stage.RETURNING
    first, second = an_item(), an_item()
    story.breakers.take(first)
    story.breakers.take(second)
    assert story.breakers.of_line("webshop", "orders") is not None

    story.breakers.drop(second)

    assert story.breakers.of_line("webshop", "orders") is None
    story.clock.now += TIMEOUT + 60.0
    story.breakers.of("webshop").look()
    assert not story.breakers.counts_on(first)


def test_it_has_wholly_returned_when_nobody_need_count(story: Story) -> None:
    story.open()
    story.breakers.of("webshop").succeed(story.attempt().id)

    sent = 0
    while story.stage is Stage.RETURNING:
        item = an_item()
        story.breakers.take(item)
        story.breakers.note(item, Accepted())
        sent += 1

    assert sent == 254  # one more for each, from two to 256
    assert list(story.breakers.standing()) == []
