"""The loop over parts that are played: what it makes durable, and when."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from cdc.capture import Capture, Parts
from cdc.progress import Progress


class Played:
    """A stream of three frames, an epoch that is due from the first on, and the rest."""

    def __init__(self, *frames: bytes) -> None:
        self.frames = list(frames)
        self.capture: Capture
        self.in_transaction = False
        self.caught_up = False
        self.changes = 0
        self.progress = Progress()
        self.watermark = SimpleNamespace(durable=0, status=lambda: (0, 0, 0))
        self.durable_in_transaction: list[bool] = []
        self.idle = False

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

    def close(self) -> None: ...

    # The stream.
    def handle(self, frame: bytes) -> bool:
        self.in_transaction = frame != b"commit"
        self.changes += 1
        return False

    def begin_again(self) -> None: ...

    def on_pulse(self, pulse: object) -> None: ...

    # The epoch.
    full = True

    def due_in(self, now: float) -> float:
        return 0.0

    def end(self) -> None:
        self.durable_in_transaction.append(self.in_transaction)

    def reset(self) -> None: ...


def test_law_1_half_a_transaction_is_never_made_durable() -> None:
    played = Played(b"commit", b"begin", b"row", b"row", b"commit", b"begin", b"commit")
    marks = SimpleNamespace(idle=False, forget=int)
    part = cast("Any", played)
    parts = Parts(
        plan=cast("Any", SimpleNamespace(by_name={})),
        fold=cast("Any", SimpleNamespace()),
        epoch=part,
        stream=part,
        marks=cast("Any", marks),
        backfill=part,
        connect=lambda _: part,
        watch=lambda: None,
    )
    played.capture = Capture(parts)

    played.capture.run()

    assert played.durable_in_transaction, "nothing was made durable"
    assert not any(played.durable_in_transaction)
