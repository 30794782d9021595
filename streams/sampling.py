"""What `sample` prints: the messages of a record as it stands, with what Odoo says of it."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from schemas.config import Config
from schemas.delivery import Sample
from schemas.errors import ServiceUnavailable
from schemas.event import Event
from streams.filling.draft import Filled, fill
from streams.filling.reads import Answers, Away, ask
from streams.odoo.reader import Reader
from streams.routing import sample


class OdooAway(ServiceUnavailable):
    """Odoo does not answer, or does not let us in."""

    hint = "Start Odoo, or correct source.odoo in sync.yaml; `odoo-cdc check` logs in there."


def messages(config: Config, event: Event) -> list[Sample]:
    """Return what each route has for each of its targets; blocking, no event loop may run.

    Raises OdooAway where a route needs values of an Odoo that is not to be had.
    """
    made = sample.messages(config, event)
    wants = [w for each in made if each.delivery is not None for w in each.delivery.wants]
    if not wants:
        return made
    reader = Reader(config.source.odoo, config.source.context.lang)
    answers = asyncio.run(ask(reader, wants))
    if isinstance(answers, Away):
        raise OdooAway(f"values of {event.model} {event.id} are Odoo's alone: {answers.why}")
    number = config.decimals == "number"
    return [_filled(each, answers, number=number) for each in made]


def _filled(each: Sample, answers: Answers, *, number: bool) -> Sample:
    if each.delivery is None or not each.delivery.wants:
        return each
    done = fill(each.delivery, answers, number=number)
    if isinstance(done, Filled):
        return replace(each, delivery=done.delivery)
    return replace(each, delivery=None, why=done.why)
