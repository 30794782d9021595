"""Lists of objects between two systems that sync to each other: whose line it is, and which go."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import psycopg
import pytest

from streams.applying.answer import BAD_VALUE, CONFLICT, Delivered, Rejected, Retry
from tests.odoo_client import Odoo, Rpc
from tests.target_rig import MODELS, Branch, settings_of, target_yaml

pytestmark = pytest.mark.integration

SALE, LINE, PARTNER, PRODUCT = "sale.order", "sale.order.line", "res.partner", "product.template"
PAST, FUTURE = "2001-01-01T00:00:00Z", "2099-01-01T00:00:00Z"
SYSTEM = "here"
EXACT = MODELS.replace("sale.order.line: {", "sale.order.line: {exact: true, ")

Line = dict[str, Any]


@pytest.fixture
def branch(odoo_rpc: Odoo, module: str, tmp_path: Path) -> Branch:
    text = target_yaml(odoo_rpc, more=f"system: {SYSTEM}\n")
    return Branch(settings_of(tmp_path, text), module)


@pytest.fixture
def exact(odoo_rpc: Odoo, module: str, tmp_path: Path) -> Branch:
    """The same, where a list is all that there is."""
    (tmp_path / "exact").mkdir()
    text = target_yaml(odoo_rpc, more=f"system: {SYSTEM}\n", models=EXACT)
    return Branch(settings_of(tmp_path / "exact", text), module)


@pytest.fixture
def variant(rpc: Rpc, module: str) -> int:
    product = rpc(PRODUCT, "create", {"name": "Desk", "default_code": module, "list_price": 10})
    (number,) = rpc.one(PRODUCT, product, "product_variant_ids")["product_variant_ids"]
    return int(number)


@pytest.fixture
def order(rpc: Rpc, module: str, variant: int) -> int:
    """An order that somebody made here: two lines, with no numbers of their own."""
    partner = rpc(PARTNER, "create", {"name": "Azur", "ref": module})
    lines = [(0, 0, own(variant, name, number)) for number, name in enumerate(("one", "two"), 1)]
    values = {"partner_id": partner, "client_order_ref": "R", "order_line": lines}
    return int(rpc(SALE, "create", values))


def own(variant: int, name: str, quantity: float) -> dict[str, Any]:
    return {"product_id": variant, "name": name, "product_uom_qty": quantity, "price_unit": 5}


def written_by_another(odoo: Odoo, order: int) -> None:
    """Let an order have been written last by one who is not the sync."""
    by = "SELECT id FROM res_users WHERE login = %s"
    written = f"UPDATE sale_order SET write_uid = ({by}) WHERE id = %s"  # noqa: S608  constant
    with psycopg.connect(odoo.dsn) as connection:
        connection.execute(written, (odoo.reader, order))


def ids_of(rpc: Rpc, order: int) -> list[int]:
    return list(rpc.one(SALE, order, "order_line")["order_line"])


def shown(rpc: Rpc, order: int) -> list[tuple[str, float]]:
    rows = rpc(LINE, "read", ids_of(rpc, order), ["name", "product_uom_qty"])
    return [(row["name"], row["product_uom_qty"]) for row in rows]


def line(branch: Branch, number: int, name: str, quantity: float, here: int = 0) -> Line:
    """A line of theirs; `here` is the id of the one that it is here, where it began here."""
    key = branch.key(LINE, number)
    return {
        "key": key,
        "external_id": f"{SYSTEM}.sale_order_line_{here}" if here else key,
        "product_id": {"match": {"default_code": branch.source}},
        "name": name,
        "product_uom_qty": quantity,
        "price_unit": "5.00",
    }


def fields_of(branch: Branch, lines: list[Line], reference: str = "R") -> dict[str, Any]:
    partner = {"match": {"ref": branch.source}}
    return {"partner_id": partner, "client_order_ref": reference, "order_line": lines}


def deliver(  # noqa: PLR0913  what a message says
    branch: Branch,
    order: int,
    lines: list[Line],
    before: list[Line] | None = None,
    *,
    reference: str = "R",
    written: str = FUTURE,
    master: str | None = None,
) -> None:
    """Say what an order that began here is like there; `before` is what it was there."""
    previous = None if before is None else fields_of(branch, before)
    answer = branch.deliver(
        SALE,
        42,
        fields_of(branch, lines, reference),
        external_id=f"{SYSTEM}.sale_order_{order}",
        conflict={"master": master, "written": written, "previous": previous},
    )
    assert answer == Delivered(order) or "ours stands" in getattr(answer, "note", ""), answer


def test_a_line_that_began_here_is_known_when_it_comes_back_and_carries_its_key(
    branch: Branch, rpc: Rpc, order: int
) -> None:
    one, two = ids_of(rpc, order)
    both = [line(branch, 7, "one", 1, one), line(branch, 8, "two", 2, two)]

    deliver(branch, order, [both[0], line(branch, 8, "changed", 3, two)], both)

    assert ids_of(rpc, order) == [one, two]
    assert shown(rpc, order) == [("one", 1.0), ("changed", 3.0)]
    names = rpc.named(branch.source)
    assert names["sale_order_line_7"] == (LINE, one)
    assert names["sale_order_line_8"] == (LINE, two)
    deliver(branch, order, [both[0], line(branch, 8, "changed", 3, two)], both)
    assert branch.wrote == []


def test_their_deletion_of_a_line_that_never_came_back_before_goes_over(
    branch: Branch, rpc: Rpc, order: int
) -> None:
    one, two = ids_of(rpc, order)
    both = [line(branch, 7, "one", 1, one), line(branch, 8, "two", 2, two)]

    deliver(branch, order, both[1:], both)

    assert ids_of(rpc, order) == [two]


def test_a_line_that_moved_to_another_order_is_not_deleted_with_its_former_place(
    branch: Branch, rpc: Rpc, order: int
) -> None:
    one, two = ids_of(rpc, order)
    both = [line(branch, 7, "one", 1, one), line(branch, 8, "two", 2, two)]
    branch.deliver(SALE, 43, fields_of(branch, [line(branch, 9, "other", 1)]))
    answer = branch.deliver(SALE, 43, fields_of(branch, [line(branch, 9, "other", 1), both[0]]))
    assert isinstance(answer, Delivered)

    deliver(branch, order, both[1:], both)

    assert ids_of(rpc, order) == [two]
    assert one in ids_of(rpc, answer.target_id or 0)


def test_a_line_that_was_deleted_here_and_stands_there_is_made_once(
    branch: Branch, rpc: Rpc, order: int
) -> None:
    one, two = ids_of(rpc, order)
    both = [line(branch, 7, "one", 1, one), line(branch, 8, "two", 2, two)]
    rpc(SALE, "write", [order], {"order_line": [(2, one, 0)]})

    deliver(branch, order, both, both, reference="theirs")
    deliver(branch, order, both, both, reference="again")

    assert shown(rpc, order) == [("one", 1.0), ("two", 2.0)]
    assert two in ids_of(rpc, order)


def test_where_a_list_is_exact_what_they_do_not_list_goes(
    exact: Branch, rpc: Rpc, order: int, variant: int
) -> None:
    one, two = ids_of(rpc, order)
    both = [line(exact, 7, "one", 1, one), line(exact, 8, "two", 2, two)]
    rpc(SALE, "write", [order], {"order_line": [(0, 0, own(variant, "unheard of", 4))]})

    deliver(exact, order, both, both, reference="theirs")

    assert ids_of(rpc, order) == [one, two]


def test_what_stands_here_keeps_lines_that_they_have_not_heard_of_and_says_them(
    exact: Branch,
    odoo_rpc: Odoo,
    order: int,
    variant: int,
    caplog: pytest.LogCaptureFixture,
) -> None:
    rpc = odoo_rpc.client()
    one, two = ids_of(rpc, order)
    both = [line(exact, 7, "one", 1, one), line(exact, 8, "two", 2, two)]
    rpc(SALE, "write", [order], {"order_line": [(0, 0, own(variant, "unheard of", 4))]})
    written_by_another(odoo_rpc, order)

    with caplog.at_level(logging.INFO, "streams.applying.conflicts"):
        deliver(exact, order, both[1:], both, written=PAST)

    assert shown(rpc, order) == [("one", 1.0), ("two", 2.0), ("unheard of", 4.0)]
    (said,) = caplog.records
    assert "unheard of" in json.dumps(vars(said)["ours"])
    assert not {name for name in rpc.named(exact.source) if "line" in name}


def test_what_somebody_writes_while_lines_are_read_is_looked_at_first(
    exact: Branch, odoo_rpc: Odoo, rpc: Rpc, order: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = ids_of(rpc, order)
    both = [line(exact, 7, "one", 1, one), line(exact, 8, "two", 2, two)]
    call = exact.session.call

    def interrupted(model: str, method: str, *args: Any, **options: Any) -> Any:
        said = call(model, method, *args, **options)
        if (model, method) == (LINE, "read"):
            written_by_another(odoo_rpc, order)
        return said

    monkeypatch.setattr(exact.session, "call", interrupted)
    fields = fields_of(exact, both, "theirs")
    told = {"master": None, "written": FUTURE, "previous": fields_of(exact, both)}

    answer = exact.deliver(
        SALE, 42, fields, external_id=f"{SYSTEM}.sale_order_{order}", conflict=told
    )

    assert isinstance(answer, Retry)
    assert answer.code == CONFLICT
    assert rpc.one(SALE, order, "client_order_ref")["client_order_ref"] == "R"


def test_who_deletes_a_line_of_what_is_here_knew_of_it_whatever_the_clocks_say(
    exact: Branch, odoo_rpc: Odoo, rpc: Rpc, order: int
) -> None:
    one, two = ids_of(rpc, order)
    both = [line(exact, 7, "one", 1, one), line(exact, 8, "two", 2, two)]
    written_by_another(odoo_rpc, order)

    deliver(exact, order, both[1:], both, written=PAST, master=SYSTEM)

    assert ids_of(rpc, order) == [two]


def test_lines_of_another_form_are_refused(branch: Branch) -> None:
    said = line(branch, 7, "one", 1) | {"external_id": "no name"}

    answer = branch.deliver(SALE, 42, fields_of(branch, [said]))

    assert isinstance(answer, Rejected)
    assert (answer.code, "order_line[0].external_id" in answer.message) == (BAD_VALUE, True)
