from __future__ import annotations

import signal
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from cdc.supervisor import PAUSES, Kept, Supervisor, may_start_again


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Child:
    code: int | None = None
    obeys: bool = True
    terminated: int = 0
    killed: int = 0
    heard: list[int] = field(default_factory=list)

    def poll(self) -> int | None:
        return self.code

    def terminate(self) -> None:
        self.terminated += 1
        if self.obeys:
            self.code = 0

    def kill(self) -> None:
        self.killed += 1
        self.code = -9

    def send_signal(self, sig: int) -> None:
        self.heard.append(sig)


@dataclass
class Story:
    """What happens at each wait, one thing after the other; time passes as long as is waited."""

    clock: Clock = field(default_factory=Clock)
    stopping: int = 0
    hangups: int = 0
    steps: list[Callable[[], None]] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.clock.now += seconds
        if self.steps:
            self.steps.pop(0)()

    def stop(self) -> None:
        self.stopping += 1

    def hang_up(self) -> None:
        self.hangups += 1


@dataclass
class Program:
    obeys: bool = True
    children: list[Child] = field(default_factory=list)

    def __call__(self) -> Child:
        self.children.append(Child(obeys=self.obeys))
        return self.children[-1]

    def end(self, code: int) -> None:
        self.children[-1].code = code


@pytest.fixture
def story() -> Story:
    return Story()


def supervise(story: Story, *programs: Program) -> int:
    kept = [Kept(f"program-{number}", each) for number, each in enumerate(programs)]
    return Supervisor(kept, story, story.clock).run()


@pytest.mark.parametrize("code", [0, 3, 70, 75, 76, -9, -11])
def test_a_program_that_may_go_on_is_started_again(story: Story, code: int) -> None:
    one, other = Program(), Program()
    story.steps = [lambda: one.end(code), lambda: None, story.stop]

    assert supervise(story, one, other) == 0

    assert (len(one.children), len(other.children)) == (2, 1)
    assert one.children[-1].terminated == other.children[-1].terminated == 1


@pytest.mark.parametrize("code", [1, 2, 4])
def test_one_that_must_not_go_on_stops_all_with_its_code(story: Story, code: int) -> None:
    one, other = Program(), Program()
    story.steps = [lambda: one.end(code)]

    assert supervise(story, one, other) == code

    assert len(one.children) == 1
    assert other.children[-1].terminated == 1


def test_pauses_grow_while_it_fails_and_begin_again_once_it_has_run(story: Story) -> None:
    one = Program()

    def lives_long() -> None:
        story.clock.now += 100
        one.end(3)

    fails = lambda: one.end(3)  # noqa: E731
    nothing = lambda: None  # noqa: E731
    story.steps = [fails, nothing, fails, nothing, lives_long, nothing, story.stop]

    supervise(story, one)

    assert [story.waits[at] for at in (1, 3, 5)] == [PAUSES[0], PAUSES[1], PAUSES[0]]


def test_a_program_that_does_not_stop_is_killed_after_its_grace(story: Story) -> None:
    one = Program(obeys=False)
    story.steps = [story.stop]

    assert supervise(story, one) == 0

    assert one.children[-1].killed == 1
    assert story.clock.now > 120


def test_a_second_signal_kills_at_once(story: Story) -> None:
    one = Program(obeys=False)
    story.steps = [story.stop, story.stop]

    supervise(story, one)

    assert one.children[-1].killed == 1
    assert story.clock.now < 10


def test_the_exit_codes_that_start_again_are_those_of_the_contract() -> None:
    assert [code for code in range(-15, 80) if may_start_again(code)] == [
        *range(-15, 0),
        0,
        3,
        70,
        75,
        76,
    ]


def test_a_hangup_is_passed_on_once_to_whoever_runs(story: Story) -> None:
    one, other = Program(), Program()

    def ends_with_a_hangup() -> None:
        other.end(3)
        story.hang_up()

    nothing = lambda: None  # noqa: E731
    story.steps = [story.hang_up, nothing, ends_with_a_hangup, nothing, story.stop]

    assert supervise(story, one, other) == 0

    assert one.children[0].heard == [signal.SIGHUP, signal.SIGHUP]
    assert other.children[0].heard == [signal.SIGHUP, signal.SIGHUP]
    assert other.children[1].heard == []
