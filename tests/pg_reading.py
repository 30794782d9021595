"""Waits for what Postgres streams."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Final

from cdc.pgoutput import frames
from cdc.postgres.replication import Replication, readable

PATIENCE: Final = 20.0  # seconds until a test gives up; none waits that long


def messages_of(replication: Replication) -> Iterator[bytes]:
    """Yield message after message, waiting for each."""
    deadline = time.monotonic() + PATIENCE
    while True:
        frame = replication.read()
        if frame is None:
            assert time.monotonic() < deadline, "nothing came"
            readable(replication.fileno(), 1)
        elif frame[0] == frames.WAL_DATA:
            yield bytes(frame[frames.PAYLOAD_AT :])


def until(condition: Callable[[], bool], step: Callable[[], object] = lambda: None) -> None:
    """Take steps until the condition holds."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        step()
