from __future__ import annotations

import pytest

from streams.kafka.offsets import Place
from streams.queries.expiry import ages, forgetting, warnings

NOW = 1_000_000.0
DAY = 86_400.0
QUEUE = "odoo_a.deliveries.shop"


def place(partition: int = 0, committed: int | None = 5, start: int = 0, end: int = 9) -> Place:
    return Place(QUEUE, partition, committed, start, end)


def test_the_age_of_a_topic_is_that_of_the_oldest_record_in_any_partition() -> None:
    places = [place(0), place(1), place(2)]

    age = ages(places, {(QUEUE, 0): NOW - 60, (QUEUE, 2): NOW - DAY}, NOW)

    assert age == {QUEUE: DAY}


@pytest.mark.parametrize(
    ("age", "kept", "warned"),
    [
        pytest.param(3.4 * DAY, {QUEUE: 7 * DAY}, False, id="before half"),
        pytest.param(3.6 * DAY, {QUEUE: 7 * DAY}, True, id="behind half"),
        pytest.param(99 * DAY, {}, False, id="kept for ever"),
    ],
)
def test_law_1_it_is_a_warning_from_half_of_what_kafka_keeps(
    age: float,
    kept: dict[str, float],
    warned: bool,  # noqa: FBT001  a parameter of the test
) -> None:
    said = list(warnings([place()], {QUEUE: age}, kept))

    assert bool(said) is warned
    assert all(QUEUE in each and "3 d 14 h old" in each and "7 d" in each for each in said)


def test_law_1_a_gap_is_named() -> None:
    (said,) = warnings([place(committed=5, start=7)], {}, {})

    assert "offsets 5 to 6 were removed unread" in said
    assert "exit code 4" in said


def test_what_was_given_up_is_named_before_the_ledger_forgets_it() -> None:
    (said,) = forgetting({"shop": 3}, 7 * DAY)

    assert said.startswith("dead or rejected deliveries to shop older than 3 d 12 h: 3;")
    assert "behind 7 d (topics.retention)" in said
    assert "`odoo-cdc queue --target shop --state dead --state rejected`" in said
