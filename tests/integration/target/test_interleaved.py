"""Every delivery three times, chains interleaved, old ones after new ones: the same end."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pytest

from streams.applying.answer import MISSING, Answer, Delivered, Rejected, Retry
from streams.applying.incoming import Incoming, of
from streams.target.applied import Memory, Stale
from tests.odoo_client import Odoo, Rpc
from tests.target_messages import message
from tests.target_rig import Branch, settings_of, target_yaml

pytestmark = pytest.mark.integration

TAG, PARTNER, TEMPLATE, ORDER = (
    "res.partner.category",
    "res.partner",
    "product.template",
    "purchase.order",
)
COPIES: Final = 3
RECORDS: Final = 4  # of each model
CHANGES: Final = 3  # of each record


@pytest.fixture
def start(odoo_rpc: Odoo, tmp_path: Path) -> Any:
    settings = settings_of(tmp_path, target_yaml(odoo_rpc))
    return lambda source: Branch(settings, source)


@pytest.mark.parametrize("seed", range(4))
def test_law_5_three_times_in_any_order_ends_as_once_in_order(
    start: Any, rpc: Rpc, module: str, tmp_path: Path, seed: int
) -> None:
    once, thrice = start(f"{module}_a"), start(f"{module}_b")
    told = list(_told(random.Random(seed), once))  # noqa: S311  dice of a test
    deliver(once, [of(each) for each in told], tmp_path / "once")
    same = [of(each) for each in _told(random.Random(seed), thrice)]  # noqa: S311

    mixed = interleaved(random.Random(~seed), same)  # noqa: S311
    deliver(thrice, mixed, tmp_path / "thrice")

    assert len(mixed) == COPIES * len(told)

    assert state(rpc, thrice) == state(rpc, once)


@pytest.mark.parametrize("seed", range(2))
def test_keys_prevent_doubles_where_what_was_applied_is_lost(
    start: Any, rpc: Rpc, module: str, tmp_path: Path, seed: int
) -> None:
    branch = start(module)
    told = [of(each) for each in _told(random.Random(seed), branch)]  # noqa: S311
    deliver(branch, told, tmp_path / "before")
    first = state(rpc, branch)

    again = interleaved(random.Random(~seed), told)  # noqa: S311
    newest = {(each.chain, each.route): each for each in told}
    deliver(branch, [*again, *newest.values()], tmp_path / "after", thrown_away=True)

    assert set(rpc.named(module)) == set(first)
    assert state(rpc, branch) == first


def interleaved(dice: random.Random, told: list[Incoming]) -> list[Incoming]:
    """Mix chains at random, each first in its order (law 2), and copies anywhere after it."""
    chains: dict[str, list[Incoming]] = {}
    for each in told:
        chains.setdefault(each.chain, []).append(each)
    mixed: list[Incoming] = []
    while chains:
        chain = dice.choice(sorted(chains))
        mixed.append(chains[chain].pop(0))
        if not chains[chain]:
            del chains[chain]
    for each in told:
        for _ in range(COPIES - 1):
            mixed.insert(dice.randint(mixed.index(each) + 1, len(mixed)), each)
    return mixed


def deliver(
    branch: Branch, deliveries: list[Incoming], folder: Path, *, thrown_away: bool = False
) -> None:
    """Deliver as the service does, and again what is to come again, until nothing is.

    Where what was applied is `thrown_away`, every delivery meets an empty memory.
    """
    with closing(Memory(folder)) as memory:
        rest = deliveries
        while rest:
            later: list[Incoming] = []
            for each in rest:
                waits = any(other.chain == each.chain for other in later)
                if waits or not _is_done(branch, memory, each, thrown_away):
                    later.append(each)
            assert len(later) < len(rest), f"nothing moves: {later[0].id}"
            rest = later


def _is_done(branch: Branch, memory: Memory, delivery: Incoming, thrown_away: bool) -> bool:  # noqa: FBT001
    with memory.together():
        begun = memory.begin(delivery)
    if isinstance(begun, Stale):
        return True
    said: Answer = branch.applier.apply(delivery, begun.last)
    with memory.together():
        if isinstance(said, Delivered) and not thrown_away:
            memory.done(delivery, said.target_id)
        else:
            memory.failed(delivery, begun)
    if isinstance(said, Retry):
        assert said.code == MISSING, said
    assert not isinstance(said, Rejected), said
    return isinstance(said, Delivered)


def _told(dice: random.Random, branch: Branch) -> Iterator[dict[str, Any]]:
    """Give what the source says, in the order of its commits: the same for the same dice."""
    numbers = range(1, RECORDS + 1)
    for number in numbers:
        yield _said(branch, TAG, number, {"name": f"tag {number}"})
        fields = {"name": f"product {number}", "default_code": f"{branch.source}-{number}"}
        yield _said(branch, TEMPLATE, number, fields)
    for change in range(CHANGES):
        for number in numbers:
            tags = dice.sample(list(numbers), dice.randint(0, RECORDS))
            people = {
                "name": f"partner {number} {change}",
                "category_id": [branch.ref(TAG, each) for each in sorted(tags)],
            }
            yield _said(branch, PARTNER, number, people)
            lines = dice.sample(range(1, 5), dice.randint(1, 4))
            order = {
                "partner_id": branch.ref(PARTNER, dice.randint(1, RECORDS)),
                "partner_ref": f"order {number} {change}",
                "order_line": [_line(branch, number, each, change) for each in lines],
            }
            yield _said(branch, "sale.order", number, order, target_model=ORDER)
    last = dice.randint(1, RECORDS)
    yield _said(branch, TEMPLATE, last, {"name": f"product {last}"}, operation="leave")


def _line(branch: Branch, order: int, number: int, change: int) -> dict[str, Any]:
    product = 1 + (order + number) % RECORDS
    return {
        "key": branch.key("sale.order.line", 10 * order + number),
        "product_id": {"match": {"default_code": f"{branch.source}-{product}"}},
        "name": f"line {number}",
        "product_qty": number + change,
        "price_unit": "7.50",
    }


def _said(
    branch: Branch, model: str, record: int, fields: dict[str, Any], **more: Any
) -> dict[str, Any]:
    return message(model, record, fields, source=branch.source, **more)


def state(rpc: Rpc, branch: Branch) -> dict[str, Any]:
    """Return what is in Odoo of a source, by key, in words of the source."""
    named = rpc.named(branch.source)
    by_id = {each: name for name, each in named.items()}
    return {
        name: _of(rpc, branch, model, number, by_id) for name, (model, number) in named.items()
    }


def _of(
    rpc: Rpc, branch: Branch, model: str, number: int, by_id: dict[tuple[str, int], str]
) -> Any:
    match model:
        case "res.partner":
            row = rpc.one(model, number, "name", "category_id")
            return row["name"], sorted(by_id[TAG, each] for each in row["category_id"])
        case "purchase.order":
            row = rpc.one(model, number, "partner_ref", "partner_id", "order_line")
            lines = [by_id["purchase.order.line", each] for each in row["order_line"]]
            return row["partner_ref"], by_id[PARTNER, row["partner_id"][0]], lines
        case "purchase.order.line":
            row = rpc.one(model, number, "name", "product_qty", "price_unit", "sequence")
            return {key: value for key, value in row.items() if key != "id"}
        case "product.template":
            row = rpc.one(model, number, "name", "active", "default_code")
            code = str(row["default_code"] or "").removeprefix(branch.source)
            return row["name"], row["active"], code
        case _:
            return rpc.one(model, number, "name")["name"]
