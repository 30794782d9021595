"""One stored value against what a term asks: section "Domains" of CONTRACT.md, per kind.

A test takes the value as Avro decodes it, None for NULL, and says whether the term is true.
Unknown, SQL's third answer, is False here: negations stand at terms only (`compile`), and there
each operator has a test of its own, so what is unknown can never become true.
"""

from __future__ import annotations

import operator as operators
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from schemas import company
from schemas.document import Column
from schemas.domain.context import Context
from schemas.domain.forms import INEQUALITIES, PATTERNS, WRAPPED, BadDomain, Scalar, Term, shown
from schemas.domain.patterns import matcher
from schemas.domain.scalars import (
    Read,
    day,
    flag,
    in_order,
    moment,
    number_of,
    numeric,
    real,
    translation,
    without_zone,
)
from schemas.fields import Kind

Test = Callable[[Any], bool]
_COMPARE: Final = {
    "<": operators.lt,
    "<=": operators.le,
    ">": operators.gt,
    ">=": operators.ge,
}
_NUMBERS: Final = frozenset({Kind.INTEGER, Kind.FLOAT, Kind.NUMERIC})
_TEXTS: Final = frozenset({Kind.TEXT, Kind.TRANSLATED})
_TIMES: Final = frozenset({Kind.DATE, Kind.DATETIME})
_END_OF_DAY: Final = frozenset({">", "<="})  # what a bare date means after them
_WANTED: Final = {
    Kind.INTEGER: "Write a whole number.",
    Kind.FLOAT: "Write a number.",
    Kind.NUMERIC: "Write a number.",
    Kind.TEXT: 'Write a text, in quotes: "5".',
    Kind.TRANSLATED: 'Write a text, in quotes: "5".',
    Kind.BOOLEAN: "Write true or false.",
    Kind.DATE: 'Write a date: "2026-11-23".',
    Kind.DATETIME: 'Write UTC: "2026-11-23 10:00:00".',
    Kind.BINARY: "Write false: only whether there is a content can be asked.",
}
_REFUSED: Final = {
    Kind.JSON: (
        "holds JSON, which has no value to compare with",
        "Leave the term out, or ask for another field.",
    ),
}


def value_test(term: Term, column: Column, model: str, context: Context, *, negated: bool) -> Test:
    """Return the test of a model's column; `negated` only for what has no opposite.

    Raises BadDomain where the operator does not fit the column or the value cannot be one of it.
    """
    if column.kind is Kind.COMPANY:
        return _company_test(term, column, model, context, negated=negated)
    asked = _Asked(term, column, context.lang)
    asked.refuse()
    if term.operator in INEQUALITIES:
        return asked.inequality()
    if term.operator in PATTERNS:
        return asked.pattern(negated=negated)
    if term.operator == "=?":
        return asked.optional(negated=negated)
    values = term.value if isinstance(term.value, tuple) else (term.value,)
    return asked.membership(values, negative=term.operator in {"!=", "not in"})


def _company_test(
    term: Term, column: Column, model: str, context: Context, *, negated: bool
) -> Test:
    inner = company.of_one_company(column)
    if inner is None:
        raise BadDomain(
            f"{term.written}: {column.type} values that depend on the company are not supported",
            hint="Leave the term out, or ask for a field that is the same for all companies.",
        )
    test = value_test(term, inner, model, context, negated=negated)
    defaults = context.defaults_of(model, column.name)
    read = company.reader(
        inner.kind, context.company, company.default_of(defaults, context.company)
    )

    def asked(raw: str | None) -> bool:
        try:
            value = read(raw)
        except ValueError:  # Odoo wrote no such value; its search would fail on it
            value = None
        return test(value)

    return asked


