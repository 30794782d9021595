from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from schemas import message
from schemas.document import NotShown, Read
from schemas.domain import Context
from schemas.finding import Fault
from schemas.mapping import (
    BadMapping,
    Renderer,
    UnsendableValue,
    Writing,
    changed,
    check,
    compile_mapping,
    parse_fields,
    parse_map,
    reads,
)
from tests.documents import MODELS, behind, order, record, shape_of

NAMES = json.dumps({"en_US": "Desk", "fr_FR": "Bureau", "_src": "x"})


def writing(*, lang: str = "en_US", **settings: Any) -> Writing:
    return Writing("odoo_a", **{"context": Context(lang=lang), **settings})


def renderer(values: dict[str, Any], **settings: Any) -> Renderer:
    """Compile a map for the shape that carries exactly what it reads."""
    mapping = parse_map(values)
    return compile_mapping(mapping, shape_of(reads(mapping)), writing(**settings))


def rendered(value: Any, document: Any = None, **settings: Any) -> Any:
    """Render one value of order 42; `document` makes it from the shape."""
    mapping = parse_map({"x": value})
    shape = shape_of(reads(mapping))
    made = document(shape) if callable(document) else order(shape, **(document or {}))
    return compile_mapping(mapping, shape, writing(**settings)).render(made)["x"]


def faults_of(values: Any) -> list[Fault]:
    with pytest.raises(BadMapping) as caught:
        parse_map(values)
    assert caught.value.hint
    return list(caught.value.faults)


# --- values of the record itself


@pytest.mark.parametrize(
    ("field", "stored", "sent"),
    [
        pytest.param("name", "S00042", "S00042", id="char"),
        pytest.param("name", "", "", id="empty char"),
        pytest.param("name", None, None, id="null char"),
        pytest.param("priority", 5, 5, id="integer"),
        pytest.param("priority", None, None, id="null integer"),
        pytest.param("locked", True, True, id="true"),
        pytest.param("locked", None, False, id="null boolean is false as in Odoo"),
        pytest.param("rate", 0.37, 0.37, id="float"),
        pytest.param("amount_total", "12.50", "12.50", id="monetary keeps its digits"),
        pytest.param("amount_total", None, None, id="null monetary"),
        pytest.param("validity_date", "2026-11-23", "2026-11-23", id="date"),
        pytest.param("date_order", "2026-11-23T10:00:00.5Z", "2026-11-23T10:00:00.5Z", id="time"),
        pytest.param("signature", b"\x00\xff", "AP8=", id="binary is base64"),
        pytest.param("signature", None, None, id="null binary"),
        pytest.param("analytic", '{"1": [true, null]}', {"1": [True, None]}, id="json"),
        pytest.param("analytic", None, None, id="null json"),
    ],
)
def test_a_stored_value_is_sent_in_the_contract_s_json_type(
    field: str, stored: Any, sent: Any
) -> None:
    value = rendered(field, {field: stored})

    assert value == sent
    assert type(value) is type(sent)


def test_numbers_keep_their_digits_where_numbers_are_asked_for() -> None:
    value = rendered("amount_total", {"amount_total": "12.50"}, decimals="number")

    assert isinstance(value, Decimal)
    assert str(value) == "12.50"


def test_the_id_is_a_field_too() -> None:
    assert rendered("id") == 42


def test_the_key_never_changes_and_the_external_id_falls_back_to_it() -> None:
    assert rendered("key") == "odoo_a.sale_order_42"
    assert rendered("external_id") == "odoo_a.sale_order_42"
    assert rendered("external_id", {"_external_id": "wl.order_1"}) == "wl.order_1"


@pytest.mark.parametrize("raw", ["NaN", "Infinity", "-Infinity"])
def test_a_number_that_json_cannot_hold_is_not_sent(raw: str) -> None:
    with pytest.raises(UnsendableValue) as caught:
        rendered("amount_total", {"amount_total": raw})
    assert raw in str(caught.value)
    assert caught.value.hint

    with pytest.raises(UnsendableValue):
        rendered("rate", {"rate": float(raw)})


@pytest.mark.parametrize("raw", ["infinity", "-infinity", "0044-03-15 BC", "12026-11-23"])
def test_a_date_that_iso_8601_has_no_form_for_is_not_sent(raw: str) -> None:
    with pytest.raises(UnsendableValue, match="of the years 1 to 9999") as caught:
        rendered("validity_date", {"validity_date": raw})
    assert raw in str(caught.value)

    moment = f"{raw.replace(' BC', 'T10:00:00 BC')}Z"  # as events have it
    with pytest.raises(UnsendableValue):
        rendered("date_order", {"date_order": moment})


