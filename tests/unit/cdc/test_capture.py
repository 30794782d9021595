"""The loop over parts that are played: what it makes durable, and when."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest

from cdc.capture import Capture
from cdc.epoch import CHANGES
from cdc.parts import Parts
from cdc.patience import Stopped
from cdc.postgres.watch import LeftOut
from cdc.progress import Progress
from cdc.resending.resends import NoResends
from schemas.errors import ServiceUnavailable


class Played:
    """A stream of three frames, an epoch that is due from the first on, and the rest."""

    def __init__(self, *frames: bytes) -> None:
        self.frames = list(frames)
        self.capture: Capture
        self.in_transaction = False
        self.begin = None
        self.caught_up = False
        self.changes = CHANGES
        self.progress = Progress()
        self.watermark = SimpleNamespace(durable=0, status=lambda: (0, 0, 0), received=0)
        self.durable_in_transaction: list[bool] = []
        self.idle = False
        self.kafka_is_slow = False
        self.refuses = False
        self.closed_with: list[int] = []

    # The connection: one frame at a time, as the network may have it.
    def read(self) -> bytes | None:
        if not self.frames:
            self.capture.stop()
            return None
        self.idle = not self.idle
        return self.frames.pop(0) if self.idle else None

    def wait(self, seconds: float) -> None:
        assert seconds > 0 or not self.in_transaction, "a loop that does not rest"

    def send_status(self, *at: int) -> None: ...

    def farewell(self, *at: float) -> None: ...

    def close(self) -> None:
        self.closed_with.append(len(self.frames))

    # The stream.
    def handle(self, frame: bytes) -> bool:
        self.in_transaction = frame != b"commit"
        if self.refuses:
            raise Refused
        if self.kafka_is_slow:
            self.capture.kafka_is_slow()
        return False

    def begin_again(self) -> None: ...

    def on_pulse(self, pulse: object) -> None: ...

    # The epoch.
    def due_in(self, now: float) -> float:
        return 1.0

    def end(self) -> None:
        self.durable_in_transaction.append(self.in_transaction)

    def reset(self) -> None: ...


def capture_of(played: Played, connect: Callable[[int], Any] | None = None) -> Capture:
    part = cast("Any", played)
    marks = SimpleNamespace(idle=False, forget=int)
    played.capture = Capture(
        Parts(
            plan=cast("Any", SimpleNamespace(by_name={})),
            fold=cast("Any", SimpleNamespace()),
            epoch=part,
            stream=part,
            marks=cast("Any", marks),
            backfill=part,
            resends=NoResends(),
            connect=connect or (lambda _: part),
            watch=LeftOut,
            leaves=lambda: False,
        )
    )
    return played.capture


def test_law_1_half_a_transaction_is_never_made_durable() -> None:
    played = Played(b"commit", b"begin", b"row", b"row", b"commit", b"begin", b"commit")

    capture_of(played).run()

    assert played.durable_in_transaction, "nothing was made durable"
    assert not any(played.durable_in_transaction)


def test_a_kafka_that_is_slow_now_and_then_is_not_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cdc.capture._PATIENCE", 0.0)
    played = Played(*[b"commit"] * 5)
    played.kafka_is_slow = True
    played.changes = 0

    capture_of(played).run()

    assert played.closed_with == [0], "it left the server alone before the end"


class Refused(ServiceUnavailable):
    """Somebody must do something first."""

    passing = False


def test_what_does_not_pass_by_itself_ends_it_although_it_was_connected() -> None:
    played = Played(b"commit")
    capture = capture_of(played)
    played.refuses = True

    with pytest.raises(Refused):
        capture.run()


def test_law_4_it_hands_over_between_two_transactions_with_everything_durable() -> None:
    played = Played(b"begin", b"row", b"row", b"commit", b"begin", b"commit")
    capture = capture_of(played)
    played.changes = 0
    handle = played.handle

    def hand_over_in_the_midst(frame: bytes) -> bool:
        if frame == b"row":
            capture.hand_over()
        return handle(frame)

    cast("Any", played).handle = hand_over_in_the_midst

    capture.run()

    assert played.frames == [b"begin", b"commit"], "the next transaction is another's"
    assert played.durable_in_transaction == [False] * len(played.durable_in_transaction) != []
    assert not capture.stopping


def test_law_1_it_waits_for_kafka_before_it_hands_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cdc.capture._PATIENCE", -1.0)
    played = Played()
    capture = capture_of(played)

    capture.hand_over()
    capture.kafka_is_slow()

    capture.stop()
    with pytest.raises(Stopped):
        capture.kafka_is_slow()


def test_law_1_told_to_end_in_a_long_transaction_it_keeps_what_went_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("cdc.patience.IN_HAND", 0.0)
    played = Played(b"commit", b"begin", *[b"row"] * 1_000)
    capture = capture_of(played)
    played.changes = 0
    left: list[int] = []
    cast("Any", played).leave = lambda: left.append(len(played.frames))
    handle = played.handle

    def told_in_the_midst(frame: bytes) -> bool:
        if len(played.frames) == 900:
            capture.stop()
        return handle(frame)

    cast("Any", played).handle = told_in_the_midst

    capture.run()

    assert len(left) == 1
    assert 0 < left[0] <= 900, "it read on to the end"


def test_told_to_end_while_it_connects_it_waits_for_no_answer() -> None:
    played = Played(b"commit")

    def connect(_: int) -> Any:
        capture.stop()
        pytest.fail("it went on")

    capture = capture_of(played, connect)

    capture.run()

    assert capture.stopping
    assert played.frames == [b"commit"]
