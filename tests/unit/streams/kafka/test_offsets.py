"""What a group is asked, of a client that is played."""

from __future__ import annotations

from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import OFFSET_INVALID

from streams.kafka import offsets
from streams.kafka.offsets import GroupOffsets


class Played:
    """Answers with no offset at first, as it does when a broker goes away."""

    def __init__(self, *_: object, **__: object) -> None:
        self.asked = 0

    def list_offsets(self, wanted: dict[Any, Any], **_: object) -> dict[Any, Future[Any]]:
        self.asked += 1
        found = {part: Future[Any]() for part in wanted}
        for future in found.values():
            future.set_result(SimpleNamespace(offset=OFFSET_INVALID if self.asked == 1 else 7))
        return found


def test_law_1_no_offset_is_no_end_of_a_partition(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(offsets, "AdminClient", Played)
    asked = GroupOffsets({"bootstrap.servers": "127.0.0.1:9"}, "group")
    try:
        assert asked.bounds([("topic", 0)]) == {("topic", 0): (7, 7)}
    finally:
        asked.close()
