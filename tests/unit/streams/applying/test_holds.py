"""What no other delivery may work at meanwhile."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from streams.applying.applier import holds
from streams.applying.incoming import Incoming, of
from streams.applying.settings import Model, Settings
from tests.target_messages import key, message, ref

MODEL = "product.template"
RULES = (("default_code",), ("list_price", "categ_id"))


def held(record: int, fields: dict[str, Any], **more: Any) -> frozenset[str]:
    model = Model(MODEL, frozenset(), match=RULES)
    made: Incoming = of(message(MODEL, record, fields, **more))
    return holds(made, _settings({MODEL: model}))


def _settings(models: dict[str, Model]) -> Settings:
    settings = object.__new__(Settings)
    object.__setattr__(settings, "models", models)
    object.__setattr__(settings, "path", Path())
    return settings


def test_a_delivery_holds_its_names() -> None:
    assert held(7, {}, external_id="a.b") == {key(MODEL, 7), "a.b"}


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ({"default_code": "A"}, {"default_code": "A"}, True),
        ({"default_code": "A"}, {"default_code": "B"}, False),
        ({"default_code": None}, {"default_code": None}, False),
        (
            {"list_price": "12.5", "categ_id": ref("product.category", 1)},
            {"list_price": "12.50", "categ_id": {"key": key("product.category", 1)}},
            True,
        ),
        (
            {"list_price": 12.5, "categ_id": {"match": {"name": "x"}}},
            {"list_price": "12.5", "categ_id": {"match": {"name": "y"}}},
            False,
        ),
        ({"list_price": "NaN", "categ_id": [1]}, {"list_price": "sNaN", "categ_id": [1]}, False),
    ],
)
def test_two_that_may_be_the_same_record_hold_the_same(
    one: dict[str, Any], other: dict[str, Any], *, alike: bool
) -> None:
    assert bool(held(1, one) & held(2, other)) is alike
