from __future__ import annotations

import json
import time
from typing import Any

import pytest

from schemas.document import NotShown, Read
from schemas.domain import (
    BadDomain,
    Context,
    OwnFilter,
    check,
    compile_domain,
    implied_reads,
    parse,
    reads,
    unfit,
)
from schemas.domain.forms import Domain, Term
from schemas.domain.patterns import lower, matcher
from schemas.event import Document
from schemas.fields import Field, Kind, Model, Models
from schemas.shaping import build
from tests.documents import MODELS, behind, order, record, shape_of

NESTED: Any = []
for _ in range(5_000):
    NESTED = [NESTED]
TITLE = json.dumps({"en_US": "Desk", "fr_FR": "Bureau", "de_DE": ""})


def matches(value: Any, stored: dict[str, Any] | None = None, **settings: Any) -> bool:
    """Ask a domain about order 42, of the shape that shows exactly what the domain reads."""
    domain = parse(value)
    shape = shape_of(reads(domain))
    return compile_domain(domain, shape, Context(**settings))(order(shape, **(stored or {})))


def of_lines(value: Any, *lines: dict[str, Any]) -> bool:
    """Ask a domain about an order with these lines."""
    domain = parse(value)
    shape = shape_of(reads(domain))
    below = behind(shape, "order_line")
    parts = [record(below, place, **line) for place, line in enumerate(lines, 1)]
    return compile_domain(domain, shape, Context())(order(shape, order_line=parts))


# --- reading what is written


@pytest.mark.parametrize(
    ("written", "same"),
    [
        pytest.param("[]", [], id="nothing"),
        pytest.param("[('state', '=', 'sale')]", [["state", "=", "sale"]], id="a tuple"),
        pytest.param(
            "['|', ('locked', '=', True), ('name', '=', None)]",
            ["|", ["locked", "=", True], ["name", "=", False]],
            id="names of Python",
        ),
        pytest.param("[('id', 'in', (1, 2))]", [["id", "in", [1, 2]]], id="a tuple of values"),
        pytest.param(" [ (1, '=', 1) ] ", [[1, "=", 1]], id="blanks around"),
        pytest.param(
            r"[('name', 'like', 'A\_1')]", [["name", "like", "A\\_1"]], id="no escape of Python"
        ),
    ],
)
def test_a_python_literal_says_the_same_as_a_list(written: str, same: Any) -> None:
    assert parse(written) == parse(same)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(
            [["name", "=", "a"], ["state", "=", "b"]],
            ["&", ["name", "=", "a"], ["state", "=", "b"]],
            id="no operator between terms is and",
        ),
        pytest.param([["name", "<>", "a"]], [["name", "!=", "a"]], id="<> is !="),
        pytest.param([["name", "=", ["a"]]], [["name", "in", ["a"]]], id="= of a list is in"),
        pytest.param([["name", "!=", ["a"]]], [["name", "not in", ["a"]]], id="!= of a list"),
        pytest.param([["name", "=", None]], [["name", "=", False]], id="null is False"),
        pytest.param(["!", "!", ["name", "=", "a"]], [["name", "=", "a"]], id="not twice"),
    ],
)
def test_what_means_the_same_is_parsed_to_the_same(one: Any, other: Any) -> None:
    assert parse(one) == parse(other)
    assert hash(parse(one)) == hash(parse(other))


def test_a_prefix_takes_the_operands_that_follow_it_and_the_rest_is_and_ed() -> None:
    domain = ["|", ["state", "=", "a"], "&", ["state", "=", "b"], ["name", "=", "x"]]

    assert matches(domain, {"state": "a", "name": "y"})
    assert matches(domain, {"state": "b", "name": "x"})
    assert not matches(domain, {"state": "b", "name": "y"})
    assert not matches([*domain, ["name", "!=", "y"]], {"state": "a", "name": "y"})


