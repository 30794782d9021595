"""The messages that a record makes as it stands, and why a route has none. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from schemas.config import Config, Route
from schemas.delivery import Sample
from schemas.domain import Context, Domain, compile_domain
from schemas.domain.forms import And, Term
from schemas.event import Event
from streams.routing.dispatch import dispatch
from streams.routing.routes import Routes


def messages(config: Config, event: Event) -> list[Sample]:
    """Return what each route of an event's model has for each of its targets."""
    routes = tuple(replace(route, initial_load=True) for route in config.routes)
    made = dispatch(event, replace(Routes.of_config(config), routes=routes))
    sent = {(each.route, each.target): each for each in made.deliveries}
    dead = {(born.delivery.route, born.delivery.target): born.why for born in made.stillborn}
    return [
        Sample(
            route.name,
            target,
            sent.get((route.name, target)),
            dead.get((route.name, target)) or _why(route, event, config.source.context),
        )
        for route in config.routes
        if route.model == event.model
        for target in route.targets
    ]


def _why(route: Route, event: Event, context: Context) -> str:
    """Name the terms of the domain that the record does not meet."""
    if event.after is None:
        return "the event has no image"
    unmet = [
        text
        for text, domain in _parts(route.domain)
        if not compile_domain(domain, event.shape, context, active_test=route.active_test)(
            event.after
        )
    ]
    return f"it does not meet {' and '.join(unmet)}" if unmet else ""


def _parts(domain: Domain) -> Iterator[tuple[str, Domain]]:
    """Give what all must be met, with its text: the terms of a list, or the whole of it."""
    root = domain.root
    operands = root.operands if isinstance(root, And) else (root,)
    for each in operands:
        yield (each.written if isinstance(each, Term) else "its domain"), Domain(each)
