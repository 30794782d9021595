"""Terms that compare the ids of related records, or ask whether there are any."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from schemas.document import ID, Link
from schemas.domain.forms import INEQUALITIES, BadDomain, Term, shown
from schemas.event import Document

_NEGATIVE = frozenset({"!=", "not in"})


def relation_test(term: Term, link: Link, *, negated: bool) -> Callable[[Document], bool]:
    """Return the test of a relational field; `negated` only for `=?`, which has no opposite.

    Raises BadDomain where the answer takes more than ids.
    """
    if term.operator in INEQUALITIES:
        raise BadDomain(
            f"{term.written}: a relation has no order",
            hint='Write "=" or "in", or a path to a field behind it.',
        )
    if term.operator == "=?" and term.value is False:
        return lambda _: not negated
    ids = _ids(term, link)
    unlike = negated or term.operator in _NEGATIVE
    if not link.many:
        known_only = term.operator == "=?" and negated  # NOT (x = 7) is unknown where x is NULL
        return _of_one(link.name, ids | {None} if known_only else ids, unlike=unlike)
    if term.value is False:
        return _of_any(link.name, unlike=unlike)
    return _of_many(link.name, ids, unlike=unlike)


def _of_one(name: str, ids: frozenset[Any], *, unlike: bool) -> Callable[[Document], bool]:
    def test(document: Document) -> bool:
        record = document[name]
        return ((None if record is None else record[ID]) in ids) != unlike

    return test


def _of_any(name: str, *, unlike: bool) -> Callable[[Document], bool]:
    return lambda document: bool(document[name]) == unlike


def _of_many(name: str, ids: frozenset[Any], *, unlike: bool) -> Callable[[Document], bool]:
    def test(document: Document) -> bool:
        return any(record[ID] in ids for record in document[name]) != unlike

    return test


def _ids(term: Term, link: Link) -> frozenset[int | None]:
    """Return the ids that a term names; None stands for no record."""
    values = term.value if isinstance(term.value, tuple) else (term.value,)
    found: set[int | None] = set()
    for value in values:
        # 0 is no record's id; only as the one value of a many2one does it mean "none".
        alone = value == 0 and not link.many and not isinstance(term.value, tuple)
        if value is False or alone:
            found.add(None)
        elif isinstance(value, int) and not isinstance(value, bool) and value > 0:
            found.add(value)
        else:
            raise BadDomain(
                f"{term.written}: {shown(value)} is no id", hint="Write ids; for no record, false."
            )
    return frozenset(found)