@pytest.mark.parametrize("raw", ["{", "[" * 100_000, "[" * 101 + "]" * 101, '{"a": NaN}', "9" * 9])
def test_json_is_sent_whole_or_refused(raw: str) -> None:
    if raw.isdigit():
        assert rendered("analytic", {"analytic": raw}) == int(raw)
        return
    with pytest.raises(UnsendableValue):
        rendered("analytic", {"analytic": raw})


def test_json_of_a_hundred_levels_is_sent() -> None:
    raw = "[" * 100 + "]" * 100

    assert json.dumps(rendered("analytic", {"analytic": raw})) == raw


def test_json_numbers_of_any_length_keep_their_digits() -> None:
    raw = "[1.10, %s]" % ("7" * 5000)

    first, second = rendered("analytic", {"analytic": raw})

    assert str(first) == "1.10"
    assert format(second, "f") == "7" * 5000


def test_a_message_shows_no_more_of_a_value_than_a_line_holds() -> None:
    with pytest.raises(UnsendableValue) as caught:
        rendered("analytic", {"analytic": "{" + "x" * 10_000})

    assert len(str(caught.value)) < 200


# --- relations


def partner(shape: Any, **values: Any) -> dict[str, Any]:
    return {"partner_id": record(behind(shape, "partner_id"), 7, **values)}


def test_a_many2one_is_its_id_or_null() -> None:
    assert rendered("partner_id", lambda s: order(s, **partner(s))) == 7
    assert rendered("partner_id") is None


def test_a_path_goes_through_many2one_to_any_depth() -> None:
    def french(shape: Any) -> Any:
        country = record(behind(behind(shape, "partner_id"), "country_id"), 75, code="FR")
        return order(shape, **partner(shape, country_id=country))

    path = "partner_id.country_id.code"
    assert rendered(path, french) == "FR"
    assert rendered(path, lambda s: order(s, **partner(s))) is None
    assert rendered(path) is None


def test_a_boolean_of_nobody_is_false() -> None:
    assert rendered("partner_id.active") is False


def lines(shape: Any, *given: dict[str, Any]) -> Any:
    part = behind(shape, "order_line")
    made = [record(part, at, **values) for at, values in enumerate(given, start=1)]
    return order(shape, order_line=made)


def test_an_x2many_is_the_list_of_its_ids_in_the_document_s_order() -> None:
    assert rendered("order_line", lambda s: lines(s, {}, {}, {})) == [1, 2, 3]
    assert rendered("order_line") == []


def test_a_path_through_x2many_is_a_list() -> None:
    value = rendered("order_line.name", lambda s: lines(s, {"name": "b"}, {"name": None}))

    assert value == ["b", None]


def test_a_list_over_nested_x2many_flattens_in_order() -> None:
    def taxed(shape: Any) -> Any:
        tax = behind(behind(shape, "order_line"), "tax_id")
        a, b = (record(tax, n, name=f'{{"en_US": "tax {n}"}}') for n in (1, 2))
        return lines(shape, {"tax_id": [a, b]}, {"tax_id": []}, {"tax_id": [a]})

    assert rendered("order_line.tax_id.name", taxed) == ["tax 1", "tax 2", "tax 1"]


def test_a_list_has_an_element_for_each_record_that_is_there() -> None:
    def one_of_two(shape: Any) -> Any:
        product = record(behind(behind(shape, "order_line"), "product_id"), 9)
        return lines(shape, {"product_id": product}, {"product_id": None})

    assert rendered("order_line.product_id.default_code", one_of_two) == [None]
    assert rendered("order_line.product_id.key", one_of_two) == ["odoo_a.product_product_9"]


def test_a_related_field_reads_through_its_path() -> None:
    def named(shape: Any) -> Any:
        product = behind(behind(shape, "order_line"), "product_id")
        template = record(behind(product, "product_tmpl_id"), 3, name=NAMES)
        return lines(shape, {"product_id": record(product, 9, product_tmpl_id=template)})

    assert rendered("order_line.product_id.name", named) == ["Desk"]


def test_a_path_the_shape_lacks_is_not_shown() -> None:
    with pytest.raises(NotShown):
        compile_mapping(
            parse_map({"x": "partner_id.ref"}),
            shape_of([Read("partner_id.name")]),
            Writing("odoo_a"),
        )


