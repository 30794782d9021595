"""How much of a record workers may yet read, as they take it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, repeat

from streams.commands.purge import count_not_taken
from streams.kafka.scan import Found, Part

EVENTS: Part = ("src.sale.order", 0)
QUEUE: Part = ("src.deliveries.shop", 0)
BOTH = [Found(*EVENTS, 7, 0.0, b"42", b""), Found(*QUEUE, 3, 0.0, b"chain", b"")]


class Workers:
    """What they have done for good, look by look; the last look stands for all after it."""

    def __init__(self, *looks: tuple[int, int]) -> None:
        self._looks: Iterator[tuple[int, int]] = chain(looks, repeat(looks[-1]))

    def done(self, parts: Iterable[Part]) -> dict[Part, int]:
        events, queue = next(self._looks)
        return {part: {EVENTS: events, QUEUE: queue}[part] for part in parts}


def test_nothing_is_left_once_workers_are_past_all() -> None:
    assert count_not_taken(Workers((7, 3), (8, 3), (8, 4)), BOTH, 60, pause=0) == 0


def test_what_is_taken_while_it_waits_is_not_counted() -> None:
    assert count_not_taken(Workers((7, 3), (8, 3)), BOTH, 0.05, pause=0) == 1


def test_all_is_left_where_nobody_takes_anything() -> None:
    assert count_not_taken(Workers((7, 3)), BOTH, 0, pause=0) == 2
