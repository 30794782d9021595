"""What a worker does with the records of each topic, and what of it goes by the file."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from typing import Any

from schemas.config import Config
from schemas.topics import Topics
from streams.chains.item import Terms
from streams.core import Core, Limits
from streams.decoding import Decoder
from streams.drafts import Drafts
from streams.events import Events
from streams.forward import Deliveries, Forwarder
from streams.kafka.past import Past
from streams.kafka.reached import Reached
from streams.kafka.records import Places
from streams.kafka.schema_reader import SchemaReader
from streams.kafka.send_queues import SendQueues
from streams.kafka.writer import Writer
from streams.letters import Letters
from streams.metrics import Metrics
from streams.odoo.reader import Reader
from streams.pausing import Pausing
from streams.purging import Purging
from streams.replaying import Replaying
from streams.requests import Reload, Requests
from streams.rereading import Rereading
from streams.responses import Responses
from streams.retrying import Retrying
from streams.routing.routes import Routes
from streams.sending.windows import windows_of
from streams.worker.at_least_once import Work


def terms_of(config: Config) -> dict[str, Terms]:
    """Return what deliveries carry of their targets' settings."""
    return {
        name: Terms(target.acknowledge, target.ack_timeout, tuple(target.retry), target.history)
        for name, target in config.targets.items()
    }


def sends_of(config: Config) -> dict[str, tuple[str, ...]]:
    """Return the targets of each route."""
    return {route.name: route.targets for route in config.routes}


def limits_of(config: Config) -> Limits:
    """Return a core's bounds."""
    return Limits(
        concurrency=config.wso2.concurrency,
        timeout=config.wso2.timeout,
        retention=config.topics.retention,
        partitions=config.topics.partitions,
    )


def reader_of(config: Config) -> Reader:
    """Return who asks Odoo for what no column holds."""
    return Reader(config.source.odoo, config.source.context.lang)


@dataclass(frozen=True, slots=True)
class Tools:
    """What the duties work with; what they open is closed with `services`."""

    core: Core
    metrics: Metrics
    writer: Writer
    places: Places
    schemas: SchemaReader
    services: AsyncExitStack


@dataclass(slots=True)
class Duties:
    """All of them, for one source and its targets."""

    core: Core
    events: Events
    deliveries: dict[str, Deliveries]
    responses: Responses
    letters: Letters
    pausing: Pausing
    replaying: Replaying
    drafts: Drafts
    requests: Requests

    @classmethod
    def of(cls, config: Config, tools: Tools, reload: Reload) -> Duties:
        """Put them together; `reload` is what is done when somebody asks for it."""
        topics, core, places = Topics(config.source.name), tools.core, tools.places
        metrics, write = tools.metrics, tools.writer.write
        terms, routes = terms_of(config), Routes.of_config(config)
        decoder = Decoder(tools.schemas.book, tools.schemas.refresh)
        queues = SendQueues(topics, config.kafka)
        reached = Reached(topics, config.kafka)
        tools.services.callback(reached.close)
        forwarder = Forwarder(core)
        letters = Letters(core, terms, queues, Rereading(core.partitions, reached))
        pausing = Pausing(core, config.source.name, sends_of(config), queues)
        past = Past(topics, config.kafka)
        replaying = Replaying(core, past, reached, decoder, routes, places, write)
        return cls(
            core,
            Events(decoder, routes, terms, places, write, metrics),
            {name: Deliveries(forwarder, terms[name], metrics) for name in sorted(config.targets)},
            Responses(core, places, write, metrics),
            letters,
            pausing,
            replaying,
            Drafts(
                core,
                reader_of(config),
                number=config.decimals == "number",
                eager=bool(config.source.odoo),
            ),
            Requests(
                core,
                Retrying(core, config.source.name, letters),
                pausing,
                replaying,
                Purging(core, config.source.name, config.targets),
                places,
                write,
                metrics,
                reload,
            ),
        )

    def by_topic(self, topics: Topics) -> dict[str, Work]:
        """Return what is done with the records of each topic."""
        duties: dict[str, Work] = {
            topics.events(model): self.events for model in self.events.routes.models
        }
        for target, work in self.deliveries.items():
            duties[topics.deliveries(target)] = work
        duties[topics.responses] = self.responses
        duties[topics.commands] = self.requests
        return duties

    @property
    def beside(self) -> list[Callable[[], Coroutine[Any, Any, None]]]:
        """What goes on beside the records."""
        return [self.replaying.run, self.drafts.run]

    async def adopt(self, config: Config) -> None:
        """Go by another file, of the same models and targets, from the next batch on.

        At once: nothing else runs meanwhile.
        """
        terms = terms_of(config)
        former = replace(self.events.routes, former=None)  # no chain of all that there have been
        self.events.routes = replace(Routes.of_config(config), former=former)
        self.events.terms = terms
        for target, work in self.deliveries.items():
            work.terms = terms[target]
        self.letters.adopt(terms)
        self.pausing.adopt(sends_of(config))
        self.replaying.routes = Routes.of_config(config)
        self.drafts.adopt(reader_of(config), number=config.decimals == "number")
        await self.core.adopt(limits_of(config), windows_of(config))