@pytest.mark.parametrize(
    ("written", "message", "hint"),
    [
        pytest.param([["a", "==", 1]], '"=="', 'mean "="', id="two signs"),
        pytest.param([["a", "IN", [1]]], '"IN"', 'mean "in"', id="upper case"),
        pytest.param([["a", "not  like", "x"]], "no operator", 'mean "not like"', id="blanks"),
        pytest.param([["a", "iliek", "x"]], "no operator", 'mean "ilike"', id="misspelt"),
        pytest.param([["a", "~", "x"]], "no operator", "Known: ", id="nothing like it"),
        pytest.param([["a", 5, "x"]], "no operator", "Known: ", id="a number as operator"),
        pytest.param([["a", "="]], "no term", '["state", "=", "sale"]', id="two elements"),
        pytest.param([["a", "=", 1, 2]], "no term", "", id="four elements"),
        pytest.param(["|", ["a", "=", 1]], "stands before two terms", "two", id="one operand"),
        pytest.param(["!"], "stands before a term", "a term", id="no operand"),
        pytest.param(["&", "|", ["a", "=", 1], ["a", "=", 2]], '"&"', "", id="outer operand"),
        pytest.param(["or", ["a", "=", 1]], '"or"', '"|"', id="a word of Python"),
        pytest.param(["a", "=", 1], "is a term", '[["a", "=", 1]]', id="a term alone"),
        pytest.param([[["a", "=", 1]]], "no term", "", id="one list too many"),
        pytest.param("[('a', '=', uid)]", "name uid", "id of a user", id="uid"),
        pytest.param("[('a', '<', context_today())]", "context_today", "", id="a call"),
        pytest.param("[('a', '=', true)]", "name true", "Write True", id="true of YAML"),
        pytest.param("[('a', '=', ", "no Python literal", "[('state'", id="half a literal"),
        pytest.param("", "no Python literal", "", id="an empty text"),
        pytest.param("[('a', '=', 1 + 'x')]", "no Python literal", "", id="a sum"),
        pytest.param("(" * 5_000, "no Python literal", "", id="very deep"),
        pytest.param("'a'", "no list", "", id="a text"),
        pytest.param({"a": 1}, "no list", '[["state"', id="a mapping"),
        pytest.param({("a",): 1}, "a dict", "", id="a mapping that is no JSON"),
        pytest.param(NESTED, "a list", "", id="lists in lists"),
        pytest.param(None, "no list", "", id="nothing"),
        pytest.param([["a", "in", 3]], "takes a list", '["a", "in", [3]]', id="in a number"),
        pytest.param([["a", ">", [1]]], "one value", "each value", id="more than a list"),
        pytest.param([["a", "ilike", ["x"]]], "one value", "", id="like a list"),
        pytest.param([["a", ">", False]], "False", '["a", "=", false]', id="more than False"),
        pytest.param([["a", "=like", False]], "False", "", id="a pattern of False"),
        pytest.param([["a", "ilike", True]], "True", "", id="like True"),
        pytest.param([["a", "=", {"x": 1}]], "cannot be compared", "", id="a mapping as value"),
        pytest.param([["a", "=", float("nan")]], "cannot be compared", "", id="not a number"),
        pytest.param([["a", "=", 2**63]], "cannot be compared", "", id="a number too large"),
        pytest.param([["a", "in", [[1]]]], "cannot be compared", "", id="a list of lists"),
        pytest.param([["a", "any", 1]], "takes a domain", '"any", [[', id="any of a number"),
        pytest.param([["a", "any", [["b", "="]]]], "no term", "", id="wrong inside any"),
        pytest.param([["a.", "=", 1]], "no field", "partner_id.country_id", id="half a path"),
        pytest.param([["", "=", 1]], "no field", "", id="no path"),
        pytest.param([[None, "=", 1]], "no field", "", id="null as path"),
        pytest.param([[1, "=", 2]], "two numbers", '[0, "=", 1]', id="other constants"),
        pytest.param(["&", "|"] * 200 + [["a", "=", 1]] * 401, "deep", "`in`", id="deep"),
    ],
)
def test_what_is_no_domain_is_refused_with_a_remedy(written: Any, message: str, hint: str) -> None:
    with pytest.raises(BadDomain) as caught:
        parse(written)

    assert message in str(caught.value)
    assert hint in caught.value.hint
    assert caught.value.hint


def test_a_chain_of_a_thousand_alternatives_is_not_deep() -> None:
    domain = ["|"] * 999 + [["name", "=", str(number)] for number in range(1000)]

    assert matches(domain, {"name": "999"})
    assert not matches(domain, {"name": "1000"})


def test_a_long_term_is_cut_in_messages() -> None:
    with pytest.raises(BadDomain) as caught:
        parse([["name", "~", "x" * 1000]])

    assert len(str(caught.value)) < 200


# --- the record's own fields, as Odoo compares them


