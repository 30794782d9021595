"""How far a reader of partitions says that it came."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from confluent_kafka import KafkaError

from streams.kafka.scan import Reach

PART = ("retries", 0)


@dataclass
class Heard:
    """What librdkafka gives: a record, or the news that a partition ends at this offset."""

    at: int
    end: bool = False

    def topic(self) -> str:
        return PART[0]

    def partition(self) -> int:
        return PART[1]

    def offset(self) -> int:
        return self.at

    def error(self) -> KafkaError | None:
        return KafkaError(KafkaError._PARTITION_EOF) if self.end else None  # noqa: SLF001  its name

    def timestamp(self) -> tuple[int, int]:
        return 1, 0

    def key(self) -> bytes:
        return b"key"

    def value(self) -> bytes:
        return b"value"


def take(reach: Reach, *heard: Any) -> list[int]:
    return [found.offset for found in reach.take(list(heard))]


def test_an_end_before_the_one_that_is_wanted_is_not_taken_for_it() -> None:
    reach = Reach(ends={PART: 10}, at={PART: 5})

    assert take(reach, Heard(5), Heard(6), Heard(7, end=True)) == [5, 6]
    assert (reach.at[PART], reach.open) == (7, {PART})

    assert take(reach, Heard(7), Heard(8), Heard(9)) == [7, 8, 9]
    assert not reach.open


def test_an_end_counts_where_the_last_offsets_hold_no_records() -> None:
    reach = Reach(ends={PART: 10}, at={PART: 5})

    assert take(reach, Heard(5), Heard(10, end=True)) == [5]

    assert (reach.at[PART], reach.open) == (10, set())


def test_what_is_behind_the_end_is_left_out() -> None:
    reach = Reach(ends={PART: 6}, at={PART: 5})

    assert take(reach, Heard(5), Heard(6), Heard(7, end=True)) == [5]

    assert (reach.at[PART], reach.open) == (6, set())
