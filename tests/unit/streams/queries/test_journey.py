"""What `trace` and `queue` say of a delivery that was replaced."""

from __future__ import annotations

from dataclasses import replace

import pytest

from schemas import acknowledgement
from schemas.acknowledgement import Acknowledgement
from schemas.keys import DeliveryId
from schemas.state import State
from streams.chains.item import Arrival, Item
from streams.chains.ledger import entry_of, seconds
from streams.index.records import Kind
from streams.index.row import Row
from streams.queries.journey import Spot, Traces, steps, to_json
from tests.core_rig import BEGIN, TERMS
from tests.deliveries import a_delivery
from tests.indexes import Fed


def test_a_superseded_delivery_names_what_replaced_it() -> None:
    old, new = a_delivery(record=4), a_delivery(record=4)
    item = replace(Item.of(Arrival(old, 0, 1, TERMS), BEGIN), state=State.SUPERSEDED)
    entry = entry_of(replace(item, why=f"replaced by {new.id}"), None, final=True)
    entry = replace(entry, superseded_by=DeliveryId(new.id)).at(BEGIN + 1, State.SUPERSEDED)

    fed = Fed()
    fed.entry(entry)
    (known,) = fed.index.chain(old.chain)
    traces = Traces(old.id, old.operation, old.time, known)

    assert to_json(traces)["superseded_by"] == new.id
    assert steps(traces)[-1].about == f"replaced by {new.id}"
    assert Row.of_entry(entry).to_json(BEGIN)["why"] == f"replaced by {new.id}"


def test_what_the_target_said_is_told_with_the_step_and_with_the_word() -> None:
    sent = a_delivery(record=5)
    item = replace(Item.of(Arrival(sent, 0, 1, TERMS), BEGIN), state=State.REJECTED)
    entry = entry_of(replace(item, why="rejected by the target: X: no"), None, final=True)
    word = Acknowledgement(sent.id, "rejected", code="X", message="no", target_id="17")

    fed = Fed()
    fed.entry(replace(entry, target_id="17").at(BEGIN + 1, State.REJECTED))
    fed.read(Kind.RESPONSES, sent.chain, acknowledgement.to_json(word), BEGIN + 0.5)
    (known,) = fed.index.chain(sent.chain)

    told = steps(Traces(sent.id, sent.operation, sent.time, known))[-2:]
    assert [(step.what, step.about) for step in told] == [
        ("said", "rejected, X, no, its id is 17"),
        ("rejected", "rejected by the target: X: no; its id is 17"),
    ]


@pytest.mark.parametrize(
    ("cut", "first"),
    [
        pytest.param(0.000035, "committed", id="in the millisecond of its commit"),
        pytest.param(0.0011, "published", id="by a clock that is behind"),
    ],
)
def test_what_is_published_stands_behind_its_commit_as_far_as_kafka_tells(
    cut: float, first: str
) -> None:
    sent = a_delivery(record=6)
    event = Spot("odoo_a.sale.order", 0, 7, seconds(sent.time) - cut)

    told = steps(Traces(sent.id, sent.operation, sent.time, event=event))

    assert told[0].what == first
    assert [step.at for step in told] == sorted(step.at for step in told)
