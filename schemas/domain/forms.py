"""What a domain is, once parsed: terms, joined by and, or and not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, assert_never

from schemas.document import Read
from schemas.errors import BadUsage

Scalar = bool | int | float | str
Value = Scalar | tuple[Scalar, ...]

ANY: Final = "any"
NOT_ANY: Final = "not any"
ACTIVE: Final = "active"
_OPPOSITES: Final = {
    "=": "!=",
    "<": ">=",
    ">": "<=",
    "in": "not in",
    "like": "not like",
    "ilike": "not ilike",
    ANY: NOT_ANY,
}
OPPOSITES: Final = _OPPOSITES | {right: left for left, right in _OPPOSITES.items()}
NEGATIVE: Final = frozenset({"!=", "not in", "not like", "not ilike", NOT_ANY})
INEQUALITIES: Final = frozenset({"<", "<=", ">", ">="})
WRAPPED: Final = frozenset({"like", "ilike", "not like", "not ilike"})  # in wildcards
PATTERNS: Final = WRAPPED | {"=like", "=ilike"}
TREES: Final = frozenset({"child_of", "parent_of"})
OPERATORS: Final = frozenset({*OPPOSITES, *PATTERNS, *TREES, "=?"})
_SHOWN: Final = 80  # characters of a term in a message


class BadDomain(BadUsage):
    """The domain is not valid."""

    hint = 'Write a list of terms, [["state", "=", "sale"]] for instance.'


@dataclass(frozen=True, slots=True)
class Term:
    """One comparison; `path` is dotted, False is Odoo's word for empty.

    A domain stands as `value` with `any` and `not any`, a tuple with `in` and `not in`.
    `written` is the term for messages, whatever part of its path has been followed; `place` is
    where it stands in the list: `[2]`.
    """

    path: str
    operator: str
    value: Value | Domain
    written: str = field(default="", compare=False)
    place: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Always:
    """Every record, or none: `[1, "=", 1]`, `[0, "=", 1]`."""

    value: bool


@dataclass(frozen=True, slots=True)
class Not:
    """What the operand does not say; pushed inwards when compiled."""

    operand: Node


@dataclass(frozen=True, slots=True)
class And:
    """All of the operands; none is true."""

    operands: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """One of the operands at least."""

    operands: tuple[Node, ...]


Node = Term | Always | Not | And | Or


@dataclass(frozen=True, slots=True)
class Domain:
    """A parsed domain."""

    root: Node

    def terms(self) -> Iterator[Term]:
        """Yield the terms in the order written, without those of domains inside `any`."""
        return _terms(self.root)

    def names_active(self) -> bool:
        """Whether a term is about exactly `active`: then Odoo adds no filter of its own."""
        return any(term.path == ACTIVE for term in self.terms())


def reads(domain: Domain) -> list[Read]:
    """Return every path that the domain names, each once, in the order written."""
    return [Read(path, asked=True) for path in dict.fromkeys(_paths(domain, ""))]


def shown(written: Any) -> str:
    """Return something written in a domain as one short line."""
    try:
        text = json.dumps(written, default=lambda _: "...")
    except (ValueError, TypeError, RecursionError):  # nothing that a file can hold
        text = f"a {type(written).__name__}"
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _paths(domain: Domain, prefix: str) -> Iterator[str]:
    for term in domain.terms():
        yield prefix + term.path
        if isinstance(term.value, Domain):
            yield from _paths(term.value, f"{prefix}{term.path}.")


def _terms(node: Node) -> Iterator[Term]:
    match node:
        case Term():
            yield node
        case Always():
            return
        case Not(operand):
            yield from _terms(operand)
        case And(operands) | Or(operands):
            for each in operands:
                yield from _terms(each)
        case _:
            assert_never(node)
