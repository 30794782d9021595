"""Which routes an event can concern at all, found without asking each of them. Pure.

Most domains say what a field of the record must be: `[["state", "=", "sale"], ...]`. Routes are
kept under the values that they want, so the cost of an event grows with the routes that can match
it, not with how many there are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Final, Generic, TypeVar

from schemas.document import Shape
from schemas.domain.forms import And, Domain, Node, Term
from schemas.event import Document
from schemas.fields import Kind

T = TypeVar("T")
_FEW: Final = 4  # routes that are asked sooner than looked up
_Wanted = tuple[str, frozenset[str | int]]  # a column, and the values of which it must have one


class Choice(Generic[T]):
    """Routes by what their domains want of the record."""

    def __init__(self, routes: Sequence[T], domain: Callable[[T], Domain], shape: Shape) -> None:
        """Keep routes, in their order, for documents of one shape."""
        self._routes = routes
        self._always: list[int] = []
        self._by: dict[str, dict[str | int, list[int]]] = {}
        found: dict[str, dict[str | int, list[int]]] = defaultdict(lambda: defaultdict(list))
        for place, route in enumerate(routes):
            wanted = next(_wanted(domain(route).root, shape), None)
            if wanted is None:
                self._always.append(place)
                continue
            for value in wanted[1]:
                found[wanted[0]][value].append(place)
        if len(routes) > _FEW:
            self._by = {column: dict(places) for column, places in found.items()}

    def of(self, before: Document | None, after: Document | None) -> Sequence[T]:
        """Return those that can match one of the images, in their order."""
        if not self._by:
            return self._routes
        places = set(self._always)
        for column, by_value in self._by.items():
            for image in (before, after):
                if image is not None:
                    places.update(by_value.get(image[column], ()))
        return [self._routes[place] for place in sorted(places)]


def _wanted(node: Node, shape: Shape) -> Iterator[_Wanted]:
    """Give what a record must have to match, as far as one of its own columns says so."""
    match node:
        case And(operands):
            for each in operands:
                yield from _wanted(each, shape)
        case Term(path=path, operator="=" | "in", value=value):
            column = shape.column(path)
            values = value if isinstance(value, tuple) else (value,)
            if column is None or shape.alias(path) is not None:
                return
            # False, "" and 0 mean empty to Odoo: NULL has no place here.
            if column.kind is Kind.TEXT and all(isinstance(v, str) and v for v in values):
                yield path, frozenset(v for v in values if isinstance(v, str))
            elif column.kind is Kind.INTEGER and all(type(v) is int and v for v in values):
                yield path, frozenset(v for v in values if isinstance(v, int))
        case _:
            return