@pytest.mark.parametrize(
    ("term", "stored", "expected"),
    [
        pytest.param(["name", "=", "a"], "a", True, id="text equal"),
        pytest.param(["name", "=", "A"], "a", False, id="letter case counts"),
        pytest.param(["name", "=", False], "", True, id="text False is empty"),
        pytest.param(["name", "=", ""], None, True, id="text empty is null"),
        pytest.param(["name", "!=", "a"], None, True, id="text unlike takes null"),
        pytest.param(["name", "!=", False], None, False, id="text unlike False drops null"),
        pytest.param(["name", "in", ["a", False]], None, True, id="in with False takes null"),
        pytest.param(["name", "not in", ["a"]], None, True, id="not in takes null"),
        pytest.param(["name", "not in", ["a", ""]], None, False, id="not in with empty"),
        pytest.param(["name", "in", []], None, False, id="in nothing"),
        pytest.param(["name", "not in", []], None, True, id="not in nothing"),
        pytest.param(["name", ">", "B"], "a", True, id="text by code points"),
        pytest.param(["name", "<", "a"], "É", False, id="accents after ascii"),
        pytest.param(["name", "<", "z"], None, False, id="text null is not less"),
        pytest.param(["name", ">=", "a"], None, False, id="text null is not more"),
        pytest.param(["state", "=", False], "", False, id="selection False is null only"),
        pytest.param(["state", "=", False], None, True, id="selection null"),
        pytest.param(["priority", "=", 0], None, True, id="integer 0 is null"),
        pytest.param(["priority", "!=", 0], None, False, id="integer unlike 0"),
        pytest.param(["priority", "!=", 5], None, True, id="integer unlike 5 takes null"),
        pytest.param(["priority", "<", 1], None, True, id="integer null is less than 1"),
        pytest.param(["priority", ">", 0], None, False, id="integer null is not more than 0"),
        pytest.param(["priority", "=", "5"], 5, True, id="integer as text"),
        pytest.param(["priority", "=", 5.0], 5, True, id="integer as float"),
        pytest.param(["priority", "like", 2], 123, True, id="integer like its text"),
        pytest.param(["priority", "not like", 2], None, True, id="integer unlike takes null"),
        pytest.param(["amount_total", "=", 12.5], "12.50", True, id="numeric by value"),
        pytest.param(["amount_total", "=", 0.1], "0.10", True, id="numeric of a float"),
        pytest.param(["amount_total", "in", [1, "100"]], "1E+2", True, id="numeric in"),
        pytest.param(["amount_total", ">", 9], "10.0", True, id="numeric is no text"),
        pytest.param(["amount_total", "<=", 0], None, True, id="numeric null is 0"),
        pytest.param(["amount_total", ">", 1], "NaN", True, id="numeric NaN is above all"),
        pytest.param(["amount_total", "<", 1], "NaN", False, id="numeric NaN is not less"),
        pytest.param(["amount_total", "=", 1], "Infinity", False, id="numeric infinity"),
        pytest.param(["amount_total", "like", ".50"], "12.50", True, id="numeric like"),
        pytest.param(["rate", "=", 0.3], 0.1 + 0.2, False, id="float is double precision"),
        pytest.param(["rate", "=", False], 0.0, True, id="float False is 0"),
        pytest.param(["rate", ">", 1], float("nan"), True, id="float NaN is above all"),
        pytest.param(["locked", "=", False], None, True, id="boolean null is false"),
        pytest.param(["locked", "!=", True], None, True, id="boolean unlike true"),
        pytest.param(["locked", "=", 1], True, True, id="boolean 1"),
        pytest.param(["locked", "in", [True, False]], None, True, id="boolean in both"),
        pytest.param(["locked", "not in", [False]], None, False, id="boolean not in"),
        pytest.param(["validity_date", "=", False], None, True, id="date null"),
        pytest.param(["validity_date", "!=", "2026-03-31"], None, True, id="date unlike"),
        pytest.param(["validity_date", "<", "2026-04-01"], "2026-03-31", True, id="date before"),
        pytest.param(["validity_date", "<", "2026-04-01"], None, False, id="date null before"),
        pytest.param(["validity_date", "like", "2026-03"], "2026-03-31", True, id="date like"),
        pytest.param(["validity_date", ">", "2026-04-01"], "infinity", True, id="date infinity"),
        pytest.param(["validity_date", "<", "0001-01-01"], "-infinity", True, id="and below"),
        pytest.param(["validity_date", "<", "0001-01-01"], "0044-03-15 BC", True, id="date BC"),
        pytest.param(["validity_date", ">", "9999-12-31"], "12026-01-01", True, id="date late"),
        pytest.param(["signature", "=", False], None, True, id="binary null"),
        pytest.param(["signature", "!=", False], b"", True, id="binary not null"),
        pytest.param(["id", "=", 42], None, True, id="id"),
        pytest.param(["id", "=", False], None, False, id="id is never null"),
        pytest.param(["id", "<", "43"], None, True, id="id less"),
    ],
)
def test_a_stored_value_is_compared_as_odoo_does(
    term: list[Any], stored: Any, *, expected: bool
) -> None:
    values = {} if term[0] == "id" else {term[0]: stored}

    assert matches([term], values) is expected


@pytest.mark.parametrize(
    ("operator", "value", "stored", "expected"),
    [
        pytest.param(">", "9999-12-31", "infinityZ", True, id="infinity"),
        pytest.param("<", "0001-01-01", "-infinityZ", True, id="infinity below"),
        pytest.param("<", "0001-01-01", "0044-03-15T12:00:00 BCZ", True, id="before Christ"),
        pytest.param(">", "9999-12-31", "10000-01-01T00:00:00Z", True, id="after 9999"),
        pytest.param(">", "2026-03-01", "2026-03-01T23:59:59Z", False, id="after a day"),
        pytest.param(">", "2026-03-01", "2026-03-01T23:59:59.5Z", True, id="its last moment"),
        pytest.param("<=", "2026-03-01", "2026-03-01T23:59:59Z", True, id="until a day's end"),
        pytest.param("<=", "2026-03-01", "2026-03-01T23:59:59.5Z", False, id="not its fraction"),
        pytest.param(">=", "2026-03-01", "2026-03-01T00:00:00Z", True, id="from a day on"),
        pytest.param("<", "2026-03-01", "2026-03-01T00:00:00Z", False, id="before a day"),
        pytest.param("=", "2026-03-01", "2026-03-01T00:00:00Z", True, id="a day is midnight"),
        pytest.param("=", "2026-03-01", "2026-03-01T10:00:00Z", False, id="and nothing else"),
        pytest.param("in", ["2026-03-01"], "2026-03-01T00:00:00Z", True, id="in a list too"),
        pytest.param("=", "2026-03-01 10:00:00", "2026-03-01T10:00:00Z", True, id="a blank"),
        pytest.param("=", "2026-03-01T10:00", "2026-03-01T10:00:00Z", True, id="no seconds"),
        pytest.param("=", "2026-03-01T10:00:00.500", "2026-03-01T10:00:00.5Z", True, id="zeros"),
        pytest.param(">", "2026-03-01 10:00:00", "2026-03-01T10:00:00.05Z", True, id="fraction"),
        pytest.param("<", "2026-03-01 10:00:00.5", "2026-03-01T10:00:00.45Z", True, id="digits"),
        pytest.param("<", "2026-03-01 10:00:00.5", "2026-03-01T10:00:00Z", True, id="none"),
        pytest.param("like", "01 10:", "2026-03-01T10:00:00Z", True, id="like Postgres' text"),
        pytest.param("<", "2027-01-01", None, False, id="null"),
    ],
)
def test_a_moment_is_compared_in_utc(
    operator: str, value: Any, stored: str | None, *, expected: bool
) -> None:
    assert matches([["date_order", operator, value]], {"date_order": stored}) is expected


