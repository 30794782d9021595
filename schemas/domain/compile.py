"""A domain, compiled for one shape: closures that read documents and nothing else.

Negations are pushed inwards first, as Odoo does: and and or swap, operators become their
opposites, and what has none is negated as a whole. So no closure needs a third truth value.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple, assert_never

from schemas.document import NAME, SPECIAL, Link, NotShown, Resolved, Shape, is_part, resolve
from schemas.domain.context import Context
from schemas.domain.forms import (
    ACTIVE,
    ANY,
    NEGATIVE,
    OPPOSITES,
    TREES,
    Always,
    And,
    BadDomain,
    Domain,
    Node,
    Not,
    Or,
    Term,
)
from schemas.domain.names import asks_for_a_name, by_name, own_names
from schemas.domain.parts import part_of_date
from schemas.domain.relations import relation_test
from schemas.domain.trees import tree_test
from schemas.domain.values import value_test
from schemas.event import Document

Predicate = Callable[[Document], bool]

_IS_ACTIVE: Final = Term(ACTIVE, "=", value=True)


def compile_domain(
    domain: Domain, shape: Shape, context: Context, *, active_test: bool = False
) -> Predicate:
    """Return whether a document of `shape` matches.

    With `active_test` archived records do not match and are not seen through x2many fields, as
    far as the shape shows `active`, unless a term is about `active` itself. Raises NotShown where
    the shape lacks a path, and BadDomain for what `check` refuses.
    """
    return _Compiler(context, active_test).domain(domain, shape)


class Unmet(NamedTuple):
    """What of a domain a document does not meet, as an operator reads it.

    `terms` are those of a list, or the domain as a whole; `archived` says that Odoo's own filter
    leaves the record out.
    """

    terms: tuple[str, ...]
    archived: bool


def unmet(
    domain: Domain,
    shape: Shape,
    document: Document,
    context: Context,
    *,
    active_test: bool = False,
) -> Unmet:
    """Return what a document does not meet; nothing where it matches.

    Raises as `compile_domain` does.
    """
    compiler = _Compiler(context, active_test)
    root = domain.root
    terms = tuple(
        each.written if isinstance(each, Term) else "its domain"
        for each in (root.operands if isinstance(root, And) else (root,))
        if not compiler.node(each, shape, negated=False)(document)
    )
    everything = replace(domain, root=And(()))
    archived = not domain.names_active() and not compiler.domain(everything, shape)(document)
    return Unmet(terms, archived)


@dataclass(frozen=True, slots=True)
class _Compiler:
    context: Context
    active_test: bool

    def domain(self, domain: Domain, shape: Shape) -> Predicate:
        matches = self.node(domain.root, shape, negated=False)
        shown = shape.column(ACTIVE) or shape.alias(ACTIVE)
        if not self.active_test or not shown or domain.names_active():
            return matches
        return _all([self.term(_IS_ACTIVE, shape, negated=False), matches])

    def node(self, node: Node, shape: Shape, *, negated: bool) -> Predicate:
        match node:
            case Term():
                return self.term(node, shape, negated=negated)
            case Always(value):
                return _constant(value != negated)
            case Not(operand):
                return self.node(operand, shape, negated=not negated)
            case And(operands) | Or(operands):
                found = [self.node(each, shape, negated=negated) for each in operands]
                return _all(found) if isinstance(node, And) != negated else _some(found)
            case _:
                assert_never(node)

    def term(self, term: Term, shape: Shape, *, negated: bool) -> Predicate:
        name, _, rest = term.path.partition(".")
        if rest and (date := self.date(shape, name, rest)) is not None:
            return part_of_date(term, date, self.context, negated=negated)
        if rest:
            inside = Domain(replace(term, path=rest))
            return _unless(self.some(shape, name, inside, term), negated)
        if isinstance(term.value, Domain):
            found = self.some(shape, name, term.value, term)
            return _unless(found, (term.operator == ANY) == negated)
        if negated and term.operator in OPPOSITES:
            term, negated = replace(term, operator=OPPOSITES[term.operator]), False
        return self.plain(term, shape, negated=negated)

    def date(self, shape: Shape, name: str, rest: str) -> Resolved | None:
        """Return the date whose part is meant, None where the path leads to other records."""
        found = resolve(shape, name)
        return replace(found, part=rest) if is_part(found.column, rest.split(".")) else None

    def plain(self, term: Term, shape: Shape, *, negated: bool) -> Predicate:
        """Compile a term about a field of the record itself; `negated` where it must be."""
        name = term.path
        if (alias := shape.alias(name)) is not None:
            return self.related(term, shape, alias, negated=negated)
        link = shape.link(name)
        if term.operator in TREES and (link or shape.column(name)):
            hide = self.active_test and link is not None and self.hides_archived(shape, link)
            return tree_test(term, shape, hide_archived=hide, negated=negated)
        if link is not None:
            if asks_for_a_name(term):
                meant = by_name(term, link, self.context, negated=negated)
                return self.term(meant, shape, negated=False)
            return relation_test(term, link, negated=negated)
        if (column := shape.column(name)) is not None:
            test = value_test(term, column, shape.model, self.context, negated=negated)
            return lambda document: test(document[name])
        if name == NAME:
            meant_by_it = own_names(term, shape.model, self.context, negated=negated)
            return self.node(meant_by_it, shape, negated=False)
        if name in SPECIAL:
            raise BadDomain(
                f'{term.written}: Odoo has no field "{name}"',
                hint='Compare ids: ["id", "in", [7, 8]].',
            )
        raise NotShown(f'{shape.model} does not show "{name}"')

    def some(self, shape: Shape, name: str, inside: Domain, term: Term) -> Predicate:
        """Whether one of the records behind a relational field matches."""

        def behind(holder: Shape, link: Link) -> Predicate:
            hidden = self.active_test and self.hides_archived(holder, link)
            own = self.own_filter(holder, link)
            asked = inside if own is None else Domain(And((own, inside.root)))
            return replace(self, active_test=hidden).domain(asked, link.shape)

        return self.reached(shape, (name,), behind)

    def hides_archived(self, holder: Shape, link: Link) -> bool:
        """Whether `active_test` counts behind a link."""
        return link.many and not self.context.filter_of(holder.model, link.name).archived

    def own_filter(self, holder: Shape, link: Link) -> Node | None:
        """Return what an x2many field asks for by itself, None for nothing."""
        own = self.context.filter_of(holder.model, link.name).domain.root
        return own if link.many and own != And(()) else None

    def related(
        self, term: Term, shape: Shape, path: Sequence[str], *, negated: bool
    ) -> Predicate:
        """Compile a term about a field that reads through others.

        Unlike a path, it is empty where a record on the way is missing, and seen through
        archived ones.
        """
        hint = f"Write its path: {'.'.join(path)}."
        if negated:
            raise BadDomain(
                f'{term.written}: "!" before `{term.operator}` does not work on {term.path},'
                " which is read from another record",
                hint=hint,
            )
        if term.operator in TREES and resolve(shape, path).links[-1].many:
            raise BadDomain(
                f"{term.written}: whether archived records count depends on how {term.path} comes"
                " to be read from another record, which no database says",
                hint=hint,
            )
        values = term.value if isinstance(term.value, tuple) else (term.value,)
        empty = any(value is False for value in values)
        missing = empty != (term.operator in NEGATIVE)
        return self.through(term, shape, path, missing=missing)

    def through(
        self, term: Term, shape: Shape, path: Sequence[str], *, missing: bool
    ) -> Predicate:
        first, *rest = path
        if not rest:
            return self.term(replace(term, path=first), shape, negated=False)
        found = self.reached(
            shape,
            (first,),
            lambda _, link: self.through(term, link.shape, rest, missing=missing),
        )
        if not missing or resolve(shape, first).many:
            return found
        return _some([found, self.term(Term(first, "=", value=False), shape, negated=False)])

    def reached(
        self, shape: Shape, path: Sequence[str], behind: Callable[[Shape, Link], Predicate]
    ) -> Predicate:
        """Whether a record at the end of `path` matches `behind(its holder, the last link)`."""
        first, *rest = path
        if (alias := shape.alias(first)) is not None:
            return self.reached(shape, (*alias, *rest), behind)
        link = shape.link(first)
        if link is None:
            raise NotShown(f'{shape.model} shows nothing through "{first}"')
        if not rest:
            return _exists(link, behind(shape, link))
        inner = self.reached(link.shape, rest, behind)
        own = self.own_filter(shape, link)
        if own is None:
            return _exists(link, inner)
        shown = replace(self, active_test=False).domain(Domain(own), link.shape)
        return _exists(link, _all([shown, inner]))


def _exists(link: Link, matches: Predicate) -> Predicate:
    name = link.name
    if link.many:
        return lambda document: any(map(matches, document[name]))

    def test(document: Document) -> bool:
        record = document[name]
        return record is not None and matches(record)

    return test


def _constant(value: bool) -> Predicate:  # noqa: FBT001  it is the value
    return lambda _: value


def _unless(matches: Predicate, negated: bool) -> Predicate:  # noqa: FBT001  it is the value
    return (lambda document: not matches(document)) if negated else matches


def _all(found: Sequence[Predicate]) -> Predicate:
    if len(found) == 1:
        return found[0]
    tests = tuple(found)

    def test(document: Document) -> bool:
        for matches in tests:  # noqa: SIM110  half the price of all() over a generator
            if not matches(document):
                return False
        return True

    return test


def _some(found: Sequence[Predicate]) -> Predicate:
    if len(found) == 1:
        return found[0]
    tests = tuple(found)

    def test(document: Document) -> bool:
        for matches in tests:  # noqa: SIM110  half the price of any() over a generator
            if matches(document):
                return True
        return False

    return test
