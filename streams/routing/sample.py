"""The messages that a record makes as it stands, and why a route has none. Pure."""

from __future__ import annotations

from dataclasses import replace

from schemas.config import Config, Route
from schemas.delivery import Sample
from schemas.domain import Context, unmet
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
    """Name the terms of the domain that the record does not meet, or that it is archived."""
    if event.after is None:
        return "the event has no image"
    terms, archived = unmet(
        route.domain, event.shape, event.after, context, active_test=route.active_test
    )
    found = ["it is archived, and the route says `active_test: true`"] if archived else []
    if terms:
        found.append(f"it does not meet {' and '.join(terms)}")
    return "; ".join(found)