@pytest.mark.parametrize(
    ("lang", "value", "expected"),
    [
        pytest.param("fr_FR", "Bureau", True, id="its language"),
        pytest.param("fr_FR", "Desk", False, id="not another one"),
        pytest.param("it_IT", "Desk", True, id="missing falls back"),
        pytest.param("de_DE", "Desk", False, id="empty does not fall back"),
        pytest.param("de_DE", False, True, id="empty is empty"),
    ],
)
def test_a_translated_text_is_compared_in_the_language(
    lang: str, value: Any, *, expected: bool
) -> None:
    shape = shape_of([Read("name")], "crm.tag")
    asked = compile_domain(parse([["name", "=", value]]), shape, Context(lang=lang))

    assert asked(record(shape, 1, name=TITLE)) is expected


@pytest.mark.parametrize("stored", [None, '"text"', "{}", '{"en_US": null}'])
def test_a_translated_text_that_is_missing_is_empty(stored: str | None) -> None:
    shape = shape_of([Read("name")], "crm.tag")
    document = record(shape, 1, name=stored)

    assert compile_domain(parse([["name", "=", False]]), shape, Context(lang="fr_FR"))(document)
    assert compile_domain(parse([["name", "not ilike", "x"]]), shape, Context(lang="fr_FR"))(
        document
    )


# --- patterns


@pytest.mark.parametrize(
    ("operator", "value", "stored", "expected"),
    [
        pytest.param("like", "b", "abc", True, id="inside"),
        pytest.param("like", "B", "abc", False, id="letter case"),
        pytest.param("ilike", "B", "abc", True, id="no letter case"),
        pytest.param("ilike", "élan", "ÉLAN", True, id="accents have capitals"),
        pytest.param("ilike", "elan", "ÉLAN", False, id="accents count"),
        pytest.param("like", "a_c", "xabcx", True, id="any letter"),
        pytest.param("like", r"a\_c", "abc", False, id="an escaped letter"),
        pytest.param("like", r"50\%", "50% off", True, id="an escaped percent"),
        pytest.param("like", "a%c", "a\nb\nc", True, id="over line breaks"),
        pytest.param("like", ".", "abc", False, id="a dot is a dot"),
        pytest.param("like", "%", None, False, id="a wildcard takes no null"),
        pytest.param("like", "", None, True, id="empty takes all"),
        pytest.param("not like", "", "abc", False, id="not empty takes none"),
        pytest.param("not ilike", "B", None, True, id="not like takes null"),
        pytest.param("not ilike", "B", "abc", False, id="not like"),
        pytest.param("=like", "a%", "abc", True, id="from the start"),
        pytest.param("=like", "b%", "abc", False, id="only from the start"),
        pytest.param("=like", "a%b%c", "abbc", True, id="several pieces"),
        pytest.param("=like", "a%bc", "abcbc", True, id="the last piece at the end"),
        pytest.param("=like", "a", "a\n", False, id="a line break at the end counts"),
        pytest.param("=ilike", "A_c", "abc", True, id="any letter, any case"),
        pytest.param("=ilike", "a%", None, False, id="null"),
        pytest.param("=like", "", "", True, id="an empty pattern"),
        pytest.param("=like", "", None, False, id="an empty pattern takes no null"),
    ],
)
def test_a_pattern_is_matched_as_postgres_does(
    operator: str, value: str, stored: str | None, *, expected: bool
) -> None:
    assert matches([["name", operator, value]], {"name": stored}) is expected


def test_small_letters_are_postgres_own() -> None:
    assert lower("ΟΔΟΣ İ É") == "οδοσ i é"


def test_a_pattern_with_many_wildcards_takes_no_time_to_fail() -> None:
    asked = matcher("%a" * 30 + "%b", ignore_case=False)
    began = time.monotonic()

    assert not asked("a" * 20_000)
    assert time.monotonic() - began < 2


# --- negation


@pytest.mark.parametrize(
    ("term", "stored", "expected"),
    [
        pytest.param(["priority", ">", 5], None, True, id="number: null stays 0"),
        pytest.param(["validity_date", ">", "2026-01-01"], None, False, id="date: null stays out"),
        pytest.param(["name", "ilike", "x"], None, True, id="like becomes not like"),
        pytest.param(["name", "=ilike", "x%"], None, False, id="=ilike is unknown"),
        pytest.param(["name", "=ilike", "x%"], "abc", True, id="=ilike of a value"),
        pytest.param(["name", "=?", "x"], None, False, id="=? is unknown"),
        pytest.param(["name", "=?", "x"], "abc", True, id="=? of a value"),
        pytest.param(["name", "=?", False], "abc", False, id="=? of nothing is true"),
        pytest.param(["partner_id", "=?", 7], None, False, id="=? of a relation is unknown"),
        pytest.param(["partner_id", "=", 7], None, True, id="= of a relation becomes !="),
        pytest.param(["date_order", "<=", "2026-03-01"], "2026-03-01T12:00:00Z", False, id="day"),
        pytest.param([1, "=", 1], None, False, id="all becomes none"),
        pytest.param([0, "=", 1], None, True, id="none becomes all"),
    ],
)
def test_not_makes_a_term_its_opposite(term: list[Any], stored: Any, *, expected: bool) -> None:
    values = {} if isinstance(term[0], int) else {term[0]: stored}

    assert matches(["!", term], values) is expected


def test_not_swaps_and_and_or() -> None:
    one, other = ["state", "=", "a"], ["name", "=", "x"]

    for values in ({"state": s, "name": n} for s in ("a", "b", None) for n in ("x", "y", None)):
        negated = ["!", "|", one, other]
        assert matches(negated, values) is matches(["!", one, "!", other], values)
        negated = ["!", "&", one, other]
        assert matches(negated, values) is matches(["|", "!", one, "!", other], values)


