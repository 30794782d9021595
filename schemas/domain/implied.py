"""The paths that a domain reads without naming them: what Odoo adds to its terms.

Only a database's models tell them; documents show them from then on, and what compiles a domain
finds them there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from schemas import shaping
from schemas.document import ID, NAME, Link, Read, Resolved, resolve
from schemas.domain.context import Context
from schemas.domain.forms import ACTIVE, TREES, And, Domain, Term, reads
from schemas.domain.names import asks_for_a_name, of_names, own_names
from schemas.domain.trees import CHILD_OF, PARENT_PATH, refuse_treeless, roots, speaks_of_itself
from schemas.fields import Models
from schemas.via import ManyToMany

_PARENT: Final = "parent_id"  # by which Odoo searches where no field says otherwise


def implied_reads(
    domain: Domain, models: Models, model: str, context: Context, *, active_test: bool = False
) -> list[Read]:
    """Return the paths that a domain reads besides those that `reads` names.

    They are what x2many fields ask for by themselves and the names in which texts are searched;
    with `active_test` `active` of the model itself and of the models that its paths reach through
    x2many fields; then `parent_path` where `child_of` asks. Raises Unknown or Unreadable for what
    is not there, BadDomain for what documents cannot answer.
    """
    found = _Implied(models, context).of_domain(domain, model, "", active_test=active_test)
    return [Read(path, asked=True) for path in dict.fromkeys(found)]


class _Step(NamedTuple):
    """A link on the way, with the model that it is a field of and the path to it."""

    holder: str
    link: Link
    path: str  # the link's own name included

    @property
    def model(self) -> str:
        return self.link.shape.model


@dataclass(frozen=True, slots=True)
class _Implied:
    models: Models
    context: Context

    def of_domain(
        self, domain: Domain, model: str, prefix: str, *, active_test: bool
    ) -> Iterator[str]:
        if active_test and ACTIVE in self.models.model(model).fields:
            yield prefix + ACTIVE
        for term in domain.terms():
            yield from self.of_term(term, model, prefix, active_test=active_test)

    def of_term(self, term: Term, model: str, prefix: str, *, active_test: bool) -> Iterator[str]:
        name, _, rest = term.path.partition(".")
        found = self._resolved(model, name)
        steps = _steps(found.links, model, prefix)
        if found.special == NAME:
            inside = own_names(term, model, self.context)
            yield from (prefix + read.path for read in reads(Domain(inside)))
            return
        if not steps:
            if name == ID and term.operator in TREES:
                yield from self._place(term, model, _PARENT, prefix)
            return
        if found.column is not None or found.special:  # a related field
            for step in steps:
                yield from self._own_filter(step)
            return
        *between, last = steps
        for step in between:
            yield from self._own_filter(step)
        yield from self._of_relation(term, rest, last, active_test=active_test)

    def _of_relation(
        self, term: Term, rest: str, step: _Step, *, active_test: bool
    ) -> Iterator[str]:
        holder, link, path = step
        behind = f"{path}."
        if not rest and term.operator in TREES:
            if speaks_of_itself(holder, link):
                parent = _PARENT if link.many else link.name
                yield from self._place(term, holder, parent, path.removesuffix(link.name))
                return
            # Only many2many fields hide archived records from it.
            hidden = active_test and isinstance(link.via, ManyToMany) and self._hides(step)
            at_id = Domain(replace(term, path=ID))
            yield from self.of_domain(at_id, step.model, behind, active_test=hidden)
            return
        if rest:
            inside = Domain(replace(term, path=rest))
        elif isinstance(term.value, Domain):
            inside = term.value
        elif asks_for_a_name(term):
            inside = of_names(term, link, self.context)
            yield from (behind + read.path for read in reads(inside))
        else:  # ids alone
            return
        yield from self._own_filter(step)
        own = self.context.filter_of(holder, link.name).domain
        asked = Domain(And((own.root, inside.root)))
        hidden = active_test and self._hides(step)
        yield from self.of_domain(asked, step.model, behind, active_test=hidden)

    def _own_filter(self, step: _Step) -> Iterator[str]:
        """Yield what an x2many field asks for by itself."""
        if step.link.many:
            own = self.context.filter_of(step.holder, step.link.name).domain
            yield from (f"{step.path}.{read.path}" for read in reads(own))

    def _hides(self, step: _Step) -> bool:
        """Whether `active_test` counts behind a link."""
        own = self.context.filter_of(step.holder, step.link.name)
        return step.link.many and not own.archived

    def _place(self, term: Term, model: str, parent: str, prefix: str) -> Iterator[str]:
        if term.operator == CHILD_OF and roots(term):
            refuse_treeless(term, self.models.model(model), parent, prefix)
            yield prefix + PARENT_PATH

    def _resolved(self, model: str, path: str) -> Resolved:
        shape = shaping.build(self.models, model, [Read(path, asked=True)])
        return resolve(shape, path, asked=True)


def _steps(links: Sequence[Link], model: str, prefix: str) -> list[_Step]:
    found: list[_Step] = []
    holder, path = model, prefix
    for link in links:
        path += link.name
        found.append(_Step(holder, link, path))
        holder, path = link.shape.model, f"{path}."
    return found
