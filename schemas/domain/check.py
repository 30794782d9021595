"""A domain, held against models or a shape: what it asks for that cannot be answered."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

from schemas.document import NotShown, Shape, resolve
from schemas.domain.compile import compile_domain
from schemas.domain.context import Context
from schemas.domain.forms import Always, BadDomain, Domain, Term, reads
from schemas.domain.implied import implied_reads
from schemas.errors import BadUsage
from schemas.fields import Models
from schemas.finding import Fault
from schemas.shaping import Ground, InModels, InShape

_EVERY: Domain = Domain(Always(value=True))


def check(domain: Domain, models: Models, model: str, context: Context) -> list[Fault]:
    """Return everything that stands between the domain and the documents of `model`.

    Each fault's key is the place of its term in the list, `[2]`. Without a fault the domain
    compiles for every shape that shows what `reads` names.
    """
    if model not in models:
        try:
            models.model(model)
        except BadUsage as error:
            return [Fault(str(error), error.hint)]
    return faults(domain, InModels(models, model), context)


def unfit(domain: Domain, shape: Shape, context: Context) -> list[Fault]:
    """Return what `check` would find by what a shape shows; what it does not show is no fault."""
    return faults(domain, InShape(shape), context)


def faults(domain: Domain, ground: Ground, context: Context) -> list[Fault]:
    """Return what stands between the domain and the documents of a ground."""
    found = list(_of_terms(domain, ground, context))
    if not found:
        with suppress(NotShown):  # a route that starts later: nothing to judge yet
            # A "!" before a term can be too much.
            found += _of_compiling(domain, _shape(domain, ground, context), context)
    return found


def _of_terms(domain: Domain, ground: Ground, context: Context) -> Iterator[Fault]:
    for term in domain.terms():
        # What an inner domain asks is told apart, at its own place.
        outer = replace(term, value=_EVERY) if isinstance(term.value, Domain) else term
        with suppress(NotShown):  # likewise
            fault = _fault(outer, ground, context)
            if fault is not None:
                yield fault
            elif isinstance(term.value, Domain):
                found = resolve(ground.shape(term.path), term.path)
                yield from _of_terms(term.value, ground.behind(found), context)


def _of_compiling(domain: Domain, shape: Shape, context: Context) -> list[Fault]:
    try:
        compile_domain(domain, shape, context)
    except BadDomain as error:
        return [Fault(str(error), error.hint)]
    return []


def _fault(term: Term, ground: Ground, context: Context) -> Fault | None:
    try:
        shape = _shape(Domain(term), ground, context)
        found = resolve(shape, term.path, asked=True)
        if isinstance(term.value, Domain) and (found.column is not None or found.special):
            raise BadDomain(
                f"`{term.operator}` asks for the records of a relation; {term.path} is none",
                hint="Compare its value: = or another sign.",
            )
        compile_domain(Domain(term), shape, context)
    except BadUsage as error:
        message = str(error)
        if not message.startswith(term.written):
            message = f"{term.written}: {message}"
        return Fault(message, error.hint, term.place)
    return None


def _shape(domain: Domain, ground: Ground, context: Context) -> Shape:
    """Return a shape that shows all that the domain reads."""
    paths = [read.path for read in reads(domain)]
    shape = ground.shape(*paths, asked=True)
    if not isinstance(ground, InModels):
        return shape
    implied = implied_reads(domain, ground.models, ground.model, context)
    return ground.shape(*paths, *(read.path for read in implied), asked=True)