# --- relations


def _partner(shape: Any, **values: Any) -> Document:
    return record(behind(shape, "partner_id"), 7, **values)


@pytest.mark.parametrize(
    ("term", "exists", "expected"),
    [
        pytest.param(["partner_id", "=", 7], True, True, id="its id"),
        pytest.param(["partner_id", "=", 8], True, False, id="another id"),
        pytest.param(["partner_id", "!=", 8], False, True, id="unlike takes none"),
        pytest.param(["partner_id", "=", False], False, True, id="none"),
        pytest.param(["partner_id", "=", 0], False, True, id="0 is none"),
        pytest.param(["partner_id", "!=", False], True, True, id="some"),
        pytest.param(["partner_id", "in", [8, False]], False, True, id="in with False"),
        pytest.param(["partner_id", "in", [7]], True, True, id="in"),
        pytest.param(["partner_id", "not in", [7]], False, True, id="not in takes none"),
        pytest.param(["partner_id.ref", "=", "A"], True, True, id="a path"),
        pytest.param(["partner_id.ref", "=", False], False, False, id="a path needs its target"),
        pytest.param(["partner_id.ref", "!=", "B"], False, False, id="an unlike path too"),
        pytest.param(["partner_id.ref", "!=", "B"], True, True, id="an unlike path"),
        pytest.param(["partner_id.id", "=", 7], True, True, id="the id at a path's end"),
        pytest.param(["partner_id", "any", [["ref", "=", "A"]]], True, True, id="any"),
        pytest.param(["partner_id", "any", []], False, False, id="any needs its target"),
        pytest.param(["partner_id", "not any", [["ref", "=", "A"]]], False, True, id="not any"),
        pytest.param(["partner_id.ref", "=?", False], False, False, id="=? behind a path"),
    ],
)
def test_a_many2one_is_an_id_or_a_way(term: list[Any], *, exists: bool, expected: bool) -> None:
    domain = parse([term])
    shape = shape_of(reads(domain))
    below = behind(shape, "partner_id")
    shown = {"ref": "A"} if below.column("ref") else {}
    document = order(shape, partner_id=_partner(shape, **shown) if exists else None)

    assert compile_domain(domain, shape, Context())(document) is expected


def test_not_before_a_path_is_true_where_nothing_is_behind_it() -> None:
    assert matches(["!", ["partner_id.ref", "=", "A"]])
    assert matches(["!", ["partner_id.ref", "!=", "A"]])
    assert not matches(["!", "!", ["partner_id.ref", "=", "A"]])


@pytest.mark.parametrize(
    ("term", "ids", "expected"),
    [
        pytest.param(["order_line", "=", 1], 2, True, id="linked to it"),
        pytest.param(["order_line", "!=", 1], 0, True, id="not linked to it"),
        pytest.param(["order_line", "in", [2, 9]], 2, True, id="linked to one of them"),
        pytest.param(["order_line", "not in", [2]], 2, False, id="linked to none of them"),
        pytest.param(["order_line", "=", False], 0, True, id="no link"),
        pytest.param(["order_line", "!=", False], 1, True, id="some link"),
        pytest.param(["order_line", "in", [9, False]], 0, False, id="False in a list is ignored"),
        pytest.param(["order_line", "not in", []], 0, True, id="not in nothing"),
    ],
)
def test_a_list_of_records_is_asked_for_its_links(
    term: list[Any], ids: int, *, expected: bool
) -> None:
    assert of_lines([term], *[{}] * ids) is expected


def test_two_paths_may_be_satisfied_by_two_records_but_any_needs_one() -> None:
    lines = {"name": "a", "sequence": 1}, {"name": "b", "sequence": 2}
    terms = [["name", "=", "a"], ["sequence", "=", 2]]

    assert of_lines([[f"order_line.{path}", op, value] for path, op, value in terms], *lines)
    assert not of_lines([["order_line", "any", terms]], *lines)
    assert of_lines([["order_line", "not any", terms]], *lines)


def test_an_unlike_path_asks_for_some_other_record_and_not_for_none_alike() -> None:
    lines = {"name": "a"}, {"name": "b"}

    assert of_lines([["order_line.name", "!=", "a"]], *lines)
    assert not of_lines(["!", ["order_line.name", "=", "a"]], *lines)
    assert not of_lines([["order_line.name", "!=", "a"]])


# --- fields that read through others


def _product(value: Any, title: str | None, *, template: bool) -> bool:
    domain = parse(value)
    shape = shape_of(reads(domain), "product.product")
    below = behind(shape, "product_tmpl_id")
    document = record(shape, 1, product_tmpl_id=record(below, 2, name=title) if template else None)
    return compile_domain(domain, shape, Context())(document)


@pytest.mark.parametrize(
    ("term", "through_the_field", "through_the_path"),
    [
        pytest.param(["=", "Desk"], False, False, id="a value"),
        pytest.param(["=", False], True, False, id="empty"),
        pytest.param(["!=", "Desk"], True, False, id="unlike"),
        pytest.param(["!=", False], False, False, id="not empty"),
        pytest.param(["in", ["x", False]], True, False, id="in with False"),
        pytest.param(["not in", ["x"]], True, False, id="not in"),
        pytest.param(["not in", ["x", False]], False, False, id="not in with False"),
        pytest.param(["not ilike", "x"], True, False, id="not like"),
        pytest.param([">", "x"], False, False, id="more"),
    ],
)
def test_a_related_field_is_empty_where_its_path_is_broken(
    term: list[Any], *, through_the_field: bool, through_the_path: bool
) -> None:
    assert _product([["name", *term]], None, template=False) is through_the_field
    assert _product([["product_tmpl_id.name", *term]], None, template=False) is through_the_path


