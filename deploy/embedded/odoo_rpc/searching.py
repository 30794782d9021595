"""Domains as SQL, in the part of Odoo's language that clients of RPC use.

Terms and `&`, `|`, `!`; `=` `!=` `<` `<=` `>` `>=` `in` `not in` `like` and its kin, `=?`, `any`;
paths through relations. `child_of` and `parent_of` are refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from psycopg import sql

from embedded.odoo.declarations import MANY, Declared, DeclaredModel, models
from embedded.odoo_rpc.scalars import NUMBERS, TEXT, Scalars, field, name_field

Domain = Sequence[Any]
_TERM: Final = 3
_COMPARED: Final = {"<": "<", "<=": "<=", ">": ">", ">=": ">="}
_PATTERNS: Final = {
    "like": ("LIKE", True),
    "ilike": ("ILIKE", True),
    "=like": ("LIKE", False),
    "=ilike": ("ILIKE", False),
}
_NEGATED: Final = {
    "!=": "=",
    "<>": "=",
    "not in": "in",
    "not like": "like",
    "not ilike": "ilike",
    "not any": "any",
}
_ALL, _NONE = sql.SQL("true"), sql.SQL("false")


class Search:
    """Turns one domain into a condition on `alias`."""

    def __init__(self, scalars: Scalars, *, archived: bool) -> None:
        self._scalars = scalars
        self._archived = archived

    def condition(
        self, model: DeclaredModel, alias: sql.Identifier, domain: Domain
    ) -> sql.Composable:
        """Return the whole condition, with that on `active` where Odoo adds it."""
        terms: list[sql.Composable] = []
        left = list(domain)
        while left:
            terms.append(self._next(model, alias, left))
        if "active" in model.fields and not self._archived and "active" not in _named(domain):
            active = self._scalars.of(model, alias, "active")
            terms.append(sql.SQL("coalesce({}, false)").format(active))
        return sql.SQL(" AND ").join(terms) if terms else _ALL

    def _next(
        self, model: DeclaredModel, alias: sql.Identifier, left: list[Any]
    ) -> sql.Composable:
        if not left:
            raise ValueError("the domain ends where a term is missing")
        term = left.pop(0)
        if term in ("&", "|"):
            one, other = self._next(model, alias, left), self._next(model, alias, left)
            return sql.SQL("({} {} {})").format(
                one, sql.SQL("AND" if term == "&" else "OR"), other
            )
        if term == "!":
            return _not(self._next(model, alias, left))
        if not isinstance(term, list | tuple) or len(term) != _TERM:
            raise ValueError(f"Invalid leaf {term!r}")
        return self._term(model, alias, *term)

    def _term(
        self, model: DeclaredModel, alias: sql.Identifier, path: Any, operator: str, value: Any
    ) -> sql.Composable:
        if not isinstance(path, str):
            return _ALL if path == value else _NONE
        if operator in _NEGATED:
            return _not(self._term(model, alias, path, _NEGATED[operator], value))
        head, _, rest = path.partition(".")
        if head not in model.fields:
            leaf = (path, operator, value)
            raise ValueError(f"Invalid field {model.name}.{head} in leaf {leaf!r}")
        one = field(model, head)
        if rest:
            return self._linked(model, alias, one, [[rest, operator, value]])
        if operator == "any":
            return self._linked(model, alias, one, value)
        if one.relation:
            return self._relation(model, alias, one, (operator, value))
        return self._plain(self._scalars.of(model, alias, head), one, operator, value)

    def _linked(
        self, model: DeclaredModel, alias: sql.Identifier, one: Declared, domain: Domain
    ) -> sql.Composable:
        """Whether a linked record matches; behind a many2one archived ones do too."""
        other, inner = models()[one.relation], self._scalars.alias()
        archived = self._archived or one.type not in MANY
        inside = Search(self._scalars, archived=archived).condition(other, inner, domain)
        found = sql.SQL("SELECT {}.id FROM {} {} WHERE {}").format(
            inner, sql.Identifier(other.table), inner, inside
        )
        return self._among(model, alias, one, found)

    def _among(
        self, model: DeclaredModel, alias: sql.Identifier, one: Declared, found: sql.Composable
    ) -> sql.Composable:
        if one.type == "one2many":
            table, owner, other = models()[one.relation].table, one.inverse, "id"
        elif one.type == "many2many":
            table, owner, other = one.table, one.column1, one.column2
        else:
            value = self._scalars.of(model, alias, one.name)
            return sql.SQL("coalesce({} IN ({}), false)").format(value, found)
        return sql.SQL("{}.id IN (SELECT {} FROM {} WHERE {} IN ({}))").format(
            alias, *map(sql.Identifier, (owner, table, other)), found
        )

    def _relation(
        self,
        model: DeclaredModel,
        alias: sql.Identifier,
        one: Declared,
        asked: tuple[str, Any],
    ) -> sql.Composable:
        operator, value = asked
        if isinstance(value, str) or operator in _PATTERNS:
            name = name_field(models()[one.relation])
            return self._linked(model, alias, one, [[name, operator, value]])
        if operator not in {"=", "in", "=?"}:
            raise ValueError(f"the stand-in does not compare {one.name} by {operator!r}")
        if operator == "=?" and not value:
            return _ALL
        ids = value if isinstance(value, list | tuple) else [value]
        other = sql.SQL("SELECT id FROM {}").format(sql.Identifier(models()[one.relation].table))
        chosen = sql.SQL("SELECT unnest({}::int[])").format(
            sql.Literal([number for number in ids if number])
        )
        terms = [self._among(model, alias, one, chosen)]
        if not all(ids):
            terms.append(_not(self._among(model, alias, one, other)))
        return sql.SQL("({})").format(sql.SQL(" OR ").join(terms))

    def _plain(
        self, value: sql.Composable, one: Declared, operator: str, wanted: Any
    ) -> sql.Composable:
        if operator == "=?":
            return _ALL if not wanted else self._plain(value, one, "=", wanted)
        if operator == "=":
            return self._equal(value, one, wanted if isinstance(wanted, list) else [wanted])
        if operator == "in":
            return self._equal(value, one, wanted)
        if operator in _PATTERNS:
            word, anywhere = _PATTERNS[operator]
            pattern = f"%{wanted or ''}%" if anywhere else str(wanted)
            text = sql.SQL("coalesce({}::text, '')").format(value)
            return sql.SQL("{} {} {}").format(text, sql.SQL(word), sql.Literal(pattern))
        if operator not in _COMPARED:
            raise ValueError(f"Invalid leaf {(one.name, operator, wanted)!r}")
        empty = sql.SQL("coalesce({}, 0)") if one.type in NUMBERS else sql.SQL("{}")
        return sql.SQL("coalesce({} {} {}, false)").format(
            empty.format(value), sql.SQL(_COMPARED[operator]), sql.Literal(wanted)
        )

    def _equal(
        self, value: sql.Composable, one: Declared, wanted: Sequence[Any]
    ) -> sql.Composable:
        """Whether it is one of these; empty is NULL, and '', 0 or false by its type."""
        full = [each for each in wanted if each or each == 0]
        terms: list[sql.Composable] = []
        if any(not each for each in wanted):
            zero = _zero(one)
            terms.append(sql.SQL("({0} IS NULL OR {0} = {1})").format(value, zero) if zero
                         else sql.SQL("{} IS NULL").format(value))  # fmt: skip
        exact = [str(each) if one.type in TEXT else each for each in full if each is not False]
        terms += [
            sql.SQL("coalesce({} = {}, false)").format(value, sql.Literal(each)) for each in exact
        ]
        return sql.SQL("({})").format(sql.SQL(" OR ").join(terms)) if terms else _NONE


def _zero(one: Declared) -> sql.Composable | None:
    if one.type == "boolean":
        return _NONE
    if one.type in NUMBERS:
        return sql.SQL("0")
    return sql.SQL("''") if one.type in TEXT else None


def _not(condition: sql.Composable) -> sql.Composable:
    return sql.SQL("NOT coalesce({}, false)").format(condition)


def _named(domain: Domain) -> set[str]:
    return {str(term[0]) for term in domain if isinstance(term, list | tuple) and term}
