"""Rendering says the same about the same document, and `changed` agrees with `compared`."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from schemas.document import Shape
from schemas.domain import Context
from schemas.fields import Kind
from schemas.mapping import (
    BadMapping,
    Mapping,
    Writing,
    changed,
    compile_mapping,
    parse_fields,
    parse_map,
    reads,
)
from tests.documents import record, shape_of

VALUES: dict[str, Any] = {
    "name": "name",
    "total": "amount_total",
    "rate": "rate",
    "locked": "locked",
    "analytic": "analytic",
    "signature": "signature",
    "state": {"path": "state", "table": {"a": 1, "b": True, None: "1"}, "else": 0},
    "priority": {"path": "priority", "default": True},
    "partner": {"ref": "partner_id"},
    "country": "partner_id.country_id.code",
    "tags": "tag_ids.name",
    "all_tags": {"path": "tag_ids.name", "lang": "*"},
    "lines": {
        "each": "order_line",
        "domain": [["display_type", "=", False]],
        "map": {
            "key": "key",
            "price": "price_unit",
            "product": {"match": {"code": "product_id.default_code"}},
            "taxes": "tax_id.name",
        },
    },
}
MAPPING = parse_map(VALUES)
SHAPE = shape_of(reads(MAPPING))
RENDERERS = [
    compile_mapping(MAPPING, SHAPE, Writing("odoo_a", Context(lang="fr_FR"), decimals))
    for decimals in ("string", "number")
]

_WORDS = st.sampled_from(["", "a", "b", "é"])
_JSON = st.sampled_from(
    ["null", "1", "true", "1.0", "1.00", '"1"', "[1]", "[true]", '{"1": 100.0}']
)
_TRANSLATED = st.dictionaries(st.sampled_from(["en_US", "fr_FR", "_x"]), _WORDS).map(json.dumps)
_OF_KIND: dict[Kind, st.SearchStrategy[Any]] = {
    Kind.INTEGER: st.integers(-2, 2),
    Kind.BOOLEAN: st.booleans(),
    Kind.FLOAT: st.floats(allow_nan=False, allow_infinity=False),
    Kind.NUMERIC: st.sampled_from(["0", "0.00", "-0.0", "1.5", "1.50", "100"]),
    Kind.TEXT: _WORDS,
    Kind.TRANSLATED: _TRANSLATED,
    Kind.JSON: _JSON,
    Kind.BINARY: st.binary(max_size=3),
}


@st.composite
def documents(draw: st.DrawFn, shape: Shape = SHAPE, record_id: int = 42) -> dict[str, Any]:
    values = {c.name: draw(st.none() | _OF_KIND[c.kind]) for c in shape.columns}
    for link in shape.links:
        if link.many:
            ids = sorted(draw(st.sets(st.integers(1, 4), max_size=2)))
            values[link.name] = [draw(documents(link.shape, each)) for each in ids]
        else:
            values[link.name] = draw(st.none() | documents(link.shape, draw(st.integers(1, 2))))
    return record(shape, record_id, **values)


@given(document=documents(), which=st.integers(0, 1))
def test_law_3_rendering_a_document_again_gives_the_same_fields(
    document: dict[str, Any], which: int
) -> None:
    renderer = RENDERERS[which]
    copy = json.loads(json.dumps(document, default=lambda b: b.hex()))
    copy["signature"] = document["signature"]

    assert repr(renderer.render(document)) == repr(renderer.render(copy))
    assert list(renderer.render(document)) == list(VALUES)
    assert changed(renderer, document, copy) == []


@given(before=documents(), after=documents())
def test_changed_names_are_those_that_do_not_compare_equal(
    before: dict[str, Any], after: dict[str, Any]
) -> None:
    string, number = RENDERERS
    for renderer in RENDERERS:
        pairs = zip(VALUES, renderer.compared(before), renderer.compared(after), strict=True)
        assert changed(renderer, before, after) == [name for name, a, b in pairs if a != b]
    assert changed(string, before, after) == changed(number, before, after)


@given(before=documents(), after=documents())
def test_what_is_rendered_alike_is_not_changed(
    before: dict[str, Any], after: dict[str, Any]
) -> None:
    renderer = RENDERERS[0]
    old, new = renderer.render(before), renderer.render(after)

    for name in changed(renderer, before, after):
        assert repr(old[name]) != repr(new[name])


_KEYS = (
    st.sampled_from(
        [
            "path",
            "value",
            "each",
            "ref",
            "match",
            "map",
            "domain",
            "table",
            "else",
            "default",
            "lang",
        ]
    )
    | st.none()
    | st.integers(0, 1)
)
_LEAVES = st.none() | st.booleans() | st.integers(0, 9) | st.floats()
_ANY = st.recursive(
    _LEAVES | st.sampled_from(["a", "a.b", "a b"]),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(_KEYS, inside, max_size=4),
    max_leaves=12,
)


def refused(parse: Callable[[Any], Mapping], value: Any) -> list[str]:
    """Return the keys of what is wrong, [] where the value is a mapping."""
    try:
        reads(parse(value))
    except BadMapping as error:
        return [fault.key for fault in error.faults] or ["none"]
    return []


@given(_ANY)
def test_any_value_is_a_mapping_or_refused_with_its_place(value: Any) -> None:
    assert all(key.startswith("map") for key in refused(parse_map, value))
    assert all(key.startswith("fields") for key in refused(parse_fields, value))
