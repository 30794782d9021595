"""First step: an event becomes deliveries, one for each route and target that it concerns.

Each is written to its target's send queue; one that cannot be sent is dead at birth, with a dead
letter. The batch is done when Kafka has it all.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from schemas import delivery as deliveries
from schemas.avro import NotAnEvent, UnknownSchema
from schemas.errors import DataAtRisk
from schemas.event import Event
from streams.chains.dead_letter import stillborn
from streams.chains.item import Terms
from streams.decoding import Decoder
from streams.kafka.records import Places, Record, Taken, WriteRecords, report_unreadable
from streams.metrics import Meter
from streams.routing.address import Stillborn
from streams.routing.dispatch import Dispatched, dispatch
from streams.routing.routes import Routes

logger = logging.getLogger(__name__)
_BREATH: Final = 25  # events between two chances for everything else in the event loop


class SchemaMissing(DataAtRisk):
    """An event names a schema that the schemas topic does not hold."""

    hint = (
        "capture writes a schema before the first event that uses it: look whether the topic"
        " `<source>.schemas` was made anew. `odoo-cdc setup` and a start of capture write the"
        " current one again."
    )


async def decoded(decoder: Decoder, taken: Taken) -> Event | None:
    """Return the event of a record; None, and a line in the log, for what is none.

    Raises SchemaMissing.
    """
    try:
        return await decoder.event(taken.value)
    except UnknownSchema as error:
        raise SchemaMissing(f"{taken.topic}: {error}") from error
    except NotAnEvent:
        report_unreadable(taken, "not an event")
        return None


@dataclass(slots=True)
class Events:
    """What a worker does with the records of a model's events."""

    decoder: Decoder
    routes: Routes
    terms: Mapping[str, Terms]
    places: Places
    write: WriteRecords
    meter: Meter
    clock: Callable[[], float] = time.time

    async def __call__(self, batch: Sequence[Taken]) -> None:
        """Dispatch a batch. Dead letters are written before the ledger mentions them."""
        first: list[Record] = []
        then: list[Record] = []
        routes = self.routes  # of this batch, whatever file comes meanwhile
        for index, taken in enumerate(batch):
            event = await decoded(self.decoder, taken)
            if event is None:
                self.meter.count("events_unreadable", taken.topic)
            else:
                done = dispatch(event, routes)
                self._count(event, done)
                for sent in done.deliveries:
                    value = deliveries.encode(sent)
                    first.append(self.places.deliveries(sent.target, sent.chain, value))
                for born in done.stillborn:
                    letter, entry = self._bury(born)
                    first.append(letter)
                    then.append(entry)
            if index % _BREATH == _BREATH - 1:
                await asyncio.sleep(0)  # see _BREATH
        await self.write(first)
        await self.write(then)

    def _count(self, event: Event, done: Dispatched) -> None:
        self.meter.count("events", event.model)
        for late in done.later:
            self.meter.count("routes_not_started", late.route)
        for name in done.ignored:
            self.meter.count("routes_ignored", name)
        for sent in done.deliveries:
            self.meter.count("dispatched", sent.target)
        for born in done.stillborn:
            self.meter.count("stillborn", born.delivery.target)

    def _bury(self, born: Stillborn) -> tuple[Record, Record]:
        sent = born.delivery
        entry, letter = stillborn(
            sent, self.terms[sent.target], why=born.why, code=born.code, now=self.clock()
        )
        logger.warning(
            "%s is dead at birth: %s",
            sent.id,
            born.code,
            extra={"action": "dead", "delivery": sent.id, "code": born.code},
        )
        places = self.places
        return places.dead(sent.chain, letter), places.ledger(sent.id, sent.chain, entry)
