"""Domains against the SQL that Odoo would run, on random rows and random domains."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.sql import SQL, Composable, Identifier

from embedded.postgres import Postgres
from schemas.domain import Context, check, compile_domain, implied_reads, parse, reads
from schemas.shaping import build
from tests.odoo_sql import FIELDS, NAMES, TABLES, Search
from tests.recorded import CASES, MODELS, document_of

pytestmark = pytest.mark.integration

ROWS = 14  # of each table
SEEDS = range(6)
ROOTS = ("res.partner", "sale.order", "sale.order.line", "product.template")
TYPES = {
    "boolean": "bool",
    "date": "date",
    "datetime": "timestamp",
    "float": "numeric",
    "integer": "int4",
    "many2one": "int4",
    "monetary": "numeric",
}
TEXTS = ("", "a", "A", "ab", "b%", "a_", "x\\y")
DAYS = ("2026-01-01", "2026-02-01", "2026-03-01", "2024-12-30", "2023-01-01", "2024-02-29")
MOMENTS = (*(f"{day} 00:00:00" for day in DAYS), "2026-02-01 23:59:59", "2024-12-31 12:30:59.5")
NUMBERS = ("0", "0.00", "1.5", "-1.50", "2")
_HALF = 0.5
Ask = Callable[[int, Composable], list[int]]
PATTERNS = ("like", "ilike", "not like", "not ilike", "=like", "=ilike")


def columns(model: str) -> dict[str, str]:
    """Return the columns of a model's table with their types."""
    found = {}
    for name, fact in FIELDS[model].items():
        if name == "id" or fact.get("related") or fact["type"] in ("one2many", "many2many"):
            continue
        jsonb = fact.get("translate") or fact.get("company_dependent")
        found[name] = "jsonb" if jsonb else TYPES.get(fact["type"], "varchar")
        if name == "customer_lead":
            found[name] = "float8"
    return found


def pairs() -> dict[str, tuple[str, str]]:
    """Return the tables of pairs with their columns."""
    return {
        fact["relation_table"]: (fact["column1"], fact["column2"])
        for fields in FIELDS.values()
        for fact in fields.values()
        if fact.get("relation_table")
    }


_VALUES: dict[str, Callable[[random.Random], Any]] = {
    "many2one": lambda rng: rng.randint(1, ROWS),
    "boolean": lambda rng: rng.random() < _HALF,
    "integer": lambda rng: rng.randint(-1, 2),
    "float": lambda rng: rng.choice(NUMBERS),
    "monetary": lambda rng: rng.choice(NUMBERS),
    "date": lambda rng: rng.choice(DAYS),
    "datetime": lambda rng: rng.choice(MOMENTS).replace(" ", "T"),
}


def value(rng: random.Random, fact: dict[str, Any]) -> Any:
    """Return a value as a row of the recorded data has it."""
    if rng.random() < _HALF / 2:
        return None
    if fact.get("translate"):
        text, other = rng.choice(TEXTS), rng.choice(TEXTS)
        return rng.choice(({"en_US": text, "fr_FR": other}, {"en_US": text}))
    if fact.get("company_dependent") and fact.get("relation"):
        one = rng.randint(1, ROWS + 2)  # the last ones are of records that are gone
        return rng.choice(({"1": one}, {"2": one}, {"1": None}, {"1": one, "2": 1}, {}))
    if fact.get("company_dependent"):
        one = "1.5" if fact["type"] == "float" else rng.choice(("normal", "a", "b"))
        return rng.choice(({"1": one}, {"2": one}, {"1": None}, {}))
    return _VALUES.get(fact["type"], lambda rng: rng.choice(TEXTS))(rng)