# --- translations


def tags(raw: str | None) -> Any:
    return lambda s: order(s, tag_ids=[record(behind(s, "tag_ids"), 1, name=raw)])


@pytest.mark.parametrize(
    ("value", "lang", "sent"),
    [
        pytest.param("tag_ids.name", "en_US", "Desk", id="the base language"),
        pytest.param("tag_ids.name", "fr_FR", "Bureau", id="the source's language"),
        pytest.param("tag_ids.name", "de_DE", "Desk", id="falls back to en_US"),
        pytest.param({"path": "tag_ids.name", "lang": "fr_FR"}, "en_US", "Bureau", id="one"),
        pytest.param(
            {"path": "tag_ids.name", "lang": "*"},
            "en_US",
            {"en_US": "Desk", "fr_FR": "Bureau"},
            id="all, without Odoo's own notes",
        ),
    ],
)
def test_a_translated_value_is_sent_in_one_language_or_all(
    value: Any, lang: str, sent: Any
) -> None:
    assert rendered(value, tags(NAMES), lang=lang) == [sent]


def test_an_empty_translation_does_not_fall_back() -> None:
    raw = '{"en_US": "Desk", "fr_FR": ""}'

    assert rendered("tag_ids.name", tags(raw), lang="fr_FR") == [""]


@pytest.mark.parametrize("lang", ["fr_FR", "*"])
def test_a_translated_null_is_null(lang: str) -> None:
    assert rendered({"path": "tag_ids.name", "lang": lang}, tags(None)) == [None]


@pytest.mark.parametrize("raw", ["[]", '"Desk"', "oops"])
def test_what_is_no_translation_is_refused(raw: str) -> None:
    with pytest.raises(UnsendableValue):
        rendered("tag_ids.name", tags(raw))


# --- constants, defaults, tables


@pytest.mark.parametrize("constant", [5, "x", None, False, [1, {"a": "b"}]])
def test_a_constant_is_sent_as_written(constant: Any) -> None:
    assert rendered({"value": constant}) == constant


@pytest.mark.parametrize("stored", [None, ""])
def test_a_default_stands_for_null_and_empty(stored: Any) -> None:
    assert rendered({"path": "name", "default": "-"}, {"name": stored}) == "-"


def test_a_default_does_not_stand_for_zero_or_a_value() -> None:
    assert rendered({"path": "priority", "default": 7}, {"priority": 0}) == 0
    assert rendered({"path": "name", "default": "-"}, {"name": "a"}) == "a"


STATES = {"draft": "new", "sale": 2}


def test_a_table_maps_values() -> None:
    assert rendered({"path": "state", "table": STATES}, {"state": "draft"}) == "new"
    assert rendered({"path": "state", "table": STATES}, {"state": "sale"}) == 2


def test_what_a_table_lacks_is_its_else() -> None:
    value = {"path": "state", "table": STATES, "else": None}

    assert rendered(value, {"state": "cancel"}) is None


@pytest.mark.parametrize("stored", ["cancel", None])
def test_what_a_table_without_else_lacks_is_an_error_that_says_what_to_do(stored: Any) -> None:
    with pytest.raises(UnsendableValue) as caught:
        rendered({"path": "state", "table": STATES}, {"state": stored})

    assert f'"x" cannot be sent: {stored!r} is not in its table' in str(caught.value)
    assert "else" in caught.value.hint


def test_a_table_may_name_null_and_a_default_goes_before_it() -> None:
    table = {**STATES, None: "none"}

    assert rendered({"path": "state", "table": table}, {"state": None}) == "none"
    assert rendered({"path": "state", "table": table, "default": "-"}, {"state": None}) == "-"


@pytest.mark.parametrize(
    ("field", "table", "stored"),
    [
        pytest.param("locked", {True: 1, False: 0}, True, id="boolean"),
        pytest.param("priority", {1: 1}, 1, id="integer"),
        pytest.param("priority", {"1": 1}, 1, id="integer, quoted"),
        pytest.param("amount_total", {100: 1}, "100.00", id="monetary by value"),
        pytest.param("rate", {0.5: 1}, 0.5, id="float"),
        pytest.param("name", {7: 1}, "7", id="text that looks like a number"),
        pytest.param("name", {True: 1}, "true", id="text that looks like a boolean"),
    ],
)
def test_a_table_s_key_is_read_as_the_field_s_type(
    field: str, table: dict[Any, Any], stored: Any
) -> None:
    assert rendered({"path": field, "table": table}, {field: stored}) == 1


