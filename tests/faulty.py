"""Runs a command that dies at a named point: `python -m tests.faulty POINT N COMMAND ...`.

The process ends as by `kill -9`, at the N-th time that it gets there; FAULTY_SIGNAL=SIGTERM tells
it to end instead, and leaves it no time for what is in hand:

    published       Kafka was handed an event
    after-kafka     Kafka has acknowledged an epoch, the shadow has not committed it
    after-commit    the shadow has committed an epoch, Postgres was not told
    in-transaction  so many messages of one transaction were handled, its end was not read
    slot-dropped    recovery has dropped the old slot
    slot-made       recovery has made the new slot, and the shadow has not its place
    range           a range that was read again is in the shadow, and not durable

The product knows nothing of it: functions are wrapped here, before the command runs.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import Any, Final

from cdc import patience, readiness
from cdc.__main__ import main
from cdc.epoch import Epoch
from cdc.postgres import slot
from cdc.shadow.store import Shadow
from cdc.stream import Stream

PUBLISHED: Final = "published"
AFTER_KAFKA: Final = "after-kafka"
AFTER_COMMIT: Final = "after-commit"
IN_TRANSACTION: Final = "in-transaction"
SLOT_DROPPED: Final = "slot-dropped"
SLOT_MADE: Final = "slot-made"
RANGE: Final = "range"


class Countdown:
    """Ends the process when it was called so often."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.left = number

    def __call__(self) -> None:
        self.left -= 1
        if self.left == 0:
            die()


def die() -> None:
    """End at once: no handler runs, nothing is flushed. Or be told to end."""
    number = signal.Signals[os.environ.get("FAULTY_SIGNAL", "SIGKILL")]
    patience.IN_HAND = 0.0  # type: ignore[misc]  # a fast machine would finish any transaction
    os.kill(os.getpid(), number)
    assert number != signal.SIGKILL, "SIGKILL came back"


def published(count: Countdown) -> None:
    """Die after events were handed over."""
    publish = Epoch.publish

    def wrapped(self: Epoch, made: Any) -> None:
        publish(self, made)
        count()

    Epoch.publish = wrapped  # type: ignore[method-assign]  # that is what faults are made of


def around_commit(count: Countdown, *, before: bool) -> None:
    """Die beside the commit of an epoch in which something was published."""
    commit, publish = Shadow.commit, Epoch.publish
    unsafe = False

    def wrapped_publish(self: Epoch, made: Any) -> None:
        nonlocal unsafe
        publish(self, made)
        unsafe = True

    def wrapped_commit(self: Shadow) -> None:
        nonlocal unsafe
        if unsafe and before:
            count()
        commit(self)
        if unsafe and not before:
            count()
        unsafe = False

    Epoch.publish = wrapped_publish  # type: ignore[method-assign]  # likewise
    Shadow.commit = wrapped_commit  # type: ignore[method-assign]  # likewise


def in_transaction(count: Countdown) -> None:
    """Die inside a transaction that has so many messages."""
    handle = Stream.handle

    def wrapped(self: Stream, frame: Any) -> bool:
        wanted = handle(self, frame)
        if self.in_transaction:
            count()
        else:
            count.left = count.number
        return wanted

    Stream.handle = wrapped  # type: ignore[method-assign]  # likewise


def after(module: Any, name: str) -> Callable[[Countdown], None]:
    """Die behind a function of a module."""

    def arm(count: Countdown) -> None:
        act = getattr(module, name)

        def wrapped(*args: Any, **named: Any) -> Any:
            found = act(*args, **named)
            count()
            return found

        setattr(module, name, wrapped)

    return arm


POINTS: Final[dict[str, Callable[[Countdown], None]]] = {
    PUBLISHED: published,
    AFTER_KAFKA: lambda count: around_commit(count, before=True),
    AFTER_COMMIT: lambda count: around_commit(count, before=False),
    IN_TRANSACTION: in_transaction,
    SLOT_DROPPED: after(slot, "drop"),
    SLOT_MADE: after(slot, "create"),
    RANGE: after(readiness, "take_over"),
}

if __name__ == "__main__":
    point, number, *command = sys.argv[1:]
    POINTS[point](Countdown(int(number)))
    sys.exit(main(command))
