"""The paths that a domain reads without naming them: what Odoo adds to its terms.

Only a database's models tell them; documents show them from then on, and what compiles a domain
finds them there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from schemas import shaping
from schemas.document import ID, ManyToMany, Read, Resolved, resolve
from schemas.domain.forms import ACTIVE, TREES, Domain, Term
from schemas.domain.own_filters import shows_archived
from schemas.domain.trees import CHILD_OF, PARENT_PATH, refuse_treeless, roots, speaks_of_itself
from schemas.fields import Models

_PARENT: Final = "parent_id"  # by which Odoo searches where no field says otherwise


def implied_reads(
    domain: Domain, models: Models, model: str, *, active_test: bool = False
) -> list[Read]:
    """Return the paths that a domain reads besides those that `reads` names.

    With `active_test` they are `active` of the model itself and of the models that its paths
    reach through x2many fields; then `parent_path` where `child_of` asks. Raises Unknown or
    Unreadable for what is not there, BadDomain for what documents cannot answer.
    """
    found = _Implied(models).of_domain(domain, model, "", active_test=active_test)
    return [Read(path) for path in dict.fromkeys(found)]


@dataclass(frozen=True, slots=True)
class _Implied:
    models: Models

    def of_domain(
        self, domain: Domain, model: str, prefix: str, *, active_test: bool
    ) -> Iterator[str]:
        if active_test and ACTIVE in self.models.model(model).fields:
            yield prefix + ACTIVE
        for term in domain.terms():
            yield from self.of_term(term, model, prefix, active_test=active_test)

    def of_term(self, term: Term, model: str, prefix: str, *, active_test: bool) -> Iterator[str]:
        name, _, rest = term.path.partition(".")
        if not rest and not isinstance(term.value, Domain) and term.operator not in TREES:
            return
        found = self._resolved(model, name)
        if not found.links:
            if name == ID and term.operator in TREES:
                yield from self._place(term, model, _PARENT, prefix)
            return
        if found.column is not None or found.special:
            return
        *between, last = found.links
        holder = between[-1].shape.model if between else model
        before = prefix + "".join(f"{link.name}." for link in between)
        if not rest and term.operator in TREES and speaks_of_itself(holder, last):
            parent = _PARENT if last.many else last.name
            yield from self._place(term, holder, parent, before)
            return
        inside = term.value if isinstance(term.value, Domain) else None
        if rest or inside is None:
            inside = Domain(replace(term, path=rest or ID))
        # Only many2many fields hide archived records from `child_of`.
        tree_alone = not rest and term.operator in TREES and not isinstance(last.via, ManyToMany)
        hidden = active_test and not tree_alone and not shows_archived(holder, last)
        at = f"{before}{last.name}."
        yield from self.of_domain(inside, last.shape.model, at, active_test=hidden)

    def _place(self, term: Term, model: str, parent: str, prefix: str) -> Iterator[str]:
        if term.operator == CHILD_OF and roots(term):
            refuse_treeless(term, self.models.model(model), parent, prefix)
            yield prefix + PARENT_PATH

    def _resolved(self, model: str, path: str) -> Resolved:
        return resolve(shaping.build(self.models, model, [Read(path)]), path)