@cache
def database(seed: int) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of every table."""
    rng = random.Random(seed)  # noqa: S311  rows of a test
    rows: dict[str, list[dict[str, Any]]] = {
        TABLES[model]: [
            {"id": number, **{name: value(rng, FIELDS[model][name]) for name in columns(model)}}
            for number in range(1, ROWS + 1)
        ]
        for model in FIELDS
    }
    for table, (left, right) in pairs().items():
        some = {(rng.randint(1, ROWS), rng.randint(1, ROWS)) for _ in range(ROWS)}
        rows[table] = [{left: a, right: b} for a, b in sorted(some)]
    return rows


def fill(connection: psycopg.Connection, seed: int) -> None:
    """Make a schema with the rows of a seed."""
    schema = Identifier(f"s{seed}")
    connection.execute(SQL("CREATE SCHEMA {}").format(schema))
    connection.execute(SQL("SET search_path TO {}").format(schema))
    for model in FIELDS:
        listed = [SQL("id int4")]
        listed += [SQL("{} " + kind).format(Identifier(n)) for n, kind in columns(model).items()]
        connection.execute(
            SQL("CREATE TABLE {} ({})").format(Identifier(TABLES[model]), SQL(", ").join(listed))
        )
    for table, names in pairs().items():
        listed = [SQL("{} int4").format(Identifier(name)) for name in names]
        connection.execute(
            SQL("CREATE TABLE {} ({})").format(Identifier(table), SQL(", ").join(listed))
        )
    for table, rows in database(seed).items():
        for row in rows:
            values = [json.dumps(v) if isinstance(v, dict) else v for v in row.values()]
            connection.execute(
                SQL("INSERT INTO {} ({}) VALUES ({})").format(
                    Identifier(table),
                    SQL(", ").join(map(Identifier, row)),
                    SQL(", ").join([SQL("%s")] * len(row)),
                ),
                values,
            )


@pytest.fixture(scope="module")
def search(postgres: Postgres) -> Iterator[Ask]:
    """Run a SELECT of ids on the rows of a seed."""
    postgres.create_database("domain_sql")
    with psycopg.connect(postgres.dsn("domain_sql"), autocommit=True) as connection:
        for seed in SEEDS:
            fill(connection, seed)

        def run(seed: int, statement: Composable) -> list[int]:
            connection.execute(SQL("SET search_path TO {}").format(Identifier(f"s{seed}")))
            return sorted(row[0] for row in connection.execute(statement))

        yield run
    postgres.drop_database("domain_sql")


_OPERANDS: dict[str, st.SearchStrategy[Any]] = {
    "boolean": st.booleans(),
    "integer": st.integers(-1, 2),
    "float": st.sampled_from([0, 1.5, -1.5, 2]),
    "monetary": st.sampled_from([0, 1.5, -1.5, 2]),
    "date": st.sampled_from(DAYS),
    "datetime": st.sampled_from((*MOMENTS, *DAYS)),
    "selection": st.sampled_from(("normal", "a", "b")),
}


def operands(name: str, fact: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Draw what a field of a kind is compared with, False apart."""
    if name == "id":
        return st.integers(1, ROWS)
    return _OPERANDS.get(fact["type"], st.sampled_from([text for text in TEXTS if text]))


def of_value(name: str, fact: dict[str, Any]) -> st.SearchStrategy[list[Any]]:
    """Draw a term about a value."""
    one = operands(name, fact)
    nothing = st.just(value=False)
    orderless = fact["type"] == "boolean"
    # A moment in a list is no bare date, and no id is nothing.
    inside = one if name == "id" else one | nothing
    members = st.lists(inside, max_size=3).map(list)
    choices = [
        st.tuples(st.just(name), st.sampled_from(("=", "!=", "=?")), inside),
        st.tuples(st.just(name), st.sampled_from(("in", "not in")), members),
    ]
    if not orderless:
        choices.append(st.tuples(st.just(name), st.sampled_from(("<", "<=", ">", ">=")), one))
    if fact["type"] in ("char", "text", "html", "selection"):
        texts = st.sampled_from(("a", "A", "b", "%", "_", r"b\%", ""))
        choices.append(st.tuples(st.just(name), st.sampled_from(PATTERNS), texts))
    return st.one_of(choices).map(list)


