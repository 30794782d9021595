"""A text against a relation: Odoo searches it in the names of the records behind it.

By which fields a model's records are found only Odoo's code says; `Context.names_of` knows some.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from schemas.document import Link
from schemas.domain.context import Context
from schemas.domain.forms import (
    ANY,
    INEQUALITIES,
    NEGATIVE,
    NOT_ANY,
    OPPOSITES,
    PATTERNS,
    WRAPPED,
    And,
    BadDomain,
    Domain,
    Node,
    Or,
    Term,
)

_BELOW_TOO: Final = frozenset({"res.partner.category"})


def asks_for_a_name(term: Term) -> bool:
    """Whether a term of a relation compares texts, not ids."""
    if term.operator in INEQUALITIES or isinstance(term.value, Domain):
        return False
    values = term.value if isinstance(term.value, tuple) else (term.value,)
    return term.operator in PATTERNS or any(isinstance(value, str) for value in values)


def by_name(term: Term, link: Link, context: Context, *, negated: bool) -> Term:
    """Return what Odoo asks in place of such a term: `any` of the records of such a name.

    What is linked to nothing meets a negative one too. Raises BadDomain as `of_names`, and where
    `negated` asks for an opposite that there is none of.
    """
    inside = of_names(term, link, context)
    if negated:
        raise BadDomain(
            f'{term.written}: a "!" before `{term.operator}` does not work on names',
            hint=f'Write "not any": ["{link.name}", "not any", [...]].',
        )
    operator = NOT_ANY if term.operator in NEGATIVE else ANY
    return replace(term, operator=operator, value=inside)


def of_names(term: Term, link: Link, context: Context) -> Domain:
    """Return which records behind the link a term's texts find, a negative one's too.

    Raises BadDomain where nobody knows the names, or what Odoo would make of the term.
    """
    names = _names(term, link.shape.model, context, f"{link.name}.")
    operator = OPPOSITES[term.operator] if term.operator in NEGATIVE else term.operator
    alike = tuple(replace(term, path=name, operator=operator) for name in names)
    return Domain(alike[0] if len(alike) == 1 else Or(alike))


def own_names(term: Term, model: str, context: Context, *, negated: bool = False) -> Node:
    """Return what Odoo asks in place of a term about `display_name`.

    A negative one must be true of every name. Raises BadDomain as `by_name` does.
    """
    names = _names(term, model, context, "")
    if isinstance(term.value, tuple):
        raise BadDomain(
            f"{term.written}: Odoo's search does not take a list here",
            hint='Write a term for each text, with "|" before them.',
        )
    if negated:
        raise BadDomain(
            f'{term.written}: a "!" before `{term.operator}` does not work on display_name',
            hint=f'Write it of the field that is meant: "{names[0]}".',
        )
    alike = tuple(replace(term, path=name) for name in names)
    if len(alike) == 1:
        return alike[0]
    return And(alike) if term.operator in NEGATIVE else Or(alike)


def _names(term: Term, model: str, context: Context, prefix: str) -> tuple[str, ...]:
    """Return the fields in which texts are searched; `prefix` is the path to the records."""
    if model in _BELOW_TOO:
        raise BadDomain(
            f"{term.written}: of {model} Odoo finds those of such a name and all below them, and"
            " documents do not show trees of any depth",
            hint=f'Write a path to the field that is meant: "{prefix}name".',
        )
    names = context.names_of(model)
    if not names:
        raise BadDomain(
            f"{term.written}: a text is searched in the names of {model}, and which of its fields"
            " those are no database says",
            hint=f'Write a path to the field that is meant, "{prefix}name"; or say once for'
            f" all source.name_fields: {{{model}: [name]}}.",
        )
    values = term.value if isinstance(term.value, tuple) else (term.value,)
    nothing = term.operator in WRAPPED and values == (False,)
    ordered = term.operator in INEQUALITIES or term.operator == "=?"
    if ordered or not (nothing or all(isinstance(each, str) for each in values)):
        raise BadDomain(
            f"{term.written}: in names only texts are searched, and not with `=?` or by order",
            hint=f'Write a path to the field that is meant: "{prefix}{names[0]}".',
        )
    return names