def test_a_table_works_on_every_value_of_a_list() -> None:
    value = {"path": "order_line.display_type", "table": {"line_note": "note"}, "else": "item"}
    given = [{"display_type": "line_note"}, {"display_type": None}]

    assert rendered(value, lambda s: lines(s, *given)) == ["note", "item"]


# --- each, ref, match


EACH = {"each": "order_line", "map": {"id": "id", "name": "name"}}


def test_each_gives_objects_in_order_of_sequence_then_id_with_nulls_last() -> None:
    given = [{"sequence": None}, {"sequence": 20}, {"sequence": 10}, {"sequence": 10}]

    value = rendered(EACH, lambda s: lines(s, *given))

    assert [part["id"] for part in value] == [3, 4, 2, 1]


def test_each_without_a_sequence_is_in_order_of_id() -> None:
    def tagged(shape: Any) -> Any:
        tag = behind(shape, "tag_ids")
        return order(shape, tag_ids=[record(tag, n, name=None) for n in (3, 1, 2)])

    value = rendered({"each": "tag_ids", "map": {"id": "id", "name": "name"}}, tagged)

    assert [part["id"] for part in value] == [1, 2, 3]


def test_each_keeps_the_parts_that_its_domain_matches() -> None:
    value = {**EACH, "domain": [["display_type", "=", False]]}
    given = [{"display_type": "line_note", "name": "note"}, {"name": "desk"}]

    sent = rendered(value, lambda s: lines(s, *given))

    assert sent == [{"id": 2, "name": "desk"}]


def test_each_nests() -> None:
    inner = {"each": "tax_id", "map": {"tax": "name"}}

    def taxed(shape: Any) -> Any:
        tax = behind(behind(shape, "order_line"), "tax_id")
        return lines(shape, {"tax_id": [record(tax, 1, name='{"en_US": "20%"}')]}, {})

    value = rendered({"each": "order_line", "map": {"id": "id", "taxes": inner}}, taxed)

    assert value == [{"id": 1, "taxes": [{"tax": "20%"}]}, {"id": 2, "taxes": []}]


def test_a_ref_is_key_and_external_id() -> None:
    value = {"ref": "partner_id"}

    assert rendered(value) is None
    assert rendered(value, lambda s: order(s, **partner(s))) == {
        "key": "odoo_a.res_partner_7",
        "external_id": "odoo_a.res_partner_7",
    }
    named = rendered(value, lambda s: order(s, **partner(s, _external_id="base.main_partner")))
    assert named == {"key": "odoo_a.res_partner_7", "external_id": "base.main_partner"}


def test_a_ref_over_x2many_is_a_list() -> None:
    value = rendered(
        {"ref": "tag_ids"}, lambda s: order(s, tag_ids=[record(behind(s, "tag_ids"), 1)])
    )

    assert value == [{"key": "odoo_a.crm_tag_1", "external_id": "odoo_a.crm_tag_1"}]


def test_a_match_is_the_field_values_of_one_record() -> None:
    value = {"match": {"ref": "partner_id.ref", "kind": {"value": "contact"}}}

    assert rendered(value) is None
    assert rendered(value, lambda s: order(s, **partner(s, ref="A1"))) == {
        "match": {"ref": "A1", "kind": "contact"}
    }


def test_a_match_over_x2many_is_a_list() -> None:
    value = rendered({"match": {"name": "tag_ids.name"}}, tags(NAMES))

    assert value == [{"match": {"name": "Desk"}}]


def test_a_match_of_the_record_itself_is_never_null() -> None:
    value = {"match": {"name": "name", "ref": "partner_id.ref"}}

    assert rendered(value, {"name": "S1"}) == {"match": {"name": "S1", "ref": None}}


# --- comparing


def both(
    values: dict[str, Any], before: dict[str, Any], after: dict[str, Any]
) -> tuple[bool, list[str]]:
    """Return whether two states of order 42 compare equal, and the names that changed."""
    compiled = renderer(values)
    shape = shape_of(reads(parse_map(values)))
    old, new = order(shape, **before), order(shape, **after)
    return compiled.compared(old) == compiled.compared(new), changed(compiled, old, new)


