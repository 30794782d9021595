"""Domains as a whole: what is parsed, and that negation keeps SQL's three truth values."""

from __future__ import annotations

from operator import ge, gt, le, lt
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from schemas.domain import BadDomain, Context, compile_domain, parse, reads
from schemas.domain.forms import OPERATORS, OPPOSITES
from schemas.domain.patterns import matcher
from tests.documents import order, shape_of

TEXTS = st.sampled_from(["", "a", "ab", "B", "%", "a_", "\\", "é"])
NUMBERS = st.integers(-2, 2)
DAYS = st.sampled_from(["2026-01-01", "2026-02-01", "2026-03-01"])
EMPTY = {"name": "", "ref": "", "priority": 0, "sequence": 0, "locked": False}
NOTHING = st.just(value=False)
SIGNS = {"<": lt, "<=": le, ">": gt, ">=": ge}
ORDERED = ["=", "!=", *SIGNS]


def _terms(path: str, values: st.SearchStrategy[Any], operators: list[str]) -> Any:
    single = st.tuples(st.just(path), st.sampled_from(operators), values)
    optional = st.tuples(st.just(path), st.sampled_from(["=", "!=", "=?"]), NOTHING)
    several = st.tuples(
        st.just(path), st.sampled_from(["in", "not in"]), st.lists(values | NOTHING)
    )
    return single | optional | several


TERMS = (
    _terms("name", TEXTS.filter(lambda text: text != "\\"), [*ORDERED, "=?", "=like", "=ilike"])
    | _terms("name", TEXTS, ["like", "not like", "ilike", "not ilike"])
    | _terms("priority", NUMBERS, [*ORDERED, "=?"])
    | _terms("validity_date", DAYS, [*ORDERED, "=?"])
    | _terms("locked", st.booleans(), ["=", "!=", "=?"])
    | _terms("partner_id", st.integers(1, 2), ["=", "!=", "=?"])
    | _terms("partner_id.ref", TEXTS, [*ORDERED, "like", "not ilike"])
    | _terms("order_line.sequence", NUMBERS, ORDERED)
    | st.sampled_from([(1, "=", 1), (0, "=", 1)])
)
DOMAINS = st.recursive(
    TERMS.map(lambda term: [term]),
    lambda inside: (
        inside.map(lambda one: ["!", *one])
        | st.tuples(st.sampled_from("&|"), inside, inside).map(
            lambda parts: [parts[0], *parts[1], *parts[2]]
        )
    ),
    max_leaves=6,
)
SHAPE = shape_of(
    reads(
        parse(
            [
                [path, "!=", False]
                for path in (
                    *("name", "priority", "validity_date", "locked"),
                    *("partner_id.ref", "order_line.sequence"),
                )
            ]
        )
    )
)
DOCUMENTS = st.builds(
    lambda partner, lines, values: order(
        SHAPE,
        **values,
        partner_id=partner,
        order_line=[{"id": n, "sequence": each} for n, each in enumerate(lines, 1)],
    ),
    st.none() | st.fixed_dictionaries({"id": st.integers(1, 2), "ref": st.none() | TEXTS}),
    st.lists(st.none() | NUMBERS, max_size=3),
    st.fixed_dictionaries(
        {
            "name": st.none() | TEXTS,
            "priority": st.none() | NUMBERS,
            "validity_date": st.none() | DAYS,
            "locked": st.none() | st.booleans(),
        }
    ),
)

ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.binary(max_size=2)
    | st.sampled_from(["&", "|", "!", "name", "partner_id.ref", *sorted(OPERATORS)]),
    lambda inside: (
        st.lists(inside, max_size=4)
        | st.tuples(inside, inside, inside)
        | st.dictionaries(st.text(max_size=2), inside, max_size=2)
    ),
    max_leaves=12,
)


def _matches(domain: Any, document: dict[str, Any]) -> bool:
    return compile_domain(parse(domain), SHAPE, Context())(document)


def _truth(domain: list[Any], document: dict[str, Any]) -> bool | None:
    """Answer as the SQL that Odoo writes does, with its third value, term by term."""
    value, rest = _read(domain, document, negated=False)
    assert not rest
    return value


def _read(
    tokens: list[Any], document: dict[str, Any], *, negated: bool
) -> tuple[bool | None, list[Any]]:
    token, *rest = tokens
    if token == "!":
        return _read(rest, document, negated=not negated)
    if token in ("&", "|"):
        one, rest = _read(rest, document, negated=negated)
        other, rest = _read(rest, document, negated=negated)
        decisive = (token == "|") != negated  # true decides an or, false an and
        if decisive in (one, other):
            return decisive, rest
        return (None if None in (one, other) else not decisive), rest
    return _one(*token, document, negated=negated), rest