def test_a_related_field_is_read_through() -> None:
    assert _product([["name", "=", "Desk"]], TITLE, template=True)
    assert _product(["!", ["name", "=", "Chair"]], TITLE, template=True)
    assert not _product([["name", "=", False]], TITLE, template=True)


def test_not_before_a_pattern_of_a_related_field_is_refused() -> None:
    with pytest.raises(BadDomain, match="read from another record") as caught:
        _product(["!", ["name", "=like", "D%"]], TITLE, template=True)

    assert "product_tmpl_id.name" in caught.value.hint


# --- archived records


def _tagged(value: Any, *, active: bool | None, active_test: bool) -> bool:
    domain = parse(value)
    extra = implied_reads(domain, MODELS, "sale.order", Context(), active_test=active_test)
    shape = shape_of([*reads(domain), *extra])
    below = behind(shape, "tag_ids")
    values = {"active": active} if below.column("active") else {}
    names = {"name": TITLE} if below.column("name") else {}
    document = order(shape, tag_ids=[record(below, 3, **values, **names)])
    return compile_domain(domain, shape, Context(), active_test=active_test)(document)


def test_archived_records_behind_a_list_are_seen_unless_active_test() -> None:
    path = [["tag_ids.name", "=", "Desk"]]

    assert _tagged(path, active=False, active_test=False)
    assert not _tagged(path, active=False, active_test=True)
    assert not _tagged(path, active=None, active_test=True)
    assert _tagged(path, active=True, active_test=True)


def test_a_term_about_active_turns_the_filter_off_and_a_link_counts_anyway() -> None:
    assert _tagged([["tag_ids.active", "=", False]], active=False, active_test=True)
    assert _tagged([["tag_ids", "=", 3]], active=False, active_test=True)


@pytest.mark.parametrize(
    ("domain", "active_test", "expected"),
    [
        pytest.param([], False, True, id="archived records are records"),
        pytest.param([], True, False, id="active_test drops them"),
        pytest.param([["active", "in", [True, False]]], True, True, id="unless active is named"),
        pytest.param([["parent_id.active", "=", True]], True, False, id="a path names another"),
    ],
)
def test_archived_records_match_unless_active_test(
    domain: Any, *, active_test: bool, expected: bool
) -> None:
    parsed = parse(domain)
    shape = shape_of([*reads(parsed), Read("active")], "res.partner")
    values: dict[str, Any] = {"active": False}
    if shape.link("parent_id"):
        values["parent_id"] = record(behind(shape, "parent_id"), 1, active=True)

    found = compile_domain(parsed, shape, Context(), active_test=active_test)

    assert found(record(shape, 7, **values)) is expected


def test_active_test_reads_active_where_odoo_looks_at_it() -> None:
    domain = parse([["tag_ids.name", "=", "x"], ["partner_id.active", "=", True]])

    def archived(domain: Domain, model: str) -> list[Read]:
        return implied_reads(domain, MODELS, model, Context(), active_test=True)

    assert archived(domain, "sale.order") == [Read("tag_ids.active", asked=True)]
    assert archived(parse([]), "res.partner") == [Read("active", asked=True)]


# --- what it reads, and what cannot be answered


def test_every_path_is_read_once_in_the_order_written() -> None:
    domain = parse(
        [
            "|",
            ["state", "=", "sale"],
            "!",
            ["partner_id", "in", [7]],
            ["order_line", "any", [["product_id.default_code", "!=", False], [1, "=", 1]]],
            ["state", "!=", "cancel"],
        ]
    )

    assert reads(domain) == [
        Read("state", asked=True),
        Read("partner_id", asked=True),
        Read("order_line", asked=True),
        Read("order_line.product_id.default_code", asked=True),
    ]