@pytest.mark.parametrize(
    ("field", "before", "after"),
    [
        pytest.param("amount_total", "100.0", "100.00", id="numbers by value"),
        pytest.param("locked", None, False, id="null and false"),
        pytest.param("analytic", '{"1": 100.0}', '{"1": 100.00}', id="numbers in json"),
    ],
)
def test_equal_values_are_no_change(field: str, before: Any, after: Any) -> None:
    assert both({"x": field}, {field: before}, {field: after}) == (True, [])


@pytest.mark.parametrize(
    ("value", "before", "after"),
    [
        pytest.param("name", None, "", id="null and empty"),
        pytest.param("analytic", "[1]", "[true]", id="one and true in json"),
        pytest.param({"path": "state", "table": {"a": 1, "b": True}}, "a", "b", id="in a table"),
        pytest.param({"path": "priority", "default": True}, 1, None, id="in a default"),
    ],
)
def test_values_that_differ_in_json_are_a_change(value: Any, before: Any, after: Any) -> None:
    field = value if isinstance(value, str) else value["path"]

    assert both({"x": value}, {field: before}, {field: after}) == (False, ["x"])


def test_changed_names_are_in_map_order() -> None:
    values = {"z": "name", "same": "state", "a": "priority"}

    equal, names = both(values, {"name": "a", "priority": 1}, {"name": "b", "priority": 2})

    assert not equal
    assert names == ["z", "a"]


def renamed(value: Any, *, follow: bool = True, other: bool = False) -> tuple[bool, list[str]]:
    """Rename the partner of an order, or give the order another one."""
    mapping = parse_map({"x": value})
    shape = shape_of(reads(mapping))
    compiled = compile_mapping(mapping, shape, Writing("odoo_a"), follow=follow)
    part = behind(shape, "partner_id")
    old = order(shape, partner_id=record(part, 7, name="a"))
    new = order(shape, partner_id=record(part, 8 if other else 7, name="b"))
    return compiled.compared(old) == compiled.compared(new), changed(compiled, old, new)


def test_a_lookup_that_is_followed_is_a_change() -> None:
    assert renamed("partner_id.name") == (False, ["x"])


@pytest.mark.parametrize(
    "value",
    [
        pytest.param({"path": "partner_id.name", "follow": False}, id="a path"),
        pytest.param({"match": {"n": "partner_id.name"}, "follow": False}, id="a match"),
        pytest.param(
            {"match": {"n": {"path": "partner_id.name", "follow": False}, "m": "name"}},
            id="within",
        ),
    ],
)
def test_a_lookup_that_is_not_followed_says_what_changed_and_sends_nothing(value: Any) -> None:
    followed = [read.path for read in reads(parse_map({"x": value})) if read.follow]

    assert "partner_id.name" not in followed
    assert renamed(value) == (True, ["x"])
    assert renamed(value, other=True) == (False, ["x"])


def test_a_route_that_follows_no_lookups_sends_nothing_for_them() -> None:
    assert renamed("partner_id.name", follow=False) == (True, ["x"])
    assert renamed("partner_id.name", follow=False, other=True) == (False, ["x"])


def test_lines_are_the_record_s_own_and_always_count() -> None:
    mapping = parse_map({"x": "order_line.name"})
    shape = shape_of(reads(mapping))
    compiled = compile_mapping(mapping, shape, Writing("odoo_a"), follow=False)

    old, new = lines(shape, {"name": "a"}), lines(shape, {"name": "b"})

    assert compiled.compared(old) != compiled.compared(new)


# --- masks


@pytest.mark.parametrize(
    ("mask", "stored", "sent"),
    [
        pytest.param("redact", "jo@odoo.example", "***", id="redact"),
        pytest.param("last4", "DE02120300000000202051", "***2051", id="last4"),
        pytest.param("last4", "12345678", "***5678", id="last4, just long enough"),
        pytest.param("last4", "1234567", "***", id="last4, too short to show half of it"),
        pytest.param(
            "hmac",
            "what do ya want for nothing?",
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            id="hmac: RFC 4231, case 2",
        ),
        pytest.param("hmac", None, None, id="null stays null"),
        pytest.param("redact", "", "", id="the empty text stays empty"),
    ],
)
def test_a_mask_hides_a_value(mask: str, stored: Any, sent: Any) -> None:
    value = {"path": "name", "mask": mask}

    assert rendered(value, {"name": stored}, mask_key="Jefe") == sent


