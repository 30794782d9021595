"""A process that did not run for too long writes and sends nothing more."""

from __future__ import annotations

import pytest

from streams.kafka.records import Record
from streams.kafka.writer import Writer
from streams.worker import broker
from streams.worker.exits import STUCK
from streams.worker.pulse import Pulse, WhileAlive, elapsed


class Dead(BaseException):
    """The process has ended."""


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def die(code: int, why: str) -> None:
    assert code == STUCK
    raise Dead(why)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pulse(clock: Clock) -> Pulse:
    made = Pulse(7.0, die, clock)
    made.start()
    return made


def test_a_beat_in_time_is_a_sign_of_life(pulse: Pulse, clock: Clock) -> None:
    for _ in range(10):
        clock.now += 7.0
        pulse.beat()


def test_nothing_is_late_before_it_has_started(clock: Clock) -> None:
    pulse = Pulse(7.0, die, clock)
    pulse.beat()
    clock.now += 100.0  # Kafka was slow to take what a worker writes at its start
    pulse.beat()


def test_a_beat_too_late_is_the_end_whoever_comes_first(pulse: Pulse, clock: Clock) -> None:
    clock.now += 7.1

    for _ in range(2):  # another thread is no proof that nothing happened
        with pytest.raises(Dead, match="did not run for 7 s"):
            pulse.beat()


async def test_law_2_nothing_is_sent_then(pulse: Pulse, clock: Clock) -> None:
    sent: list[object] = []

    class Sender:
        async def send(self, delivery: object, attempt: int) -> object:
            sent.append((delivery, attempt))
            return "taken"

    sender = WhileAlive(Sender(), pulse.beat)  # type: ignore[arg-type]
    assert await sender.send("first", 1) == "taken"  # type: ignore[arg-type,comparison-overlap]
    clock.now += 8.0

    with pytest.raises(Dead):
        await sender.send("second", 1)  # type: ignore[arg-type]
    assert sent == [("first", 1)]


async def test_law_2_nothing_is_written_then(pulse: Pulse, clock: Clock) -> None:
    writer = Writer({"bootstrap.servers": "127.0.0.1:1"}, pulse.beat)
    clock.now += 8.0

    with pytest.raises(Dead):
        await writer.write([Record("ledger", 0, b"key", b"value")])
    writer.close(timeout=0.1)


def test_the_limit_is_what_the_group_waits_at_least() -> None:
    assert broker.undisputed({}) == pytest.approx(7.0)
    short = {"session.timeout.ms": "6000", "heartbeat.interval.ms": "5000"}
    assert broker.undisputed(short) == pytest.approx(4.0)


def test_the_clock_never_goes_back() -> None:
    first = elapsed()
    assert elapsed() >= first