@pytest.mark.parametrize(
    ("term", "message", "remedy"),
    [
        pytest.param(["stat", "=", 1], 'no field "stat"', "state", id="no such field"),
        pytest.param(["partner_id.cod", "=", 1], "res.partner", "Write", id="none alike"),
        pytest.param(["margin", "=", 1], "no column", "stored", id="computed"),
        pytest.param(["user_id", "ilike", "x"], "names", "user_id.name", id="name search"),
        pytest.param(["user_id", "=", "x"], "names", "name_fields", id="name"),
        pytest.param(
            ["partner_id", "in", ["x", 7]], "only texts", "complete_name", id="text and id"
        ),
        pytest.param(["partner_id", "=?", "x"], "only texts", "complete_name", id="=? of a name"),
        pytest.param(["tag_ids", "in", ["x"]], "names", "tag_ids.name", id="names"),
        pytest.param(["partner_id", ">", 1], "no order", "in", id="order of relations"),
        pytest.param(["partner_id", "in", [0]], "no id", "false", id="0 in a list"),
        pytest.param(["tag_ids", "=", 0], "no id", "false", id="0 of a list of records"),
        pytest.param(["partner_id", "=", True], "no id", "ids", id="true of a relation"),
        pytest.param(["analytic", "=", False], "JSON", "Leave", id="json"),
        pytest.param(["signature", "=", "x"], "binary", "content", id="binary content"),
        pytest.param(["signature", "like", "x"], "no text", "Compare", id="binary like"),
        pytest.param(["rate", "like", "x"], "no text", "Compare", id="float like"),
        pytest.param(["locked", ">", 0], "no order", "=", id="order of booleans"),
        pytest.param(["locked", "=", "yes"], "boolean", "true or false", id="boolean text"),
        pytest.param(["name", "=", 5], "char", "quotes", id="number for a text"),
        pytest.param(["name", "=", True], "char", "quotes", id="true for a text"),
        pytest.param(["name", "like", 5.5], "digits", "5.5", id="float in a pattern"),
        pytest.param(["name", "=like", "x\\"], "pattern", "backslash", id="open escape"),
        pytest.param(["priority", "=", 2.5], "integer", "whole", id="half for an integer"),
        pytest.param(["priority", "=", "2.0"], "integer", "whole", id="text of a half"),
        pytest.param(["priority", "=", True], "integer", "whole", id="true for an integer"),
        pytest.param(["amount_total", ">", "x"], "monetary", "number", id="text for a number"),
        pytest.param(["validity_date", "<", "2026-02-30"], "date", "2026", id="no such day"),
        pytest.param(["validity_date", "<", "yesterday"], "date", "2026", id="no day"),
        pytest.param(["date_order", "<", "2026-02-03 25:00"], "datetime", "UTC", id="no hour"),
        pytest.param(["date_order", "<", 2026], "datetime", "UTC", id="a year"),
        pytest.param(["date_order.month", "=", 3], "nowhere", "month_number", id="no part"),
        pytest.param(["name.month_number", "=", 3], "nowhere", '"name".', id="no date"),
        pytest.param(["date_order.hour_number.x", "=", 3], "nowhere", "", id="after a part"),
        pytest.param(
            ["date_order.hour_number", "=", False], "false", "date_order", id="part of nothing"
        ),
        pytest.param(["date_order.hour_number", "in", [1, None]], "false", "date", id="or none"),
        pytest.param(
            ["date_order.hour_number", "=", "x"], "never", "number", id="text for a part"
        ),
        pytest.param(["date_order.day_of_week", "=", "1.5"], "never", "number", id="half a day"),
        pytest.param(["date_order.hour_number", "in", []], "empty list", "leave", id="no parts"),
        pytest.param(["date_order.hour_number", "like", "1"], "number", '"in"', id="part alike"),
        pytest.param(["date_order.hour_number", "=?", 1], "number", '"in"', id="optional part"),
        pytest.param(["date_order.hour_number", "any", []], "none", "Compare", id="any of a part"),
        pytest.param(["name", "any", []], "none", "Compare", id="any of a text"),
        pytest.param(["external_id", "=", "x"], "no field", "ids", id="no field of Odoo's"),
        pytest.param(["key", "=", "x"], "no field", "ids", id="key"),
    ],
)
def test_what_documents_cannot_answer_is_a_fault_with_a_remedy(
    term: list[Any], message: str, remedy: str
) -> None:
    [fault] = check(parse([["state", "=", "sale"], term]), MODELS, "sale.order", Context())

    assert message in fault.message
    assert fault.message.startswith(json.dumps(term))
    assert remedy in fault.remedy
    assert fault.key == "[1]"


def test_every_fault_is_told_those_inside_any_too() -> None:
    inside = [["nam", "=", "x"], ["price_unit", "=", "x"]]
    faults = check(
        parse([["order_line", "any", inside], ["x", "=", 1]]), MODELS, "sale.order", Context()
    )

    assert [fault.key for fault in faults] == ["[0][2][0]", "[0][2][1]", "[1]"]


def test_a_model_that_is_not_there_is_one_fault() -> None:
    [fault] = check(parse([["a", "=", 1], ["b", "=", 2]]), MODELS, "sale.ordr", Context())

    assert "sale.ordr" in fault.message
    assert "sale.order" in fault.remedy


def test_a_shape_without_the_path_does_not_show_it() -> None:
    shape = shape_of([Read("name"), Read("partner_id.name")])

    for path in ("state", "partner_id.ref", "user_id.login", "name.x"):
        with pytest.raises(NotShown):
            compile_domain(parse([[path, "=", "x"]]), shape, Context())


def tree_of_partners(**more: Field) -> Models:
    """Return partners with a parent and children."""
    plain = {"name": "char", "active": "boolean", "complete_name": "char", "email": "char"}
    kinds = {"char": Kind.TEXT, "boolean": Kind.BOOLEAN}
    fields = {name: Field(name, each, kinds[each], stored=True) for name, each in plain.items()}
    parent = Field("parent_id", "many2one", relation="res.partner", stored=True)
    children = Field(
        "child_ids", "one2many", relation="res.partner", inverse="parent_id", stored=True
    )
    fields |= {"parent_id": parent, "child_ids": children, **more}
    return Models({"res.partner": Model("res.partner", "res_partner", fields)})


def of_partner(written: Any, context: Context, **stored: Any) -> bool:
    """Ask a domain about a partner, of the shape that shows what it reads and implies."""
    models, domain = tree_of_partners(), parse(written)
    implied = implied_reads(domain, models, "res.partner", context)
    shape = build(models, "res.partner", [*reads(domain), *implied])
    assert not check(domain, models, "res.partner", context)
    return compile_domain(domain, shape, context)({"id": 7, **stored})


@pytest.mark.parametrize(
    ("filters", "active", "expected"),
    [
        pytest.param({}, False, False, id="built in: archived ones are not looked at"),
        pytest.param({}, True, True, id="built in: others are"),
        pytest.param(
            {"res.partner.child_ids": OwnFilter()}, False, True, id="the file says otherwise"
        ),
        pytest.param(
            {"res.partner.child_ids": OwnFilter(parse([["name", "!=", "x"]]))},
            True,
            False,
            id="the file says more",
        ),
    ],
)
def test_a_path_sees_what_its_field_shows(
    filters: dict[str, OwnFilter], *, active: bool, expected: bool
) -> None:
    child = {"id": 8, "name": "x", "active": active}

    for written in (
        [["child_ids.name", "=", "x"]],
        [["child_ids", "any", [["name", "=", "x"]]]],
    ):
        assert of_partner(written, Context(filters=filters), child_ids=[child]) is expected