def test_law_3_the_key_decides_what_hmac_gives() -> None:
    value = {"path": "name", "mask": "hmac"}
    one, other = (rendered(value, {"name": "a"}, mask_key=key) for key in ("k" * 16, "l" * 16))

    assert one != other
    assert len(one) == 64


def test_numbers_are_masked_as_json_writes_them_and_defaults_are_not() -> None:
    number = {"path": "amount_total", "mask": "last4"}
    missing = {"path": "name", "mask": "redact", "default": "-"}

    assert rendered(number, {"amount_total": "12345.60"}, decimals="number") == "***5.60"
    assert rendered(missing, {"name": None}) == "-"


def test_each_of_a_list_is_masked() -> None:
    def of(shape: Any) -> Any:
        return lines(shape, {"name": "a"}, {"name": None})

    assert rendered({"path": "order_line.name", "mask": "redact"}, of) == ["***", None]


@pytest.mark.parametrize(
    ("mask", "old", "new", "differs"),
    [
        ("redact", "a", "b", False),
        ("redact", "a", None, True),
        ("last4", "11112222", "33332222", False),
        ("hmac", "a", "b", True),
    ],
)
def test_a_change_that_the_mask_hides_sends_nothing(
    mask: str, old: Any, new: Any, *, differs: bool
) -> None:
    equal, names = both({"x": {"path": "name", "mask": mask}}, {"name": old}, {"name": new})

    assert equal is not differs
    assert names == (["x"] if differs else [])


@pytest.mark.parametrize("path", ["partner_id", "analytic", "signature", "order_line"])
def test_law_10_what_no_mask_fits_is_refused(path: str) -> None:
    (fault,) = check(
        parse_map({"x": {"path": path, "mask": "hmac"}}), MODELS, "sale.order", Context()
    )

    assert fault.key == "map.x.mask"
    assert "no mask fits" in fault.message
    assert fault.remedy


def test_law_10_a_masked_value_in_a_match_is_refused() -> None:
    (fault,) = faults_of({"x": {"match": {"n": {"path": "partner_id.ref", "mask": "hmac"}}}})

    assert fault.key == "map.x.match.n"
    assert "finds nothing" in fault.message


# --- what is read


def test_every_path_is_read_those_of_a_domain_below_each_included() -> None:
    mapping = parse_map(
        {
            "a": "partner_id.name",
            "b": {"path": "user_id.login", "follow": False},
            "c": {"value": 1},
            "d": {"ref": "partner_id"},
            "e": {
                "each": "order_line",
                "domain": [["display_type", "=", False]],
                "map": {"p": {"match": {"code": "product_id.default_code"}}},
            },
        }
    )

    assert reads(mapping) == [
        Read("partner_id.name", live=True),
        Read("user_id.login", follow=False, live=True),
        Read("partner_id.external_id"),
        Read("order_line", each=True),
        Read("order_line.display_type", asked=True),
        Read("order_line.product_id.default_code"),
    ]


# --- parsing


def test_fields_are_named_as_their_paths_are_written() -> None:
    mapping = parse_fields(["name", "partner_id.name"])

    assert [entry.name for entry in mapping.entries] == ["name", "partner_id.name"]


@pytest.mark.parametrize(
    ("value", "key"),
    [
        pytest.param("name", "fields", id="no list"),
        pytest.param([], "fields", id="empty"),
        pytest.param(["name", "a b"], "fields[1]", id="no path"),
        pytest.param(["name", 5], "fields[1]", id="a number"),
        pytest.param(["name", "name"], "fields[1]", id="twice"),
        pytest.param([{"value": 5}], "fields[0]", id="a value of a map"),
    ],
)
def test_what_is_no_list_of_paths_is_refused_with_its_place(value: Any, key: str) -> None:
    with pytest.raises(BadMapping) as caught:
        parse_fields(value)

    assert [fault.key for fault in caught.value.faults] == [key]
    assert caught.value.hint