def _one(
    path: Any, operator: str, value: Any, document: dict[str, Any], *, negated: bool
) -> bool | None:
    if isinstance(path, int):
        return (path == value) != negated
    head, _, rest = path.partition(".")
    if rest:
        records = document[head] if isinstance(document[head], list) else [document[head]]
        found = [_one(rest, operator, value, each, negated=False) for each in records if each]
        return (True in found) != negated
    if negated and operator in OPPOSITES:
        return _compared(path, OPPOSITES[operator], value, document)
    answer = _compared(path, operator, value, document)
    return answer if answer is None or not negated else not answer


def _compared(path: str, operator: str, value: Any, document: dict[str, Any]) -> bool | None:
    stored = document[path]["id"] if isinstance(document[path], dict) else document[path]
    empty = EMPTY.get(path)
    match operator:
        case "=?":
            return True if value is False else _compared(path, "=", value, document)
        case "=" | "!=" | "in" | "not in":
            values = value if isinstance(value, list) else [value]
            return _among(stored, values, empty, negative=operator in ("!=", "not in"))
        case "<" | "<=" | ">" | ">=":
            if stored is None and empty != 0:
                return None
            order = (stored or 0) if empty == 0 else stored
            return SIGNS[operator](order, value)
        case _:
            return _like_sql(stored, operator, value)


def _like_sql(stored: Any, operator: str, value: Any) -> bool | None:
    negative, wrapped = operator.startswith("not"), not operator.startswith("=")
    if wrapped and (value is False or value == ""):
        return not negative
    if stored is None:
        return True if negative else None
    return _found(operator, f"%{value}%" if wrapped else value, stored) != negative


def _among(stored: Any, values: list[Any], empty: Any, *, negative: bool) -> bool | None:
    takes_null = any(value is False or value == empty for value in values)
    if stored is None:
        if negative:
            return not takes_null
        return True if takes_null else None
    plain = [value for value in values if value is not False]
    return (stored in [*plain, *([empty] if takes_null else [])]) != negative


def _found(operator: str, pattern: str, stored: str) -> bool:
    if operator.endswith("ilike"):
        return _like(pattern.lower(), stored.lower())
    return _like(pattern, stored)


@given(DOMAINS, DOCUMENTS)
def test_a_domain_matches_what_sql_says_is_true(
    domain: list[Any], document: dict[str, Any]
) -> None:
    assert _matches(domain, document) is (_truth(domain, document) is True)
    assert _matches(["!", *domain], document) is (_truth(["!", *domain], document) is True)


@given(DOMAINS, DOMAINS, DOCUMENTS)
def test_de_morgan_s_laws_hold(one: list[Any], other: list[Any], document: dict[str, Any]) -> None:
    for whole, parts in (("&", "|"), ("|", "&")):
        outside = _matches(["!", whole, *one, *other], document)
        assert outside is _matches([parts, "!", *one, "!", *other], document)


@given(DOMAINS, DOCUMENTS)
def test_not_twice_is_nothing(domain: list[Any], document: dict[str, Any]) -> None:
    assert parse(["!", "!", *domain]) == parse(domain)
    assert _matches(["!", "!", *domain], document) is _matches(domain, document)


@given(DOMAINS, DOCUMENTS)
def test_a_domain_and_its_negation_never_both_match(
    domain: list[Any], document: dict[str, Any]
) -> None:
    assert not (_matches(domain, document) and _matches(["!", *domain], document))


@given(st.lists(DOMAINS, max_size=3).map(lambda parts: [each for part in parts for each in part]))
def test_a_list_and_its_python_literal_agree(domain: list[Any]) -> None:
    assert parse(repr(domain)) == parse(domain)
    assert hash(parse(repr(domain))) == hash(parse(domain))


@given(ANYTHING | ANYTHING.map(repr) | st.text())
def test_anything_is_a_domain_or_a_bad_one_and_nothing_else(written: Any) -> None:
    try:
        domain = parse(written)
    except BadDomain as error:
        assert error.hint  # noqa: PT017 - either outcome is right
        str(error).encode()
    else:
        hash(domain)
        reads(domain)


@given(st.text("ab%_\\\n", max_size=8), st.text("ab%_\n\\", max_size=12))
def test_a_pattern_matches_what_trying_every_way_matches(pattern: str, text: str) -> None:
    try:
        found = matcher(pattern, ignore_case=False)(text)
    except ValueError:
        trailing = len(pattern) - len(pattern.rstrip("\\"))
        assert trailing % 2
    else:
        assert found is _like(pattern, text)


def _like(pattern: str, text: str) -> bool:
    if not pattern:
        return not text
    first, rest = pattern[0], pattern[1:]
    if first == "%":
        return any(_like(rest, text[at:]) for at in range(len(text) + 1))
    if first == "\\":
        first, rest = rest[0], rest[1:]
    elif first == "_" and text:
        return _like(rest, text[1:])
    return text[:1] == first and _like(rest, text[1:])
