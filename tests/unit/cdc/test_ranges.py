"""A range at its mark, of a table whose limit has become narrower."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from cdc.engine.fold import Fold
from cdc.engine.plan import RowPlan
from cdc.engine.relations import Relations
from cdc.fitting import Fit, Wanted, begin, go_on
from cdc.loading import RangeRead
from cdc.ranges import follow, take_over
from cdc.selection import EXTERNAL_IDS, flatten
from cdc.shadow.store import Shadow
from schemas.document import Read, Shape
from schemas.fields import Field, Kind, Model, Models
from tests.documents import MODELS, shape_of

NAMES = ("module", "name", "model")
FIELDS = {name: Field(name, "char", Kind.TEXT, stored=True) for name in NAMES}
FIELDS["res_id"] = Field("res_id", "many2one_reference", Kind.INTEGER, stored=True)
KNOWN = Models(MODELS.by_name | {"ir.model.data": Model("ir.model.data", EXTERNAL_IDS, FIELDS)})
NAMED = [Read("name"), Read("external_id")]
ORDER = shape_of(NAMED)
PARTNER = shape_of(NAMED, "res.partner")
ROWS = [
    {"id": "1", "module": "a", "name": "of_order", "model": "sale.order", "res_id": "1"},
    {"id": "2", "module": "a", "name": "of_partner", "model": "res.partner", "res_id": "1"},
]


def wanted(*shapes: Shape) -> Wanted:
    return Wanted(flatten(shapes, KNOWN), KNOWN, {})


def read(shadow: Shadow, fit: Fit) -> None:
    """Read every table to its end, as the database would give it."""
    fold = Fold(fit.plan, shadow, Relations(fit.plan, {}))
    follow(fold, fit.plan, fit.progress)
    while (table := fit.progress.next_table(fit.plan)) is not None:
        rows: list[list[bytes]] = []
        if table.name == EXTERNAL_IDS and isinstance(table, RowPlan):
            only = table.table.only
            found = (row for row in ROWS if row["model"] in only)
            rows = [[row[name].encode() for name in table.read] for row in found]
        range_ = cast("Any", SimpleNamespace(rows=rows, last=None))
        take_over(RangeRead(table, range_), fold, [], fit.progress)
    fit.progress.waiting.clear()


def held(shadow: Shadow, fit: Fit) -> list[int]:
    return [row for row, _ in shadow.rows(fit.plan.by_name[EXTERNAL_IDS].number)]


def test_rows_outside_of_a_narrower_limit_go_when_their_table_is_read_again(
    tmp_path: Path,
) -> None:
    with Shadow(tmp_path) as shadow:
        both = go_on(wanted(PARTNER, ORDER), *begin(wanted(PARTNER, ORDER)))
        read(shadow, both)
        assert held(shadow, both) == [1, 2]

        one = go_on(wanted(PARTNER), both.holding, both.progress)
        assert one.progress.frontiers == {EXTERNAL_IDS: None}
        read(shadow, one)

        assert held(shadow, one) == [2]