_PARTS = {
    "year_number": (2023, 2024, 2025, 2026),
    "quarter_number": (1, 2, 4),
    "month_number": (1, 2, 3, 12),
    "iso_week_number": (1, 5, 9, 52, 53),
    "day_of_year": (1, 32, 60, 365, 366),
    "day_of_month": (1, 29, 30, 31),
    "day_of_week": (0, 1, 3, 4, 6, 7),
    "hour_number": (0, 12, 23),
    "minute_number": (0, 30, 59),
    "second_number": (0, 59, 59.5),
}


def of_part(name: str) -> st.SearchStrategy[list[Any]]:
    """Draw a term about a part of a date."""

    def asked(part: str) -> st.SearchStrategy[tuple[Any, ...]]:
        one = st.sampled_from(_PARTS[part])
        one |= one.filter(lambda number: isinstance(number, int)).map(str)
        path = st.just(f"{name}.{part}")
        return st.tuples(
            path, st.sampled_from(("=", "!=", "<", "<=", ">", ">=")), one
        ) | st.tuples(
            path, st.sampled_from(("in", "not in")), st.lists(one, min_size=1, max_size=3)
        )

    return st.sampled_from(sorted(_PARTS)).flatmap(asked).map(list)


def of_name() -> st.SearchStrategy[list[Any]]:
    """Draw a term about what a record is called."""
    signs = ("=", "!=", "like", "ilike", "not like", "not ilike")
    texts = st.sampled_from(("a", "A", "b", "%", "_", r"b\%", ""))
    return st.tuples(st.just("display_name"), st.sampled_from(signs), texts).map(list)


def of_relation(name: str, fact: dict[str, Any]) -> st.SearchStrategy[list[Any]]:
    """Draw a term about the ids of a relation."""
    ids = st.integers(1, ROWS)
    signs = ("=", "!=", "=?") if fact["type"] == "many2one" else ("=", "!=")
    return st.one_of(
        st.tuples(st.just(name), st.sampled_from(signs), ids | st.just(value=False)),
        st.tuples(st.just(name), st.sampled_from(("in", "not in")), st.lists(ids, max_size=4)),
    ).map(list)


@cache
def terms(model: str, depth: int) -> st.SearchStrategy[list[Any]]:
    """Draw a term about a model's records."""
    choices: list[st.SearchStrategy[list[Any]]] = [st.sampled_from([[1, "=", 1], [0, "=", 1]])]
    if model in NAMES:
        choices.append(of_name())
    for name, fact in FIELDS[model].items():
        if fact.get("related"):
            continue
        if not fact.get("relation"):
            choices.append(of_value(name, fact))
            if fact["type"] in ("date", "datetime"):
                choices.append(of_part(name))
            continue
        choices.append(of_relation(name, fact))
        if depth:
            choices += behind(name, fact["relation"], depth - 1)
    return st.one_of(choices)


def behind(name: str, model: str, depth: int) -> list[st.SearchStrategy[list[Any]]]:
    """Draw terms that lead through a relation."""

    def beyond(term: list[Any]) -> list[Any]:
        path, operator, operand = term
        return term if path in (0, 1) else [f"{name}.{path}", operator, operand]

    inside = domains(model, depth)
    return [
        terms(model, depth).map(beyond),
        st.tuples(st.just(name), st.sampled_from(("any", "not any")), inside).map(list),
    ]


def domains(model: str, depth: int) -> st.SearchStrategy[list[Any]]:
    """Draw a domain of a model."""
    return st.recursive(
        st.deferred(lambda: terms(model, depth)).map(lambda term: [term]),
        lambda inside: (
            inside.map(lambda one: ["!", *one])
            | st.tuples(st.sampled_from("&|"), inside, inside).map(
                lambda parts: [parts[0], *parts[1], *parts[2]]
            )
        ),
        max_leaves=4,
    )


def agree(
    search: Ask, model: str, written: list[Any], seed: int, context: Context, *, active_test: bool
) -> None:
    """Hold what our domain finds in the rows of a seed against what Odoo's SQL does."""
    domain = parse(written)
    rows = database(seed)
    implied = implied_reads(domain, MODELS, model, context, active_test=active_test)
    shape = build(MODELS, model, reads(domain) + implied, context.many2one)

    assert not check(domain, MODELS, model, context)
    matches = compile_domain(domain, shape, context, active_test=active_test)
    found = [row["id"] for row in rows[shape.table] if matches(document_of(shape, row, rows))]

    asks = Search(
        model,
        context.lang,
        context.company,
        active_test,
        week_start=context.week_start,
        fallbacks=dict(context.defaults),
    )
    assert found == search(seed, asks.ids(written))


