"""Columns of `load` are sorted by what they belong to."""

from __future__ import annotations

import pytest

from embedded.odoo_rpc.importing import Columns, tree
from embedded.odoo_rpc.model import registry
from embedded.odoo_rpc.names import ExternalId


def test_columns_stand_below_the_field_that_they_belong_to() -> None:
    paths = [("id",), ("order_line", "id"), ("order_line", "product_id", "id"), ("name",)]

    found = tree(registry()["sale.order"], paths)

    lines = Columns({"id": 1}, {"product_id": Columns({"id": 2}, {})})
    assert found == Columns({"id": 0, "name": 3}, {"order_line": lines})


@pytest.mark.parametrize("path", [("nmae",), ("order_line", "nmae")], ids="/".join)
def test_a_column_that_is_no_field_is_named(path: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="/".join(path)):
        tree(registry()["sale.order"], [path])


@pytest.mark.parametrize(
    ("text", "module", "name"),
    [("a.b", "a", "b"), ("a.b.c", "a", "b.c"), ("b", "__import__", "b")],
)
def test_an_external_id_has_a_module(text: str, module: str, name: str) -> None:
    assert ExternalId.parse(text) == (module, name)