def test_ids_of_a_list_are_compared_whatever_its_field_shows() -> None:
    child = {"id": 8, "name": "x", "active": False}

    assert of_partner([["child_ids", "=", 8]], Context(), child_ids=[child])
    assert not of_partner([["child_ids", "=", False]], Context(), child_ids=[child])


NAMED = Context(names={"res.partner": ("complete_name", "email")})


@pytest.mark.parametrize(
    ("term", "expected"),
    [
        pytest.param(["ilike", "azu"], True, id="in one of the names"),
        pytest.param(["ilike", "@b"], True, id="in another"),
        pytest.param(["=", "Azure"], True, id="exactly"),
        pytest.param(["=", "Azu"], False, id="not exactly"),
        pytest.param(["in", ["a@b", "x"]], True, id="one of some"),
        pytest.param(["not ilike", "azu"], False, id="a negative one that is met"),
        pytest.param(["not ilike", "x"], True, id="a negative one"),
        pytest.param(["!=", "Azure"], False, id="unlike"),
        pytest.param(["=ilike", "azure"], True, id="a pattern"),
        pytest.param(["ilike", False], True, id="nothing is in every name"),
    ],
)
def test_a_text_is_searched_in_the_names_of_records(term: list[Any], *, expected: bool) -> None:
    parent = {"id": 1, "complete_name": "Azure", "email": "a@b"}

    assert of_partner([["parent_id", *term]], NAMED, parent_id=parent) is expected


@pytest.mark.parametrize(
    ("term", "expected"),
    [(["ilike", "x"], False), (["not ilike", "x"], True), (["!=", "x"], True)],
)
def test_who_is_linked_to_nobody_has_no_name(term: list[Any], *, expected: bool) -> None:
    assert of_partner([["parent_id", *term]], NAMED, parent_id=None) is expected
    assert of_partner(["!", ["parent_id", "ilike", "x"]], NAMED, parent_id=None)


def test_a_not_before_a_pattern_of_names_is_refused() -> None:
    [fault] = check(
        parse(["!", ["parent_id", "=ilike", "x"]]), tree_of_partners(), "res.partner", NAMED
    )

    assert "does not work on names" in fault.message
    assert "not any" in fault.remedy


@pytest.mark.parametrize(
    ("term", "expected"),
    [
        pytest.param(["ilike", "azu"], True, id="in one of the names"),
        pytest.param(["=", "a@b"], True, id="exactly another"),
        pytest.param(["not ilike", "azu"], False, id="not in every name"),
        pytest.param(["not ilike", "x"], True, id="in none"),
        pytest.param(["=ilike", "azure"], True, id="a pattern"),
        pytest.param(["ilike", False], True, id="nothing is in every name"),
    ],
)
def test_a_text_against_display_name_is_searched_in_the_record_s_names(
    term: list[Any], *, expected: bool
) -> None:
    names = {"complete_name": "Azure", "email": "a@b"}

    assert of_partner([["display_name", *term]], NAMED, **names) is expected
    parent = {"id": 1, **names}
    assert of_partner([["parent_id.display_name", *term]], NAMED, parent_id=parent) is expected
    assert not of_partner([["parent_id.display_name", *term]], NAMED, parent_id=None)


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ([["display_name", "=", False]], "only texts"),
        ([["display_name", "<", "x"]], "only texts"),
        ([["display_name", "=?", "x"]], "only texts"),
        ([["display_name", "in", ["x"]]], "a list"),
        ([["parent_id.display_name", "in", ["x"]]], "a list"),
        (["!", ["display_name", "=ilike", "x"]], "does not work"),
        ([["display_name", "any", []]], "only texts"),
        ([["display_name.x", "=", "x"]], "display_name"),
    ],
)
def test_what_odoo_makes_of_no_name_is_refused(written: list[Any], message: str) -> None:
    [fault] = check(parse(written), tree_of_partners(), "res.partner", NAMED)

    assert message in fault.message
    assert fault.remedy


def test_a_display_name_that_the_table_has_is_a_column_like_others() -> None:
    stored = Field("display_name", "char", Kind.TEXT, stored=True)
    shown = Model("crm.tag", "crm_tag", {stored.name: stored})
    models = Models({**MODELS.by_name, "crm.tag": shown})

    assert not check(parse([["display_name", "in", ["x"]]]), models, "crm.tag", Context())


def test_a_domain_s_terms_are_what_was_written() -> None:
    assert parse([["name", "=", "a"]]) == Domain(Term("name", "=", "a"))


def test_a_pattern_of_a_related_field_is_a_fault_only_behind_a_not() -> None:
    related = ["name", "=like", "D%"]

    assert not check(parse([related]), MODELS, "product.product", Context())
    [fault] = check(parse(["!", related]), MODELS, "product.product", Context())
    assert "does not work on name" in fault.message
    assert "product_tmpl_id.name" in fault.remedy


@pytest.mark.parametrize("written", [[["state", "=", 5]], [["name", "=", 5], ["state", "=", 5]]])
def test_a_shape_tells_the_faults_of_what_it_shows(written: list[Any]) -> None:
    [fault] = unfit(parse(written), shape_of([Read("state")]), Context())

    assert fault in check(parse(written), MODELS, "sale.order", Context())
