"""Writing and reading in one call, and what becomes of that where an Odoo has no such call."""

from __future__ import annotations

from typing import Any

import pytest

from streams.applying.saving import Saving
from streams.odoo.port import Refused


class Session:
    """Notes what it was asked; `refusal` is what it says to `web_save`."""

    user = 2

    def __init__(self, refusal: Refused | None = None) -> None:
        self.refusal = refusal
        self.asked: list[tuple[Any, ...]] = []

    def call(self, model: str, method: str, *args: Any, **options: Any) -> Any:
        self.asked.append((method, *args))
        if method == "web_save" and self.refusal is not None:
            raise self.refusal
        return [{"id": 7, "name": "as it is"}] if method == "web_save" else True


def test_what_is_written_is_read_in_the_same_call() -> None:
    odoo = Session()

    told = Saving(odoo)("res.partner", 7, {"name": "x"}, ["name", "ref"])

    assert told == {"id": 7, "name": "as it is"}
    assert odoo.asked == [("web_save", [7], {"name": "x"}, {"name": {}, "ref": {}})]


def test_an_odoo_without_the_call_is_asked_for_it_once() -> None:
    odoo = Session(Refused("AttributeError", "no such method"))
    saving = Saving(odoo)

    told = [saving("res.partner", 7, {"name": each}, ["name"]) for each in "xy"]

    assert told == [None, None]
    assert [each[0] for each in odoo.asked] == ["web_save", "write", "write"]


def test_a_refusal_is_one() -> None:
    odoo = Session(Refused("UserError", "a line of a confirmed order stays"))

    with pytest.raises(Refused):
        Saving(odoo)("res.partner", 7, {"name": "x"}, ["name"])

    assert [each[0] for each in odoo.asked] == ["web_save"]


def test_where_nothing_is_to_be_told_it_is_a_write() -> None:
    odoo = Session()

    assert Saving(odoo)("res.partner", 7, {"name": "x"}) is None
    assert odoo.asked == [("write", [7], {"name": "x"})]
