"""What is held of a table, in the order of its key, some at a time: it may change meanwhile."""

from __future__ import annotations

from itertools import islice
from typing import Final

from cdc.engine.plan import PairPlan, TablePlan
from cdc.engine.store import Store
from schemas.errors import DataAtRisk

_SOME: Final = 1_000

Key = tuple[int, ...]  # a row's id, or a pair


class ShadowIncomplete(DataAtRisk):
    """An update left a large value alone that the shadow does not hold."""

    hint = (
        "The shadow lacks what the slot has passed: `odoo-cdc capture --recover --yes` reads"
        " everything again, compares it with the shadow and publishes exactly what differs."
    )


def held_behind(store: Store, plan: TablePlan, after: Key | None, most: int = _SOME) -> list[Key]:
    """Return the keys of some rows or pairs behind one, or of the first ones."""
    if isinstance(plan, PairPlan):
        left, right = after or (-1, -1)
        return list(islice(store.entries(plan.left, (left, right)), most))
    (row,) = after or (-1,)
    return [(found,) for found, _ in islice(store.rows(plan.number, row), most)]