@pytest.mark.parametrize(
    ("value", "key", "says"),
    [
        pytest.param("a b", "", "is no path", id="no path"),
        pytest.param("a..b", "", "is no path", id="an empty step"),
        pytest.param(5, "", "neither a path", id="a number"),
        pytest.param(None, "", "neither a path", id="nothing"),
        pytest.param({"pat": "x"}, "", "no kind", id="a misspelt kind"),
        pytest.param({"path": "x", "value": 1}, "", "exclude", id="two kinds"),
        pytest.param({"path": 7}, ".path", "a path is wanted", id="a path that is a number"),
        pytest.param({"path": "x", "defalt": 1}, ".defalt", "unknown", id="a misspelt key"),
        pytest.param({"path": "x", "mask": "hmca"}, ".mask", "no mask", id="a misspelt mask"),
        pytest.param({"path": "x", "mask": 4}, ".mask", "no mask", id="a number for a mask"),
        pytest.param(
            {"path": "x", "mask": "redact", "table": {"a": "b"}}, ".mask", "exclude", id="masked"
        ),
        pytest.param(
            {"path": "x", "mask": "last4", "lang": "*"}, ".mask", "one value", id="all masked"
        ),
        pytest.param({"path": "x", "company": 0}, ".company", "company's id", id="no company"),
        pytest.param(
            {"path": "x", "company": True}, ".company", "company's id", id="true company"
        ),
        pytest.param({"path": "x", "else": 1}, ".else", "belongs", id="else without table"),
        pytest.param({"path": "x", "table": {}}, ".table", "wanted", id="an empty table"),
        pytest.param({"path": "x", "table": 5}, ".table", "wanted", id="a table of nothing"),
        pytest.param(
            {"path": "x", "table": {"a": float("inf")}}, ".table.a", "JSON", id="infinity"
        ),
        pytest.param({"path": "x", "follow": "no"}, ".follow", "true or false", id="follow"),
        pytest.param({"path": "x", "lang": "French"}, ".lang", "no language", id="language"),
        pytest.param(
            {"path": "x", "lang": "*", "table": {"a": 1}},
            ".table",
            "one value",
            id="all and table",
        ),
        pytest.param({"value": "\ud800"}, ".value", "JSON", id="half a letter"),
        pytest.param({"value": {1: 2}}, ".value", "JSON", id="a number as a name"),
        pytest.param({"each": "x"}, "", "`map` is missing", id="each without map"),
        pytest.param({"each": "x", "map": {}}, ".map", "wanted", id="each of nothing"),
        pytest.param({"each": "x", "map": {"y": 5}}, ".map.y", "neither", id="inside each"),
        pytest.param(
            {"each": "x", "domain": [["a", "="]], "map": {"y": "y"}}, ".domain", "", id="a domain"
        ),
        pytest.param({"ref": "a b"}, ".ref", "is no path", id="ref"),
        pytest.param({"match": {}}, ".match", "wanted", id="an empty match"),
        pytest.param({"match": {"a": {"value": 1}}}, ".match", "path", id="match of constants"),
        pytest.param({"match": {"a": {"ref": "b"}}}, ".match.a", "plain", id="ref in match"),
    ],
)
def test_a_bad_value_is_named_by_its_key_with_a_remedy(value: Any, key: str, says: str) -> None:
    (fault,) = faults_of({"x": value})

    assert fault.key == f"map.x{key}"
    assert says in fault.message
    assert fault.remedy


def test_a_misspelt_kind_or_key_gets_the_nearest_name() -> None:
    found = faults_of({"a": {"pth": "x"}, "b": {"path": "x", "tabel": {}}})

    assert [fault.remedy for fault in found] == ['did you mean "path"?', 'did you mean "table"?']


def test_everything_wrong_is_said_at_once() -> None:
    found = faults_of({"a": 5, 7: "name", "c": {"each": "x", "map": {"d": "e f"}}})

    assert [fault.key for fault in found] == ["map.a", "map.7", "map.c.map.d"]


@pytest.mark.parametrize("value", [None, [], {}, "name"])
def test_what_is_no_map_is_refused(value: Any) -> None:
    assert [fault.key for fault in faults_of(value)] == ["map"]


# --- against the database


def checked(value: Any) -> list[Fault]:
    return check(parse_map({"x": value}), MODELS, "sale.order", Context())


