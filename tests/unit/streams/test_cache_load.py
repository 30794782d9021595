"""What a cache takes over from topics is what the worker that wrote them had."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from schemas.keys import DeliveryId
from schemas.state import State
from streams.cache.layout import Row
from streams.cache.partition import LmdbCache
from streams.chains.item import Item, Terms
from streams.chains.ledger import entry_of
from streams.chains.outcome import Unavailable
from streams.partitions.ports import Chunk, StateTopic, Stored
from tests.core_rig import Rig
from tests.deliveries import a_delivery

NUMBER = 700  # more than go into one change
TERMS = Terms("required", 60.0, (10.0,), "all")
BEGIN = 1_800_000_000.0


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[LmdbCache]:
    made = LmdbCache(tmp_path / "copy", 0)
    yield made
    made.close()


def items(number: int = NUMBER) -> list[Item]:
    return [Item(a_delivery(), TERMS, at, BEGIN + at, due=BEGIN + 2 * at) for at in range(number)]


def stored(item: Item) -> Stored:
    return Stored(item.id.encode(), item.to_json())


@pytest.mark.parametrize("operation", ["create", "update", "leave", "delete"])
@pytest.mark.parametrize(
    ("state", "due"),
    [(State.WAITING, None), (State.WAITING, BEGIN), (State.SENT, BEGIN), (State.ACCEPTED, BEGIN)],
)
def test_a_record_says_where_its_item_stands(
    state: State, due: float | None, operation: str
) -> None:
    delivery = replace(a_delivery(), operation=operation)
    item = Item(delivery, TERMS, 7, BEGIN, state=state, due=due)

    assert Row.read(item.id, item.to_json()) == Row.of(item)


def test_everything_is_taken_over(cache: LmdbCache, tmp_path: Path) -> None:
    kept = items()
    records = [stored(item) for item in kept]
    said = [Stored(item.id.encode(), entry_of(item, None).to_json()) for item in kept]
    cache.load(StateTopic.RETRIES, Chunk(records, 1000))
    cache.load(StateTopic.LEDGER, Chunk(said, 900))
    cache.load(StateTopic.RETRIES, Chunk([Stored(kept[0].id.encode(), None)], 1001))

    with cache.view() as view:
        assert view.item(kept[0].id) is None
        assert [view.item(item.id) for item in kept[1:]] == kept[1:]
        assert [view.entry(item.id) for item in kept] == [entry_of(i, None) for i in kept]
    assert cache.offset(StateTopic.RETRIES) == 1001
    assert cache.offset(StateTopic.LEDGER) == 900

    by_hand = LmdbCache(tmp_path / "by_hand", 0)
    edit = by_hand.edit()
    for item in kept:
        edit.keep(item)
        edit.record(entry_of(item, None))
    edit.forget(kept[0].id)
    edit.commit({})
    with by_hand.view() as one, cache.view() as other:
        for table in ("items", "chains", "active", "heads", "due", "since", "ledger", "touched"):
            assert list(one.scan(table)) == list(other.scan(table)), table
    assert by_hand.counts() == cache.counts()
    by_hand.close()


def test_what_was_read_in_part_is_read_again(cache: LmdbCache) -> None:
    kept = items()
    records = [stored(item) for item in kept]
    torn = [*records[:-1], Stored(kept[-1].id.encode(), b"torn")]

    with pytest.raises(ValueError, match="Expecting value"):
        cache.load(StateTopic.RETRIES, Chunk(torn, NUMBER))

    assert cache.offset(StateTopic.RETRIES) == 0
    cache.load(StateTopic.RETRIES, Chunk(records, NUMBER))
    with cache.view() as view:
        assert len(view.ids("", DeliveryId(""), 2 * NUMBER)) == NUMBER
    assert cache.counts() == {("webshop", "waiting"): NUMBER}


async def test_opening_a_partition_is_seen_to_get_on(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    await rig.begin()
    rig.wso2.down["webshop"] = Unavailable("away")
    await rig.deliver(*(a_delivery() for _ in range(3)))
    other = rig.neighbour("other")

    await other.begin()

    assert other.core.committer.read == len(rig.log.records[StateTopic.RETRIES, 0]) + len(
        rig.log.records[StateTopic.LEDGER, 0]
    )
    await rig.end()
    await other.end()
