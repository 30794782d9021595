"""Records as the table that `load` takes."""

from __future__ import annotations

from typing import Any, Final

from streams.applying.facts import Fact, Facts
from streams.applying.rows import Rows
from streams.applying.wanted import Line, Lines, Many, Matched, Named, One, Scalar, Wanted

PARTNER: Final = Named("res.partner", ("a.res_partner_7",))
DESK: Final = Matched("product.product", (("default_code", "D"),))
TAX: Final = Named("account.tax", ("a.account_tax_1",))
IDS: Final = {PARTNER: 70, DESK: 80, TAX: 90}
FACTS: Final = {
    "order": [
        Fact("name", "char", translate=True),
        Fact("sale", "boolean"),
        Fact("partner_id", "many2one", relation="res.partner"),
        Fact("lines", "one2many", relation="line", inverse="order_id"),
        Fact("notes", "one2many", relation="note", inverse="order_id"),
    ],
    "line": [
        Fact("sequence", "integer"),
        Fact("product_id", "many2one", relation="product.product"),
        Fact("tax_ids", "many2many", relation="account.tax"),
        Fact("parts", "one2many", relation="note", inverse="line_id"),
    ],
    "note": [Fact("text", "char")],
}


class Told(Facts):
    """Facts that nobody has to be asked for."""

    def __init__(self) -> None:
        self._known = {model: {f.name: f for f in facts} for model, facts in FACTS.items()}


def rows() -> Rows:
    return Rows(Told(), IDS, "fr_FR")


def note(key: str, text: str) -> Line:
    return Line(key, Wanted("note", {"text": Scalar(text)}))


def table(values: dict[str, Any]) -> list[dict[str, str]]:
    made = rows().table([("a.order_1", Wanted("order", values), {})])
    return [
        {name: cell for name, cell in zip(made.columns, row, strict=True) if cell}
        for row in made.rows
    ]


def test_values_are_cells_and_relations_are_ids() -> None:
    found = table(
        {
            "name": Scalar({"en_US": "Order", "fr_FR": "Commande"}),
            "sale": Scalar(False),  # noqa: FBT003  a value
            "partner_id": One(PARTNER),
        }
    )

    assert found == [{"id": "a.order_1", "name": "Commande", "sale": "0", "partner_id/.id": "70"}]


def test_lines_stand_beside_and_below_their_record_with_their_keys_and_places() -> None:
    lines = Lines(
        (
            Line("a.l1", Wanted("line", {"product_id": One(DESK), "tax_ids": Many((TAX,))})),
            Line("a.l2", Wanted("line", {"product_id": One(None), "tax_ids": Many(())})),
        )
    )

    assert table({"sale": Scalar(True), "lines": lines}) == [  # noqa: FBT003  a value
        {
            "id": "a.order_1",
            "sale": "1",
            "lines/id": "a.l1",
            "lines/sequence": "10",
            "lines/product_id/.id": "80",
            "lines/tax_ids/.id": "90",
        },
        {"lines/id": "a.l2", "lines/sequence": "20"},
    ]


def test_two_lists_stand_side_by_side_and_lines_of_lines_below_theirs() -> None:
    parts = Lines((note("a.p1", "one"), note("a.p2", "two")))
    lines = Lines((Line("a.l1", Wanted("line", {"parts": parts})),))
    notes = Lines((note("a.n1", "first"), note("a.n2", "second"), note("a.n3", "third")))

    found = table({"lines": lines, "notes": notes})

    assert [(row.get("lines/parts/text"), row.get("notes/text")) for row in found] == [
        ("one", "first"),
        ("two", "second"),
        (None, "third"),
    ]
    assert [row.get("lines/id") for row in found] == ["a.l1", None, None]


def test_a_line_that_says_its_sequence_keeps_it() -> None:
    line = Line("a.l1", Wanted("line", {"sequence": Scalar(3)}))

    assert table({"lines": Lines((line,))})[0]["lines/sequence"] == "3"


def test_the_columns_of_all_records_are_one_list() -> None:
    made = rows().table(
        [
            ("a.n1", Wanted("note", {"text": Scalar("x")}), {"order_id/.id": "5"}),
            ("a.n2", Wanted("note", {}), {"order_id/.id": "5"}),
        ]
    )

    assert made.columns == ["id", "order_id/.id", "text"]
    assert made.rows == [["a.n1", "5", "x"], ["a.n2", "5", ""]]
