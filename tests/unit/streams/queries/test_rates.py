from __future__ import annotations

from schemas.keys import DeliveryId
from schemas.state import State
from streams.chains.ledger import Entry, iso
from streams.queries import rates as queries
from streams.queries.rates import WINDOW
from tests.indexes import Fed

NOW = 1_000_000.0
SINCE = NOW - WINDOW
BEFORE, LATELY = SINCE - 1, NOW - 1
MINUTES = WINDOW / 60


def entry(number: int, state: State, times: dict[State, float], route: str = "orders") -> Entry:
    sequence = f"6743A1F0-{number:016X}-00000001-0000"
    return Entry(
        id=DeliveryId(f"odoo_a/shop/sale.order/{number}/{route}/{sequence}"),
        model="sale.order",
        record=number,
        operation="update",
        state=state,
        final=True,
        order=0,
        times={each.value: iso(at) for each, at in times.items()},
    )


def rates(*entries: Entry, written: float = LATELY) -> dict[str, dict[str, float]]:
    """Return the rates by route."""
    fed = Fed()
    for each in entries:
        fed.entry(each, written)
    said = queries.rates(fed.index.steps(SINCE), [("orders", "shop")])
    return {line["route"]: {k: v for k, v in line.items() if k != "route"} for line in said}


def line(
    queued: float = 0, accepted: float = 0, delivered: float = 0, failed: float = 0
) -> object:
    counts = {"queued": queued, "accepted": accepted, "delivered": delivered, "failed": failed}
    said = {f"{name}_per_minute": round(n / MINUTES, 1) for name, n in counts.items()}
    return {"target": "shop", **said}


def test_a_route_without_deliveries_is_shown_at_rest() -> None:
    assert rates() == {"orders": line()}


def test_every_step_that_was_taken_lately_counts_once_however_often_it_is_written() -> None:
    first = entry(1, State.ACCEPTED, {State.QUEUED: LATELY, State.ACCEPTED: LATELY})
    last = entry(
        1,
        State.DELIVERED,
        {State.QUEUED: LATELY, State.ACCEPTED: LATELY, State.DELIVERED: LATELY},
    )

    assert rates(first, last) == {"orders": line(queued=1, accepted=1, delivered=1)}


def test_a_step_of_before_does_not_count_although_a_later_one_was_written() -> None:
    late = entry(1, State.DELIVERED, {State.QUEUED: BEFORE, State.DELIVERED: LATELY})

    assert rates(late) == {"orders": line(delivered=1)}
    assert rates(late, written=BEFORE) == {"orders": line()}


def test_what_failed_counts_once_and_by_its_own_route() -> None:
    dead = entry(1, State.DEAD, {State.DEAD: LATELY}, "returns")
    rejected = entry(2, State.REJECTED, {State.DEAD: LATELY, State.REJECTED: LATELY}, "returns")

    assert rates(dead, rejected)["returns"] == line(failed=2)
