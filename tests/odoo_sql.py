"""Domains as SQL, the way Odoo's search writes them: an oracle that shares no line with ours.

From docs of the ORM and recorded answers of Odoo 18: a term becomes a condition, a path a
sub-select, `!` is pushed inwards. Facts about fields are those of tests/data/domain_cases.json.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from psycopg.sql import SQL, Composable, Identifier, Literal

from tests.recorded import CASES

FIELDS: dict[str, dict[str, Any]] = {
    name: facts["fields"] for name, facts in CASES["models"].items()
} | {"res.company": {"id": {"type": "integer"}}}
TABLES = {name: facts["table"] for name, facts in CASES["models"].items()} | {
    "res.company": "res_company"
}
OPPOSITE = {
    "=": "!=",
    "!=": "=",
    "<": ">=",
    ">=": "<",
    ">": "<=",
    "<=": ">",
    "in": "not in",
    "not in": "in",
    "like": "not like",
    "not like": "like",
    "ilike": "not ilike",
    "not ilike": "ilike",
}
PARTS = {
    "year_number": "year",
    "quarter_number": "quarter",
    "month_number": "month",
    "iso_week_number": "week",
    "day_of_year": "doy",
    "day_of_month": "day",
    "day_of_week": "dow",
    "hour_number": "hour",
    "minute_number": "minute",
    "second_number": "second",
}
NAMES = {
    "res.partner": ("complete_name", "email", "ref", "vat", "company_registry"),
    "product.category": ("complete_name",),
    "purchase.order": ("name", "partner_ref"),
}
NUMBERS = {"integer", "float", "monetary"}
TEXTS = {"char", "text", "html"}
ALL = SQL("TRUE")


@dataclass(frozen=True)
class Search:
    """One search: of a model, in a context; `alias` numbers the tables of sub-selects."""

    model: str
    lang: str
    company: int
    active_test: bool
    depth: int = 0
    week_start: int = 7
    fallbacks: dict[str, Any] = field(default_factory=lambda: CASES["fallbacks"])

    @property
    def table(self) -> Identifier:
        return Identifier(f"t{self.depth}")

    def ids(self, domain: list[Any]) -> Composable:
        """Return a SELECT of the ids that match."""
        return SQL("SELECT {0}.id FROM {1} {0} WHERE {2}").format(
            self.table, Identifier(TABLES[self.model]), self.where(domain)
        )

    def where(self, domain: list[Any]) -> Composable:
        found = self.all_of(domain)
        named = any(not isinstance(each, str) and each[0] == "active" for each in domain)
        if self.active_test and "active" in FIELDS[self.model] and not named:
            found = SQL("({}.active = TRUE AND {})").format(self.table, found)
        return found

    def all_of(self, domain: list[Any]) -> Composable:
        rest, parts = list(domain), []
        while rest:
            part, rest = self.one(rest, negated=False)
            parts.append(part)
        return SQL(" AND ").join(parts) if parts else ALL

    def one(self, tokens: list[Any], *, negated: bool) -> tuple[Composable, list[Any]]:
        head, *rest = tokens
        if head == "!":
            return self.one(rest, negated=not negated)
        if head in ("&", "|"):
            left, rest = self.one(rest, negated=negated)
            right, rest = self.one(rest, negated=negated)
            both = (head == "&") is not negated
            return SQL("({} {} {})").format(left, SQL("AND" if both else "OR"), right), rest
        return SQL("({})").format(self.term(*head, negated=negated)), rest

    def term(self, path: Any, operator: str, value: Any, *, negated: bool) -> Composable:
        if path in (0, 1):
            return Literal((path == 1) is not negated)
        name, _, rest = path.partition(".")
        if rest in PARTS and FIELDS[self.model][name]["type"] in ("date", "datetime"):
            found = self.part(name, rest, operator, value)
            return SQL("NOT ({})").format(found) if negated else found
        if rest or operator in ("any", "not any"):
            inside = [[rest, operator, value]] if rest else value
            found = self.through(name, inside)
            wanted = rest or operator == "any"
            return found if bool(wanted) is not negated else SQL("NOT ({})").format(found)
        if name == "display_name":
            return self.named(operator, value, negated=negated)
        if negated and operator in OPPOSITE:
            return self.term(path, OPPOSITE[operator], value, negated=False)
        found = self.plain(name, operator, value)
        return SQL("NOT ({})").format(found) if negated else found

    def through(self, name: str, inside: list[Any]) -> Composable:
        """Whether one of the records behind a relation matches."""
        fact = FIELDS[self.model][name]
        context = fact.get("own_context", {})
        many = fact["type"] != "many2one"
        behind = replace(
            self,
            model=fact["relation"],
            depth=self.depth + 1,
            active_test=many and self.active_test and context.get("active_test", True),
        )
        return self.linked(name, behind.ids([*fact.get("own_domain", []), *inside]))

    def linked(self, name: str, ids: Composable) -> Composable:
        """Whether one of the linked ids is in a SELECT or a list."""
        fact, table = FIELDS[self.model][name], self.table
        match fact["type"]:
            case "many2one":
                return SQL("({0} IS NOT NULL AND {0} IN ({1}))").format(
                    self.column(name, fact), ids
                )
            case "one2many":
                return SQL(
                    "EXISTS (SELECT 1 FROM {} x WHERE x.{} = {}.id AND x.id IN ({}))"
                ).format(
                    Identifier(TABLES[fact["relation"]]),
                    Identifier(fact["relation_field"]),
                    table,
                    ids,
                )
            case _:
                return SQL(
                    "EXISTS (SELECT 1 FROM {} x WHERE x.{} = {}.id AND x.{} IN ({}))"
                ).format(
                    Identifier(fact["relation_table"]),
                    Identifier(fact["column1"]),
                    table,
                    Identifier(fact["column2"]),
                    ids,
                )

    def plain(self, name: str, operator: str, value: Any) -> Composable:
        fact = FIELDS[self.model][name]
        if operator == "=?":
            return self.optional(name, value)
        if fact.get("relation"):
            return self.relation(name, operator, value)
        column = self.column(name, fact)
        if operator in ("=", "!=", "in", "not in"):
            values = value if operator.endswith("in") else [value]
            found = self.members(column, fact["type"], values)
            if operator in ("=", "in"):
                return found
            return SQL("COALESCE(NOT ({}), TRUE)").format(found)
        if "like" in operator:
            return self.pattern(column, operator, value)
        if fact["type"] in NUMBERS:
            column = SQL("COALESCE({}, 0)").format(column)
        if fact["type"] == "datetime" and len(str(value)) == len("2026-01-01"):
            value = f"{value} {'23:59:59' if operator in ('>', '<=') else '00:00:00'}"
        collated = SQL('{} COLLATE "C"' if fact["type"] in {*TEXTS, "selection"} else "{}")
        return SQL("{} {} {}").format(collated.format(column), SQL(operator), Literal(value))

    def named(self, operator: str, value: Any, *, negated: bool) -> Composable:
        """Ask every field that a record of the model is found by, of a negative one all."""
        operator = OPPOSITE[operator] if negated else operator
        parts = [self.plain(name, operator, value) for name in NAMES[self.model]]
        joined = SQL(" AND " if operator.startswith(("!", "not")) else " OR ").join(parts)
        return SQL("({})").format(joined)

    def part(self, name: str, part: str, operator: str, value: Any) -> Composable:
        """Compare a part of a date: plain SQL, NULL where there is none."""
        column = self.column(name, FIELDS[self.model][name])
        found = SQL("date_part({}, {})").format(Literal(PARTS[part]), column)
        if part == "day_of_week":
            found = SQL("mod(7 - {} + {}::int, 7)").format(Literal(self.week_start), found)
        values = value if isinstance(value, list) else [value]
        wanted = SQL(", ").join(map(Literal, values))
        return SQL("{} {} ({})").format(found, SQL(operator), wanted)

    def optional(self, name: str, value: Any) -> Composable:
        """Whether it is that value, unless the value is False; NULL where the field is."""
        if value is False:
            return ALL
        fact = FIELDS[self.model][name]
        if value in (0, ""):
            return self.plain(name, "=", value)
        return SQL("{} = {}").format(self.column(name, fact), Literal(value))

    def members(self, column: Composable, kind: str, values: list[Any]) -> Composable:
        """Whether a value is one of some, where False stands for what is empty. Never NULL."""
        parts: list[Composable] = [SQL("FALSE")]
        for value in values:
            empty = value is False and kind != "boolean"
            zero = "" if kind in TEXTS else 0 if kind in NUMBERS else None
            if empty or value == zero or value is False:
                parts.append(SQL("{} IS NULL").format(column))
            if empty and zero is not None:
                parts.append(SQL("{} = {}").format(column, Literal(zero)))
            elif not empty:
                parts.append(SQL("COALESCE({} = {}, FALSE)").format(column, Literal(value)))
        return SQL("(({}) IS TRUE)").format(SQL(" OR ").join(parts))

    def pattern(self, column: Composable, operator: str, value: Any) -> Composable:
        wrapped = not operator.startswith("=")
        if wrapped and value in (False, ""):
            return SQL("FALSE") if operator.startswith("not") else ALL
        sign = "ILIKE" if "ilike" in operator else "LIKE"
        text = f"%{value}%" if wrapped else str(value)
        found = SQL("{}::text {} {}").format(column, SQL(sign), Literal(text))
        if operator.startswith("not"):
            return SQL("({0} IS NULL OR NOT ({1}))").format(column, found)
        return found

    def relation(self, name: str, operator: str, value: Any) -> Composable:
        fact = FIELDS[self.model][name]
        values = value if isinstance(value, list) else [value]
        negative = operator in ("!=", "not in")
        if fact["type"] == "many2one":
            found = self.members(self.column(name, fact), "many2one", values)
            return SQL("NOT ({})").format(found) if negative else found
        if value is False:
            some = self.linked(
                name, SQL("SELECT id FROM {}").format(Identifier(TABLES[fact["relation"]]))
            )
            return some if negative else SQL("NOT ({})").format(some)
        ids = [each for each in values if each is not False] or [-1]
        found = self.linked(name, SQL(", ").join(map(Literal, ids)))
        return SQL("NOT ({})").format(found) if negative else found

    def column(self, name: str, fact: dict[str, Any]) -> Composable:
        column = SQL("{}.{}").format(self.table, Identifier(name))
        if fact.get("translate"):
            return SQL("COALESCE({0}->>{1}, {0}->>'en_US')").format(column, Literal(self.lang))
        if fact.get("company_dependent"):
            fallback = self.fallbacks[f"{self.model}.{name}"].get(str(self.company), False)
            otherwise = "null" if fallback is False else f'"{fallback}"'
            kind = SQL({"float": "numeric", "many2one": "int4"}.get(fact["type"], "varchar"))
            value = SQL("((COALESCE({}->{}, {}::jsonb)->>0)::{})").format(
                column, Literal(str(self.company)), Literal(otherwise), kind
            )
            if fact["type"] != "many2one":
                return value
            behind = Identifier(TABLES[fact["relation"]])  # one that is gone is none
            return SQL("(SELECT g.id FROM {} g WHERE g.id = {})").format(behind, value)
        return column
