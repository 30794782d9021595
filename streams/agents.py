"""What the worker's agents do with a batch: plain functions over ports, Faust is elsewhere.

Each returns when everything that its batch led to is in Kafka; only then the batch counts as
done. A record that is not what its topic holds is reported and left where it is: stopping for
it would stop every chain.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from schemas import acknowledgement as words
from schemas import delivery as deliveries
from schemas.acknowledgement import Acknowledgement, MalformedAcknowledgement
from schemas.avro import NotAnEvent, SchemaBook, UnknownSchema
from schemas.delivery import NotADelivery
from schemas.errors import DataAtRisk
from schemas.event import Event
from schemas.keys import partition_of, split_delivery_id
from schemas.topics import Topics
from streams import ledger
from streams.acknowledgements import Word
from streams.at_least_once import Taken
from streams.calls import Meter
from streams.dispatch import Dispatched, Stillborn, dispatch
from streams.forward import Forwarder
from streams.item import Arrival, Terms
from streams.kafka import Record
from streams.routes import Routes

logger = logging.getLogger(__name__)
_BREATH: Final = 25  # events between two chances for everything else in the event loop


class SchemaMissing(DataAtRisk):
    """An event names a schema that the schemas topic does not hold."""

    hint = (
        "capture writes a schema before the first event that uses it: look whether the topic"
        " `<source>.schemas` was made anew. `odoo-cdc setup` and a start of capture write the"
        " current one again."
    )


class Write(Protocol):
    """Writes records and returns once Kafka has them."""

    async def __call__(self, records: Sequence[Record]) -> Sequence[int]: ...


@dataclass(frozen=True, slots=True)
class Place:
    """Where records go: names, and the partition count of every topic."""

    topics: Topics
    partitions: int

    def deliveries(self, target: str, chain: str, value: bytes) -> Record:
        """Return the record of a delivery in its send queue."""
        return self._record(self.topics.deliveries(target), chain.encode(), chain, value)

    def response(self, chain: str, value: bytes) -> Record:
        """Return the record of an acknowledgement."""
        return self._record(self.topics.responses, chain.encode(), chain, value)

    def dead(self, chain: str, value: bytes) -> Record:
        """Return the record of a dead letter."""
        return self._record(self.topics.dead, chain.encode(), chain, value)

    def ledger(self, delivery_id: str, chain: str, value: bytes) -> Record:
        """Return the record of a delivery's state, beside its chain."""
        return self._record(self.topics.ledger, delivery_id.encode(), chain, value)

    def schema(self, fingerprint: bytes, text: bytes) -> Record:
        """Return the record of an Avro schema."""
        name = fingerprint.hex()
        return self._record(self.topics.schemas, name.encode(), name, text)

    def _record(self, topic: str, key: bytes, chain: str, value: bytes) -> Record:
        return Record(topic, partition_of(chain, self.partitions), key, value)


@dataclass(slots=True)
class Events:
    """Events -> deliveries, in the send queue of each target."""

    book: SchemaBook
    refresh: Callable[[], Awaitable[None]]  # reads what the schemas topic has gained
    routes: Routes
    terms: Mapping[str, Terms]
    place: Place
    write: Write
    meter: Meter
    clock: Callable[[], float] = time.time

    async def __call__(self, batch: Sequence[Taken]) -> None:
        """Dispatch a batch. Dead letters are written before the ledger mentions them."""
        first: list[Record] = []
        then: list[Record] = []
        for index, taken in enumerate(batch):
            event = await self._decode(taken)
            if event is not None:
                done = dispatch(event, self.routes)
                self._count(event, done)
                for sent in done.deliveries:
                    value = deliveries.encode(sent)
                    first.append(self.place.deliveries(sent.target, sent.chain, value))
                for born in done.stillborn:
                    letter, entry = self._bury(born)
                    first.append(letter)
                    then.append(entry)
            if index % _BREATH == _BREATH - 1:
                await asyncio.sleep(0)
        await self.write(first)
        await self.write(then)

    async def _decode(self, taken: Taken) -> Event | None:
        try:
            try:
                return self.book.decode(taken.value)
            except UnknownSchema:
                await self.refresh()
                return self.book.decode(taken.value)
        except UnknownSchema as error:
            raise SchemaMissing(f"{taken.topic}: {error}") from error
        except NotAnEvent:
            _report(taken, "not an event")
            self.meter.count("events_unreadable", taken.topic)
            return None

    def _count(self, event: Event, done: Dispatched) -> None:
        self.meter.count("events", event.model)
        for late in done.later:
            self.meter.count("routes_not_started", late.route)
        for sent in done.deliveries:
            self.meter.count("dispatched", sent.target)
        for born in done.stillborn:
            self.meter.count("stillborn", born.delivery.target)

    def _bury(self, born: Stillborn) -> tuple[Record, Record]:
        sent = born.delivery
        entry, letter = ledger.stillborn(
            sent, self.terms[sent.target], why=born.why, code=born.code, now=self.clock()
        )
        logger.warning(
            "%s is dead at birth: %s",
            sent.id,
            born.code,
            extra={"action": "dead", "delivery": sent.id, "code": born.code},
        )
        place = self.place
        return place.dead(sent.chain, letter), place.ledger(sent.id, sent.chain, entry)


@dataclass(slots=True)
class Deliveries:
    """The send queue of one target -> WSO2, by way of the forwarder."""

    forwarder: Forwarder
    terms: Terms
    meter: Meter

    async def __call__(self, batch: Sequence[Taken]) -> None:
        """Forward a batch; whatever is not final becomes an item."""
        arrivals: list[Arrival] = []
        for taken in batch:
            try:
                sent = deliveries.decode(taken.value)
            except NotADelivery as error:
                _report(taken, f"not a delivery: {error}")
                self.meter.count("deliveries_unreadable", taken.topic)
            else:
                arrivals.append(Arrival(sent, taken.partition, taken.offset, self.terms))
        if arrivals:
            await self.forwarder.deliver(arrivals)


@dataclass(slots=True)
class Responses:
    """Acknowledgements -> the forwarder; those beside their chain's partition are moved."""

    forwarder: Forwarder
    place: Place
    write: Write
    meter: Meter

    async def __call__(self, batch: Sequence[Taken]) -> None:
        """Apply a batch of acknowledgements."""
        here: list[Word] = []
        moved: list[Record] = []
        for taken in batch:
            for said in self._read(taken):
                try:
                    chain = split_delivery_id(said.id)[0]
                except ValueError:
                    self.meter.count("acknowledgements_unknown")
                    continue
                record = self.place.response(chain, words.to_json(said))
                if record.partition == taken.partition:
                    here.append(Word(taken.partition, said))
                else:
                    moved.append(record)
        self.meter.count("acknowledgements_moved", by=len(moved))
        await self.write(moved)
        if here:
            await self.forwarder.acknowledge(here)

    def _read(self, taken: Taken) -> list[Acknowledgement]:
        try:
            return words.read(taken.value)
        except MalformedAcknowledgement as error:
            _report(taken, f"not an acknowledgement: {error}")
            self.meter.count("acknowledgements_unreadable")
            return []


def _report(taken: Taken, what: str) -> None:
    """Say where something lies that nobody can read; never what it holds."""
    logger.error(
        "%s[%d] offset %d: %s",
        taken.topic,
        taken.partition,
        taken.offset,
        what,
        extra={"action": "alarm", "topic": taken.topic, "offset": taken.offset},
    )
