"""Terms about a part of a date: `["date_order.month_number", "=", 3]`.

Odoo compares the number by SQL alone, without the care that it takes of a field: what has no
date meets no such term, whatever its operator and whatever stands before it.
"""

from __future__ import annotations

import operator as operators
from collections.abc import Callable, Mapping
from typing import Any, Final

from schemas import company
from schemas.dates import DAY_OF_WEEK, part_of
from schemas.document import Column, NotShown, Resolved
from schemas.domain.context import Context
from schemas.domain.forms import BadDomain, Scalar, Term, shown
from schemas.domain.scalars import Read, number_of
from schemas.event import Document
from schemas.fields import Kind

_COMPARE: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "=": operators.eq,
    "!=": operators.ne,
    "<": operators.lt,
    "<=": operators.le,
    ">": operators.gt,
    ">=": operators.ge,
    "in": lambda number, members: number in members,
    "not in": lambda number, members: number not in members,
}


def part_of_date(
    term: Term, found: Resolved, context: Context, *, negated: bool
) -> Callable[[Document], bool]:
    """Return the test of a date of the record itself, or of one that it reads from another.

    Raises BadDomain for what Odoo's search fails on.
    """
    if found.column is None:
        raise NotShown(f"{found.shape.model} shows no date at {term.path}")
    name, links = found.column.name, [link.name for link in found.links]
    if found.many:
        raise BadDomain(
            f"{term.written}: {term.path} reads a list of records, whose dates Odoo does not part",
            hint=f"Write its path: {'.'.join([*links, name, found.part])}.",
        )
    if term.operator not in _COMPARE:
        raise BadDomain(
            f"{term.written}: `{term.operator}` asks for no number, and {found.part} is one",
            hint=f'Compare it: "=" or "in", for instance ["{term.path}", "in", [3, 4]].',
        )
    stored = _stored(found.column, found.shape.model, context)
    test = _test(term, found.part, stored, context, negated=negated)
    if not links:
        return lambda document: test(document[name])

    def along(document: Document) -> bool:
        record: Document | None = document
        for link in links:
            record = None if record is None else record[link]
        return record is not None and test(record[name])

    return along


def _test(
    term: Term, part: str, stored: Read, context: Context, *, negated: bool
) -> Callable[[Any], bool]:
    compare, wanted = _COMPARE[term.operator], _wanted(term, part)
    number = part_of(part, week_start=context.week_start)

    def test(raw: Any) -> bool:
        found = number(stored(raw))
        return found is not None and compare(found, wanted) is not negated

    return test


def _wanted(term: Term, part: str) -> Any:
    if not isinstance(term.value, tuple):
        return _number(term.value, part, term)
    if not term.value:
        raise BadDomain(
            f"{term.written}: Odoo's search fails on an empty list here",
            hint=f"Write the numbers that {part} may have, or leave the term out.",
        )
    return frozenset(_number(each, part, term) for each in term.value)


def _number(value: Any, part: str, term: Term) -> float:
    """Return a number, or the one that a text holds."""
    # Odoo has days of the week as integers, the other parts as doubles; texts are read as such.
    kind = Kind.INTEGER if part == DAY_OF_WEEK and isinstance(value, str) else Kind.FLOAT
    if not isinstance(value, bool):
        try:
            return float(number_of(kind, value))
        except ValueError:
            pass
    raise BadDomain(f"{term.written}: {part} never is {shown(value)}", hint=_hint(value, term))


def _hint(value: Scalar, term: Term) -> str:
    if value is False:
        field = term.path.rpartition(".")[0]
        return f'For records without a date, write "{field}", "=", false.'
    return "Write a number."


def _stored(column: Column, model: str, context: Context) -> Read:
    inner = company.of_one_company(column) if column.kind is Kind.COMPANY else None
    if inner is None:
        return lambda raw: raw
    default = company.default_of(context.defaults_of(model, column.name), context.company)
    read = company.reader(inner.kind, context.company, default)

    def asked(raw: str | None) -> Any:
        try:
            return read(raw)
        except ValueError:  # Odoo wrote no such value; its search would fail on it
            return None

    return asked
