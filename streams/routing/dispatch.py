"""From an event to its deliveries: what each route has to tell each of its targets. Pure.

    before matches  after matches   sent
    no              yes             create
    yes             yes             update, where the payload differs
    yes             no              what `on_leave` says: leave, delete, or nothing (ignore)
    yes             record is gone  delete
    unknown         yes             update
    unknown         no              what `on_leave` says
    unknown         record is gone  delete

The initial load sends `create` for what matches and nothing else. A resend is asked for by an
operator: its before image does not count, the target is told how things stand. An event may be for
some routes and targets only: the others hear nothing of it.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from typing import Final

from schemas.config import Route
from schemas.delivery import Delivery
from schemas.event import Document, Event, Mode
from schemas.mapping import UnsendableValue, changed
from streams.routing.address import (
    LEAVING,
    Again,
    Operation,
    Step,
    Stillborn,
    address,
    of_oversize,
)
from streams.routing.routes import CompiledRoute, Routes, RouteStartsLater

_WITHOUT_PAST: Final = frozenset({Mode.SNAPSHOT, Mode.RESEND, Mode.RECOVER})  # `changed` is null


@dataclass(frozen=True, slots=True)
class Dispatched:
    """What one event came to; `deliveries` of one chain are in the order of sending."""

    deliveries: tuple[Delivery, ...] = ()
    stillborn: tuple[Stillborn, ...] = ()
    later: tuple[RouteStartsLater, ...] = ()
    unchanged: tuple[str, ...] = ()  # routes whose payload is the same in both images
    ignored: tuple[str, ...] = ()  # routes that ignore whoever wrote it


class Silent(Enum):
    """Why a route that an event concerns has nothing to say."""

    UNCHANGED = "unchanged"
    IGNORED = "ignored"


def dispatch(event: Event, routes: Routes, again: Again | None = None) -> Dispatched:
    """Return the deliveries of an event over all routes of its model; `again` of a past one.

    A past event says what it said: its mode and images decide what is sent.
    """
    compiled = routes.of(event.shape)
    if event.oversize is not None:
        return Dispatched(stillborn=tuple(of_oversize(event, event.oversize, routes, again)))
    concerned = [each for each in compiled.concerned(event) if event.is_for(each.route.name)]
    said = [(each, _said(event, each)) for each in concerned]
    unchanged = tuple(each.route.name for each, step in said if step is Silent.UNCHANGED)
    ignored = tuple(each.route.name for each, step in said if step is Silent.IGNORED)
    steps = [(each, step) for each, step in said if isinstance(step, Step)]
    # A target that gets several of them hears first what it has to forget.
    steps.sort(key=lambda pair: (pair[1].operation not in LEAVING, pair[0].route.index))
    deliveries: list[Delivery] = []
    stillborn: list[Stillborn] = []
    for each, step in steps:
        for made in address(event, each, step, again):
            if isinstance(made, Delivery):
                deliveries.append(made)
            else:
                stillborn.append(made)
    return Dispatched(tuple(deliveries), tuple(stillborn), compiled.later, unchanged, ignored)


def _said(event: Event, compiled: CompiledRoute) -> Step | Silent | None:
    """Return what the route says about the event, unless it ignores who wrote it."""
    step = _step(event, compiled)
    ignored = isinstance(step, Step) and _is_ignored(event, compiled.route)
    return Silent.IGNORED if ignored else step


def _step(event: Event, compiled: CompiledRoute) -> Step | Silent | None:
    """Return what the route has to say about the event, None where it does not concern it."""
    before, after = event.before, event.after
    if event.mode is Mode.SNAPSHOT:
        wanted = compiled.route.initial_load and _is_match(compiled, after)
        return Step(Operation.CREATE, after) if wanted else None
    matches = _is_match(compiled, after)
    if not event.before_known or event.mode is Mode.RESEND:
        if matches:
            return Step(Operation.UPDATE, after)
    elif not _is_match(compiled, before):
        return Step(Operation.CREATE, after) if matches else None
    elif matches:
        return _update(event, compiled)
    if after is None:
        return Step(Operation.DELETE, before)
    return _leave(event, compiled)


def _is_ignored(event: Event, route: Route) -> bool:
    """Say whether all rows that changed were written by users whom the route ignores.

    Of a row that is gone nobody knows who did it: who wrote the others, in the same transaction.
    Where there are none, it may have been anybody, and Odoo's database writes some by itself.
    """
    ignored = route.ignore_writes_by
    if not ignored or event.mode is not Mode.STREAM or not event.writers:
        return False
    users = {event.users[login] for login in ignored if login in event.users}
    known = {writer for writer in event.writers if writer is not None}
    return bool(known) and known <= users


def _is_match(compiled: CompiledRoute, image: Document | None) -> bool:
    return image is not None and compiled.matches(image)


def _update(event: Event, compiled: CompiledRoute) -> Step | Silent:
    """Return an update, UNCHANGED where both images give the same payload."""
    if event.before is not None and event.after is not None:
        compared = compiled.renderer.compared
        with suppress(UnsendableValue):  # then they differ, or rendering the new one says why
            if compared(event.before) == compared(event.after):
                return Silent.UNCHANGED
    return Step(Operation.UPDATE, event.after, _names(event, compiled))


def _leave(event: Event, compiled: CompiledRoute) -> Step | None:
    """Return what `on_leave` says, with the fields as the target last knew them.

    Never those of an image that stopped matching, where the other one is known: what a domain
    keeps from a target shall not reach it with the farewell.
    """
    match compiled.route.on_leave:
        case "ignore":
            return None
        case "delete":
            return Step(Operation.DELETE, event.before or event.after)
        case _:
            return Step(Operation.LEAVE, event.before or event.after, _names(event, compiled))


def _names(event: Event, compiled: CompiledRoute) -> list[str] | None:
    """Return the names whose values differ; None where there is nothing to compare."""
    if event.mode in _WITHOUT_PAST or event.before is None or event.after is None:
        return None
    try:
        return changed(compiled.renderer, event.before, event.after)
    except UnsendableValue:  # of one image; where it matters, rendering says so
        return None