TERMS = "property_payment_term_id"  # of every company its own
FALLBACKS = CASES["fallbacks"] | {f"res.partner.{TERMS}": {"1": 3, "2": ROWS + 1}}
CONTEXTS = st.builds(
    Context,
    st.sampled_from(("en_US", "fr_FR")),
    st.sampled_from((1, 2)),
    st.sampled_from((1, 6, 7)),
    defaults=st.sampled_from((CASES["fallbacks"], FALLBACKS)),
)


@settings(
    max_examples=300,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(
    asked=st.sampled_from(ROOTS).flatmap(
        lambda model: st.tuples(st.just(model), domains(model, 2))
    ),
    seed=st.sampled_from(SEEDS),
    context=CONTEXTS,
    active_test=st.booleans(),
)
def test_a_domain_finds_what_odoos_search_would(
    search: Ask,
    asked: tuple[str, list[Any]],
    seed: int,
    context: Context,
    *,
    active_test: bool,
) -> None:
    agree(search, *asked, seed, context, active_test=active_test)


DATED = (
    ("sale.order", "date_order"),
    ("sale.order", "validity_date"),
    ("sale.order", "partner_id.create_date"),
    ("sale.order.line", "order_id.validity_date"),
    ("res.partner", "parent_id.parent_id.create_date"),
)


@settings(
    max_examples=150,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(
    asked=st.sampled_from(DATED).flatmap(
        lambda dated: st.tuples(st.just(dated[0]), st.lists(of_part(dated[1]), min_size=2))
    ),
    joined=st.sampled_from((["|"], ["&"], ["!"], ["!", "|"], ["|", "!"])),
    seed=st.sampled_from(SEEDS),
    context=CONTEXTS,
)
def test_parts_of_dates_are_compared_as_odoo_does(
    search: Ask,
    asked: tuple[str, list[Any]],
    joined: list[str],
    seed: int,
    context: Context,
) -> None:
    model, terms = asked

    agree(search, model, [*joined, *terms], seed, context, active_test=False)


@settings(
    max_examples=100,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(
    terms=st.lists(of_name(), min_size=2, max_size=2),
    path=st.sampled_from(("", "parent_id.", "child_ids.")),
    joined=st.sampled_from((["|"], ["&"], ["!"], ["!", "|"], ["|", "!"])),
    seed=st.sampled_from(SEEDS),
)
def test_what_records_are_called_is_searched_where_odoo_does(
    search: Ask, terms: list[list[Any]], path: str, joined: list[str], seed: int
) -> None:
    written = [*joined, *([f"{path}{name}", *rest] for name, *rest in terms)]

    agree(search, "res.partner", written, seed, Context(), active_test=False)


@settings(
    max_examples=150,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(
    terms=st.lists(
        (
            of_relation(TERMS, FIELDS["res.partner"][TERMS])
            | st.one_of(behind(TERMS, "account.payment.term", 0))
        ).filter(lambda term: isinstance(term[0], str)),
        min_size=2,
        max_size=2,
    ),
    prefix=st.sampled_from(("", "parent_id.", "child_ids.")),
    joined=st.sampled_from((["|"], ["&"], ["!"], ["!", "|"], ["|", "!"])),
    seed=st.sampled_from(SEEDS),
    context=CONTEXTS,
)
def test_relations_that_depend_on_the_company_lead_where_odoos_do(
    search: Ask,
    terms: list[list[Any]],
    prefix: str,
    joined: list[str],
    seed: int,
    context: Context,
) -> None:
    written = [*joined, *([f"{prefix}{path}", *rest] for path, *rest in terms)]

    agree(search, "res.partner", written, seed, context, active_test=False)
