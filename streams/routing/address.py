"""What a route has to say, as a delivery for each of its targets. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

from schemas import message
from schemas.conflict import told
from schemas.delivery import Delivery, Want
from schemas.document import EXTERNAL_ID_COLUMN
from schemas.event import Document, Event, Mode
from schemas.finding import advised
from schemas.keys import chain_of, delivery_id
from schemas.mapping import UnsendableValue, leave_out
from schemas.message import MAX_BODY, TOO_LARGE, UNSENDABLE, too_large
from streams.routing.routes import CompiledRoute, Routes

OVERSIZE: Final = "OVERSIZE"


class Operation(StrEnum):
    """What a delivery asks of its target."""

    CREATE = "create"
    UPDATE = "update"
    LEAVE = "leave"
    DELETE = "delete"


LEAVING: Final = frozenset({Operation.LEAVE, Operation.DELETE})


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
class Step:
    """What a route has to say: the operation and the image whose fields go with it."""

    operation: Operation
    shown: Document | None
    changed: list[str] | None = None


def address(
    event: Event, compiled: CompiledRoute, step: Step, again: Again | None
) -> Iterator[Delivery | Stillborn]:
    """Make the delivery of each target; the fields are rendered once for them all.

    Where Odoo is to be asked for something they are drafts. One that tells a target to forget a
    record has its last fields, and of these Odoo's values are not known. By hand it has none: the
    target may never have had the record, and what a domain keeps from it shall not reach it so.
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
        refused = None if step.operation in LEAVING else error
    if step.operation in LEAVING:
        fields, wants = _without(wants, fields), ()
        if event.mode is Mode.RESEND:
            fields = {}
    for target in _targets(event, compiled):
        blank = _blank(event, compiled, target, step.operation, again)
        if refused is not None:
            yield Stillborn(blank, advised(str(refused), refused.hint), UNSENDABLE)
            continue
        yield _sealed(blank, _body(event, compiled, blank, step, fields), wants)


def _targets(event: Event, compiled: CompiledRoute) -> Iterator[str]:
    route = compiled.route
    return (target for target in route.targets if event.is_for(route.name, target))


def _sealed(blank: Delivery, body: bytes, wants: tuple[Want, ...]) -> Delivery | Stillborn:
    if len(body) <= MAX_BODY:
        return replace(blank, body=body, wants=wants)
    return Stillborn(blank, too_large(len(body), blank.model, blank.record_id), TOO_LARGE)


def _body(
    event: Event,
    compiled: CompiledRoute,
    blank: Delivery,
    step: Step,
    fields: dict[str, Any],
) -> bytes:
    return message.body(
        event,
        blank,
        fields,
        target_model=compiled.route.target_model,
        changed=step.changed,
        external_id=(step.shown or {}).get(EXTERNAL_ID_COLUMN),
        conflict=_conflict(event, compiled),
    )


def _conflict(event: Event, compiled: CompiledRoute) -> dict[str, Any] | None:
    """Return what the receiver needs where the route has a policy."""
    policy = compiled.route.conflict
    if policy is None:
        return None
    previous = None
    if event.before is not None:
        with suppress(UnsendableValue):  # then nobody can tell
            wants = compiled.renderer.wants(event.before)
            previous = _without(wants, compiled.renderer.render(event.before))
    return told(policy, event.write_date or event.time, previous)


def _without(wants: Iterable[Want], fields: dict[str, Any]) -> dict[str, Any]:
    """Leave out what only Odoo knows."""
    for want in wants:
        leave_out(fields, want.place)
    return fields


def of_oversize(
    event: Event, size: int, routes: Routes, again: Again | None
) -> Iterator[Stillborn]:
    """Nobody knows whether the record matches: every route's targets get a dead letter."""
    why = (
        f"the event had {size} bytes, more than Kafka takes, and came without its images: select"
        f" fewer fields; the next change of {event.model} {event.id} sends it"
    )
    compiled = routes.of(event.shape)
    for each in compiled.ready:
        if event.mode is Mode.SNAPSHOT and not each.route.initial_load:
            continue
        for target in _targets(event, each):
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
