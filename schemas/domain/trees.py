"""`child_of` and `parent_of`: a record's place in its tree, by its own `parent_path`.

Odoo writes the ids from the root down to the record itself into it, "1/4/9/", and again for all
below when one moves. So a record alone says what it is below; what is above another record only
that one's path says, which documents do not show.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

from schemas.document import ID, Link, NotShown, Shape
from schemas.domain.forms import ACTIVE, BadDomain, Term, shown
from schemas.event import Document
from schemas.fields import Model
from schemas.via import ManyToMany, ManyToOne

PARENT_PATH: Final = "parent_path"
CHILD_OF: Final = "child_of"
_SEPARATOR: Final = "/"


def speaks_of_itself(model: str, link: Link) -> bool:
    """Whether Odoo asks for the place of the record itself, not of what the link leads to.

    It does where the link leads to the same model, many2many fields excepted.
    """
    return link.shape.model == model and not isinstance(link.via, ManyToMany)


def refuse_treeless(term: Term, model: Model, parent: str, prefix: str) -> None:
    """Raise BadDomain where the places of a model's records are not written down.

    `parent` is the many2one by which Odoo then searches level by level; `prefix` is the path to
    the records, with its dot.
    """
    found = model.fields.get(PARENT_PATH)
    if found is not None and found.stored:
        return
    if parent not in model.fields:
        raise BadDomain(f"{term.written}: {model.name} is no tree", hint='Compare ids, with "in".')
    some = sorted(roots(term))
    paths = (ID, parent, f"{parent}.{parent}")
    first, second, third = (json.dumps([prefix + path, "in", some]) for path in paths)
    raise BadDomain(
        f"{term.written}: {model.name} has no {PARENT_PATH}; Odoo searches level by level, and"
        " documents do not show trees of any depth",
        hint=f'Write as many levels as there are: "|", {first}, "|", {second}, {third}.',
    )


def tree_test(
    term: Term, shape: Shape, *, hide_archived: bool, negated: bool
) -> Callable[[Document], bool]:
    """Return the test of `id` or of a relation of the record's own.

    `hide_archived` is for what a many2many shows. NOT is unknown, so false, where Odoo would
    compare with NULL.
    """
    name, ids = term.path, roots(term)
    link = shape.link(name)
    if link is None and name != ID:
        raise BadDomain(
            f"{term.written}: `{term.operator}` asks for a place in a tree; {name} has none",
            hint='Ask "id" or a relation.',
        )
    if not ids:
        return lambda _: negated
    if term.operator != CHILD_OF:
        raise BadDomain(
            f"{term.written}: what is above a record only that record says, and documents do not"
            " show it",
            hint='Write the ids of its parent_path with "in".',
        )
    within = _within(ids)
    if link is None or speaks_of_itself(shape.model, link):
        _require(shape)
        return lambda document: within(document, negated)
    _require(link.shape)
    if isinstance(link.via, ManyToOne):
        return _of_one(name, within, negated=negated)
    active = hide_archived and isinstance(link.via, ManyToMany) and link.shape.column(ACTIVE)
    return _of_many(name, within, active_only=bool(active), negated=negated)


def roots(term: Term) -> frozenset[int]:
    """Return the ids that a term names; BadDomain for anything else."""
    if term.value is False or term.value == 0:
        return frozenset()
    values = term.value if isinstance(term.value, tuple) else (term.value,)
    found: set[int] = set()
    for value in values:
        if isinstance(value, str):
            raise BadDomain(
                f"{term.written}: a text is searched in the names of other records, which"
                " documents do not show",
                hint="Write ids.",
            )
        if isinstance(value, bool) or not isinstance(value, int) or value <= 0:
            raise BadDomain(f"{term.written}: {shown(value)} is no id", hint="Write ids.")
        found.add(value)
    return frozenset(found)


_Within = Callable[[Document, bool], bool]


def _within(ids: frozenset[int]) -> _Within:
    """Return whether a record is one of `ids` or below, or surely is not where `negated`."""
    labels = frozenset(map(str, ids))

    def test(record: Document, negated: bool) -> bool:  # noqa: FBT001  it is the value
        path = record[PARENT_PATH]
        return path is not None and labels.isdisjoint(path.split(_SEPARATOR)) is negated

    return test


def _of_one(name: str, within: _Within, *, negated: bool) -> Callable[[Document], bool]:
    def test(document: Document) -> bool:
        record = document[name]
        return record is not None and within(record, False) is not negated  # noqa: FBT003

    return test


def _of_many(
    name: str, within: _Within, *, active_only: bool, negated: bool
) -> Callable[[Document], bool]:
    def test(document: Document) -> bool:
        found: list[dict[str, Any]] = document[name]
        if active_only:
            found = [record for record in found if record[ACTIVE]]
        return any(within(record, False) for record in found) is not negated  # noqa: FBT003

    return test


def _require(shape: Shape) -> None:
    if shape.column(PARENT_PATH) is None:
        raise NotShown(f'{shape.model} does not show "{PARENT_PATH}"')
