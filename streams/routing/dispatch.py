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
operator: its before image does not count, the target is told how things stand.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import Enum, StrEnum
from typing import Any, Final

from schemas import message
from schemas.config import Route
from schemas.delivery import Delivery, Want
from schemas.document import EXTERNAL_ID_COLUMN
from schemas.event import Document, Event, Mode
from schemas.keys import chain_of, delivery_id
from schemas.mapping import UnsendableValue, changed
from schemas.message import MAX_BODY, TOO_LARGE, UNSENDABLE, too_large
from streams.filling.places import leave_out
from streams.routing.routes import CompiledRoute, Routes, RouteStartsLater

OVERSIZE: Final = "OVERSIZE"


class Operation(StrEnum):
    """What a delivery asks of its target."""

    CREATE = "create"
    UPDATE = "update"
    LEAVE = "leave"
    DELETE = "delete"


_LEAVING: Final = frozenset({Operation.LEAVE, Operation.DELETE})
_WITHOUT_PAST: Final = frozenset({Mode.SNAPSHOT, Mode.RESEND, Mode.RECOVER})  # `changed` is null


@dataclass(frozen=True, slots=True)
class Stillborn:
    """A delivery that cannot be sent: dead at birth, with the reason and the remedy in `why`."""

    delivery: Delivery
    why: str
    code: str


@dataclass(frozen=True, slots=True)
class Again:
    """How an event is repeated: the number of the run, and what its deliveries say of it."""

    run: int
    force_older: bool = False


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


@dataclass(frozen=True, slots=True)
class _Step:
    """What a route has to say: the operation and the image whose fields go with it."""

    operation: Operation
    shown: Document | None
    changed: list[str] | None = None


def dispatch(event: Event, routes: Routes, again: Again | None = None) -> Dispatched:
    """Return the deliveries of an event over all routes of its model; `again` of a past one.

    A past event says what it said: its mode and images decide what is sent.
    """
    compiled = routes.of(event.shape)
    if event.oversize is not None:
        return Dispatched(stillborn=tuple(_oversize(event, event.oversize, routes, again)))
    said = [(each, _said(event, each)) for each in compiled.concerned(event)]
    unchanged = tuple(each.route.name for each, step in said if step is Silent.UNCHANGED)
    ignored = tuple(each.route.name for each, step in said if step is Silent.IGNORED)
    steps = [(each, step) for each, step in said if isinstance(step, _Step)]
    # A target that gets several of them hears first what it has to forget.
    steps.sort(key=lambda pair: (pair[1].operation not in _LEAVING, pair[0].route.index))
    deliveries: list[Delivery] = []
    stillborn: list[Stillborn] = []
    for each, step in steps:
        for made in _address(event, each, step, again):
            if isinstance(made, Delivery):
                deliveries.append(made)
            else:
                stillborn.append(made)
    return Dispatched(tuple(deliveries), tuple(stillborn), compiled.later, unchanged, ignored)


def _said(event: Event, compiled: CompiledRoute) -> _Step | Silent | None:
    """Return what the route says about the event, unless it ignores who wrote it."""
    step = _step(event, compiled)
    ignored = isinstance(step, _Step) and _is_ignored(event, compiled.route)
    return Silent.IGNORED if ignored else step


def _step(event: Event, compiled: CompiledRoute) -> _Step | Silent | None:
    """Return what the route has to say about the event, None where it does not concern it."""
    before, after = event.before, event.after
    if event.mode is Mode.SNAPSHOT:
        wanted = compiled.route.initial_load and _is_match(compiled, after)
        return _Step(Operation.CREATE, after) if wanted else None
    matches = _is_match(compiled, after)
    if not event.before_known or event.mode is Mode.RESEND:
        if matches:
            return _Step(Operation.UPDATE, after)
    elif not _is_match(compiled, before):
        return _Step(Operation.CREATE, after) if matches else None
    elif matches:
        return _update(event, compiled)
    if after is None:
        return _Step(Operation.DELETE, before)
    return _leave(event, compiled)


def _is_ignored(event: Event, route: Route) -> bool:
    """Say whether all rows that changed were written by users whom the route ignores.

    Of a row that is gone nobody knows who did it, and Odoo's database writes some by itself.
    """
    ignored = route.ignore_writes_by
    if not ignored or event.mode is not Mode.STREAM or not event.writers:
        return False
    users = {event.users[login] for login in ignored if login in event.users}
    return users.issuperset(event.writers)


def _is_match(compiled: CompiledRoute, image: Document | None) -> bool:
    return image is not None and compiled.matches(image)


