"""A text against a relation: Odoo searches it in the names of the records behind it.

By which fields a model's records are found only Odoo's code says; `Context.names_of` knows some.
"""

from __future__ import annotations

from dataclasses import replace

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
    BadDomain,
    Domain,
    Or,
    Term,
)


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
    model = link.shape.model
    names = context.names_of(model)
    if not names:
        raise BadDomain(
            f"{term.written}: a text is searched in the names of {model}, and which of its fields"
            " those are no database says",
            hint=f'Write a path to the field that is meant, "{link.name}.name"; or say once for'
            f" all source.name_fields: {{{model}: [name]}}.",
        )
    values = term.value if isinstance(term.value, tuple) else (term.value,)
    nothing = term.operator in WRAPPED and values == (False,)
    if term.operator == "=?" or not (nothing or all(isinstance(each, str) for each in values)):
        raise BadDomain(
            f"{term.written}: in names only texts are searched, and not with `=?`",
            hint=f'Write a path to the field that is meant: "{link.name}.{names[0]}".',
        )
    operator = OPPOSITES[term.operator] if term.operator in NEGATIVE else term.operator
    alike = tuple(replace(term, path=name, operator=operator) for name in names)
    return Domain(alike[0] if len(alike) == 1 else Or(alike))