@pytest.mark.parametrize(
    ("value", "key", "says", "remedy"),
    [
        pytest.param("nam", "", 'no field "nam"', '"name"', id="unknown field"),
        pytest.param("partner_id.nme", "", 'no field "nme"', '"name"', id="far unknown field"),
        pytest.param("name.x", "", "leads nowhere", "End the path", id="beyond a value"),
        pytest.param(
            "date_order.month_number", "", "nowhere", '"date_order".', id="part of a date"
        ),
        pytest.param("margin", "", "no column", "stored", id="computed"),
        pytest.param(
            {"path": "name", "company": 1}, ".company", "not depend", "leave", id="of no company"
        ),
        pytest.param({"path": "name", "lang": "fr_FR"}, ".lang", "not translated", "", id="lang"),
        pytest.param(
            {"path": "user_id", "table": {1: 2}},
            ".table",
            "relation",
            "user_id.name",
            id="table",
        ),
        pytest.param(
            {"path": "analytic", "table": {1: 2}}, ".table", "no table fits", "", id="json table"
        ),
        pytest.param(
            {"path": "priority", "table": {"high": 2}}, ".table.high", "never", "", id="no integer"
        ),
        pytest.param({"ref": "name"}, "", "no relation", "", id="ref of a value"),
        pytest.param({"ref": "partner"}, "", "no field", "partner_id", id="ref of nothing"),
        pytest.param({"match": {"a": "name.x"}}, ".match.a", "nowhere", "", id="match of nothing"),
        pytest.param(
            {"each": "partner_id", "map": {"a": "name"}}, ".each", "no list", "", id="each of one"
        ),
        pytest.param(
            {"each": "order_lin", "map": {"a": "name"}}, "", "no field", "order_line", id="each"
        ),
        pytest.param(
            {"each": "order_line", "map": {"a": "nam"}}, ".map.a", "no field", "name", id="within"
        ),
        pytest.param(
            {"each": "order_line", "domain": [["nam", "=", "a"]], "map": {"a": "name"}},
            ".domain[0]",
            "nam",
            "name",
            id="the domain of each",
        ),
    ],
)
def test_what_the_database_lacks_is_named_with_a_remedy(
    value: Any, key: str, says: str, remedy: str
) -> None:
    (fault,) = checked(value)

    assert fault.key == f"map.x{key}"
    assert says in fault.message
    assert remedy in fault.remedy
    assert fault.remedy


def test_a_mapping_that_fits_has_no_faults() -> None:
    mapping = parse_map(
        {
            "a": "name",
            "b": {"path": "state", "table": {"draft": 1, None: 0}},
            "c": {"path": "tag_ids.name", "lang": "*"},
            "d": {"ref": "tag_ids"},
            "e": {"match": {"ref": "partner_id.ref"}},
            "f": {"each": "order_line", "map": {"n": "product_id.name", "k": "key"}},
            "g": "external_id",
        }
    )

    assert check(mapping, MODELS, "sale.order", Context()) == []


COST = "order_line.product_id.standard_price"


def costing(raw: str | None) -> Callable[[Any], Any]:
    """Give order 42 a line with a product of that cost."""

    def made(shape: Any) -> Any:
        product = behind(behind(shape, "order_line"), "product_id")
        return lines(shape, {"product_id": record(product, 1, standard_price=raw)})

    return made


@pytest.mark.parametrize(
    ("raw", "company", "expected"),
    [
        pytest.param('{"1": 235.50, "2": 7}', 1, "235.50", id="the source's company"),
        pytest.param('{"1": 235.50, "2": 7}', 2, "7", id="another company"),
        pytest.param('{"2": 7}', 1, "0.5", id="the default"),
        pytest.param(None, 2, "1", id="the default of that company"),
        pytest.param('{"1": null}', 1, "null", id="null is no default"),
        pytest.param('{"1": false}', 1, "null", id="nor is false"),
        pytest.param('{"1": "6.0"}', 1, "6.0", id="a number as text"),
    ],
)
def test_a_value_of_one_company(raw: str | None, company: int, expected: str) -> None:
    defaults = {"product.product.standard_price": {"*": 0.5, "2": 1}}
    own = {"path": COST} if company == 1 else {"path": COST, "company": company}

    [found] = rendered(own, costing(raw), context=Context(defaults=defaults))

    assert message.encode(found) == expected


def test_a_value_of_a_company_is_compared_as_a_number() -> None:
    made = renderer({"x": COST})
    shape = shape_of(reads(parse_map({"x": COST})))
    one, same, other = (
        costing(raw)(shape) for raw in ('{"1": 5.0}', '{"1": 5.00, "2": 3}', '{"1": 6}')
    )

    assert made.compared(one) == made.compared(same)
    assert made.compared(one) != made.compared(other)


@pytest.mark.parametrize("raw", ['{"1": {}}', '{"1": "x"}', "[1]", '{"1": true}'])
def test_what_is_no_value_of_a_company_is_named(raw: str) -> None:
    with pytest.raises(UnsendableValue, match="holds no float"):
        rendered(COST, costing(raw))