def _update(event: Event, compiled: CompiledRoute) -> _Step | Silent:
    """Return an update, UNCHANGED where both images give the same payload."""
    if event.before is not None and event.after is not None:
        compared = compiled.renderer.compared
        with suppress(UnsendableValue):  # then they differ, or rendering the new one says why
            if compared(event.before) == compared(event.after):
                return Silent.UNCHANGED
    return _Step(Operation.UPDATE, event.after, _names(event, compiled))


def _leave(event: Event, compiled: CompiledRoute) -> _Step | None:
    """Return what `on_leave` says, with the fields as the target last knew them.

    Never those of an image that stopped matching, where the other one is known: what a domain
    keeps from a target shall not reach it with the farewell.
    """
    match compiled.route.on_leave:
        case "ignore":
            return None
        case "delete":
            return _Step(Operation.DELETE, event.before or event.after)
        case _:
            return _Step(Operation.LEAVE, event.before or event.after, _names(event, compiled))


def _names(event: Event, compiled: CompiledRoute) -> list[str] | None:
    """Return the names whose values differ; None where there is nothing to compare."""
    if event.mode in _WITHOUT_PAST or event.before is None or event.after is None:
        return None
    try:
        return changed(compiled.renderer, event.before, event.after)
    except UnsendableValue:  # of one image; where it matters, rendering says so
        return None


def _address(
    event: Event, compiled: CompiledRoute, step: _Step, again: Again | None
) -> Iterator[Delivery | Stillborn]:
    """Make the delivery of each target; the fields are rendered once for them all.

    Where Odoo is to be asked for something they are drafts. One that tells a target to forget a
    record has its last fields, and of these Odoo's values are not known.
    """
    fields: dict[str, Any] = {}
    wants: tuple[Want, ...] = ()
    refused: UnsendableValue | None = None
    try:
        if step.shown is not None:
            fields = compiled.renderer.render(step.shown)
            wants = compiled.renderer.wants(step.shown)
    except UnsendableValue as error:
        # A target can forget a record without being told what it looked like.
        refused = None if step.operation in _LEAVING else error
    if step.operation in _LEAVING:
        for want in wants:
            leave_out(fields, want.place)
        wants = ()
    for target in compiled.route.targets:
        blank = _blank(event, compiled, target, step.operation, again)
        if refused is not None:
            yield Stillborn(blank, f"{refused} {refused.hint}".strip(), UNSENDABLE)
            continue
        yield _sealed(blank, _body(event, compiled, blank, step, fields), wants)


def _sealed(blank: Delivery, body: bytes, wants: tuple[Want, ...]) -> Delivery | Stillborn:
    if len(body) <= MAX_BODY:
        return replace(blank, body=body, wants=wants)
    return Stillborn(blank, too_large(len(body), blank.model, blank.record_id), TOO_LARGE)


def _body(
    event: Event,
    compiled: CompiledRoute,
    blank: Delivery,
    step: _Step,
    fields: dict[str, Any],
) -> bytes:
    return message.body(
        event,
        blank,
        fields,
        target_model=compiled.route.target_model,
        changed=step.changed,
        external_id=(step.shown or {}).get(EXTERNAL_ID_COLUMN),
    )


def _oversize(event: Event, size: int, routes: Routes, again: Again | None) -> Iterator[Stillborn]:
    """Nobody knows whether the record matches: every route's targets get a dead letter."""
    why = (
        f"the event had {size} bytes, more than Kafka takes, and came without its images: select"
        f" fewer fields; the next change of {event.model} {event.id} sends it"
    )
    compiled = routes.of(event.shape)
    for each in compiled.ready:
        if event.mode is Mode.SNAPSHOT and not each.route.initial_load:
            continue
        for target in each.route.targets:
            blank = _blank(event, each, target, Operation.UPDATE, again)
            yield Stillborn(blank, why, OVERSIZE)


def _blank(
    event: Event, compiled: CompiledRoute, target: str, operation: Operation, again: Again | None
) -> Delivery:
    """Return the delivery without its body."""
    chain = chain_of(event.source, target, event.model, event.id)
    position = event.position if again is None else replace(event.position, run=again.run)
    identity = delivery_id(chain, compiled.route.name, position.sequence)
    return Delivery(
        id=identity,
        chain=chain,
        target=target,
        route=compiled.route.name,
        sequence=position.sequence,
        model=event.model,
        record_id=event.id,
        operation=operation.value,
        mode=(event.mode if again is None else Mode.REPLAY).value,
        source=event.source,
        time=event.time,
        traceparent=message.traceparent(identity),
        body=b"",
        force_older=again is not None and again.force_older,
    )
