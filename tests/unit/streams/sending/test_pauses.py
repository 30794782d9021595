"""What drains has an end of its own in every partition."""

from __future__ import annotations

import pytest

from schemas.arguments import Subject
from schemas.keys import Chain, DeliveryId, chain_of, delivery_id, partition_of
from streams.chains.pause import Pause
from streams.sending.pauses import Pauses

COUNT = 4
TARGET = Subject("target", "shop")


def chain_in(partition: int) -> Chain:
    chains = (Chain(chain_of("odoo_a", "shop", "sale.order", n)) for n in range(1, 1000))
    return next(chain for chain in chains if partition_of(chain, COUNT) == partition)


def a_delivery(partition: int, sequence: str) -> DeliveryId:
    return DeliveryId(delivery_id(chain_in(partition), "orders", sequence))


def draining(upto: str) -> Pause:
    return Pause(TARGET, 0.0, draining=True, upto=upto)


@pytest.fixture
def pauses() -> Pauses:
    """Three partitions whose queues end at other commits, the last one without any."""
    made = Pauses()
    made.count = COUNT
    for partition, upto in enumerate(("0020", "0010", "")):
        made.load(partition, [draining(upto)])
    return made


@pytest.mark.parametrize(
    ("partition", "sequence", "goes"),
    [
        (0, "0020", True),
        (0, "0021", False),
        (1, "0010", True),
        (1, "0011", False),
        (2, "0001", False),
    ],
)
def test_each_partition_lets_out_what_stood_in_its_own_queue(
    pauses: Pauses, partition: int, sequence: str, *, goes: bool
) -> None:
    assert (pauses.of_id(a_delivery(partition, sequence)) is None) is goes


def test_a_queue_is_read_until_every_partition_has_come_to_what_is_new(pauses: Pauses) -> None:
    for partition in range(3):
        assert not pauses.halts("shop")
        assert pauses.of_id(a_delivery(partition, "0099")) is not None

    assert pauses.halts("shop")
    pauses.load(1, [draining("0100")])  # it drains once more
    assert not pauses.halts("shop")


def test_a_partition_that_is_paused_still_holds_all_of_them(pauses: Pauses) -> None:
    pauses.load(2, [Pause(TARGET, 0.0)])

    assert pauses.halts("shop")
    assert pauses.of_line("shop", "orders") is not None