@dataclass(frozen=True, slots=True)
class _Asked:
    """A term with the column that it asks about."""

    term: Term
    column: Column
    lang: str

    def refuse(self) -> None:
        """Raise BadDomain where the operator does not fit."""
        kind = self.column.kind
        if kind in _REFUSED:
            raise self._bad(*_REFUSED[kind])
        unordered = {Kind.BOOLEAN, Kind.BINARY}
        textless = {*unordered, Kind.FLOAT}  # a double's text is not the same everywhere
        operator = self.term.operator
        if operator in INEQUALITIES and kind in unordered:
            raise self._bad(f"{self.column.type} has no order", 'Write "=" or "!=".')
        if operator in PATTERNS and kind in textless:
            raise self._bad(f"{self.column.type} is no text", "Compare with = or another sign.")

    def membership(self, values: Iterable[Any], *, negative: bool) -> Test:
        members = frozenset(self._members(values))
        read = self._reader()
        if negative:
            if read is None:
                return lambda raw: raw not in members
            return lambda raw: read(raw) not in members
        if read is None:
            return members.__contains__
        return lambda raw: read(raw) in members

    def optional(self, *, negated: bool) -> Test:
        if self.term.value is False:
            return lambda _: not negated
        equal = self.membership((self.term.value,), negative=False)
        # NOT (x = 5) is unknown where x is NULL, unlike x != 5.
        return (lambda raw: raw is not None and not equal(raw)) if negated else equal

    def inequality(self) -> Test:
        compare, value = _COMPARE[self.term.operator], self._convert(self.term.value)
        read = self._reader() or _same
        null = compare(0, value) if self._empty() == 0 else False  # a number's NULL is 0

        if self.column.kind in _TIMES:
            read = _then(read, in_order)

        def test(raw: Any) -> bool:
            found = read(raw)
            return null if found is None else compare(found, value)

        return test

    def pattern(self, *, negated: bool) -> Test:
        operator, written = self.term.operator, self.term.value
        negative = operator.startswith("not ")
        if operator in WRAPPED and (written is False or written == ""):
            return lambda _: not negative
        if isinstance(written, float):
            hint = f'Write "{written}".'
            raise self._bad("a number with digits has no text of its own", hint)
        pattern = f"%{written}%" if operator in WRAPPED else str(written)
        try:
            match = matcher(pattern, ignore_case=operator.endswith("ilike"))
        except ValueError:
            hint = r"Write \\ for a backslash."
            raise self._bad(r"a pattern cannot end in a single \ ", hint) from None
        read = self._text()

        def test(raw: Any) -> bool:
            text = read(raw)
            return text is not None and match(text)

        if negative:
            return lambda raw: not test(raw)
        return (lambda raw: read(raw) is not None and not test(raw)) if negated else test

    def _members(self, values: Iterable[Any]) -> Iterable[Any]:
        """Yield what equals one of the values; None stands for NULL."""
        empty = self._empty()
        for value in values:
            if self.column.kind is Kind.BOOLEAN:
                yield self._convert(value)
                continue
            found = empty if value is False else self._convert(value)
            if value is False or (found == empty and empty is not None):
                yield None
            yield found

    def _empty(self) -> Any:
        """Return what the field holds in place of NULL: "", 0, or None where nothing is."""
        match self.column.type:
            case "char" | "text" | "html":
                return ""
            case "integer" | "float" | "monetary":
                return 0
            case _:
                return None

    def _convert(self, value: Any) -> Any:
        """Return a term's value in the form that `_reader` gives."""
        try:
            return self._converted(value)
        except ValueError:
            message = f"{self.column.type} never is {shown(value)}"
            raise self._bad(message, _WANTED[self.column.kind]) from None

    def _converted(self, value: Scalar) -> Any:
        kind = self.column.kind
        if kind is Kind.BOOLEAN:
            return flag(value)
        if isinstance(value, bool):
            raise ValueError(value)  # noqa: TRY004  told as a value that does not fit
        if kind in _NUMBERS:
            return number_of(kind, value)
        if not isinstance(value, str):
            raise ValueError(value)  # noqa: TRY004  told as a value that does not fit
        match kind:
            case Kind.TEXT | Kind.TRANSLATED:
                return value
            case Kind.DATE:
                return day(value)
            case Kind.DATETIME:
                return moment(value, end_of_day=self.term.operator in _END_OF_DAY)
            case _:
                raise ValueError(value)

    def _reader(self) -> Read | None:
        """Return what makes a stored value comparable, or None where it is already."""
        match self.column.kind:
            case Kind.BOOLEAN:
                return bool
            case Kind.NUMERIC:
                return numeric
            case Kind.FLOAT:
                return real
            case Kind.DATETIME:
                return without_zone
            case Kind.TRANSLATED:
                return translation(self.lang)
            case _:
                return None

    def _text(self) -> Read:
        """Return what gives a stored value's text as Postgres casts it."""
        match self.column.kind:
            case Kind.INTEGER:
                return lambda raw: None if raw is None else str(raw)
            case Kind.DATETIME:
                return lambda raw: None if raw is None else raw[:-1].replace("T", " ")
            case Kind.TRANSLATED:
                return translation(self.lang)
            case _:
                return _same

    def _bad(self, message: str, hint: str) -> BadDomain:
        return BadDomain(f"{self.term.written}: {message}", hint=hint)


def _then(read: Read, order: Callable[[str], str]) -> Read:
    return lambda raw: None if (found := read(raw)) is None else order(found)


def _same(raw: Any) -> Any:
    return raw
