"""The worker put together: the only place where the steps, their ports and the services meet.

Nothing happens on import, and nothing runs when it is put together: `serve` begins it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any, Final

import faust
from faust.types import TP

from schemas.config import Config
from schemas.topics import Topics
from streams.cache.folder import StateFolder
from streams.core import Core, Ports
from streams.kafka.changelog import Changelog
from streams.kafka.records import Places
from streams.kafka.schema_reader import SchemaReader
from streams.kafka.writer import Writer
from streams.metrics import Metrics
from streams.sending import holds
from streams.sending.exchange import Exchange
from streams.sending.windows import windows_of
from streams.timer import Timer
from streams.worker import broker
from streams.worker.at_least_once import Portion, consume
from streams.worker.broker import settings
from streams.worker.consumer import use_consumer
from streams.worker.duties import Duties, Tools, limits_of
from streams.worker.exits import UNEXPECTED, die, fatal
from streams.worker.gauges import gauges
from streams.worker.pulse import Pulse, WhileAlive
from streams.worker.reload import Reloading
from streams.worker.traffic import Traffic, assignment
from streams.worker.watchdog import Watchdog

logger = logging.getLogger(__name__)

_LITERAL: Final = str.maketrans({"{": "{{", "}": "}}"})  # in what Faust formats
_TICK: Final = 0.5  # seconds between two signs of life
_PORTION: Final = Portion(500, 0.02)


def consumed(config: Config) -> list[str]:
    """Return the topics that every worker of the group reads."""
    topics = Topics(config.source.name)
    models = sorted({route.model for route in config.routes})
    return [
        *(topics.events(model) for model in models),
        *(topics.deliveries(target) for target in sorted(config.targets)),
        topics.responses,
        topics.commands,
    ]


@dataclass(slots=True)
class Worker:
    """A worker, put together but not begun."""

    app: faust.App
    core: Core
    metrics: Metrics
    traffic: Traffic
    writer: Writer
    services: AsyncExitStack
    consumed: frozenset[str]
    places: Places
    name: str
    pulse: Pulse
    reloading: Reloading
    beside: list[Callable[[], Coroutine[Any, Any, None]]] = field(default_factory=list)
    stopping: bool = False
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def reasons(self) -> list[str]:
        """Return why the worker does not take part yet; nothing where it does."""
        owned = {tp.partition for tp in assignment(self.app) if tp.topic in self.consumed}
        if not owned or self.app.rebalancing:
            return ["waits for its partitions"]
        missing = owned - set(self.core.figures().partitions)
        return [f"opens {len(missing)} partitions"] if missing else []

    def text(self) -> str:
        """Return the metrics as Prometheus text."""
        return self.metrics.text(gauges(self.core, self.reloading.config.fingerprint))

    async def assigned(self, assigned: set[TP]) -> None:
        """Hold exactly these partitions; the agents wait until they are open."""
        mine = {tp.partition for tp in assigned if tp.topic in self.consumed}
        try:
            await self.core.revoke(set(self.core.figures().partitions) - mine)
            await self.core.assign(mine)
        except BaseException as error:  # noqa: BLE001  nothing may go on half open
            fatal(error)
        self.traffic.enforce()
        logger.info("partitions %s", sorted(mine), extra={"action": "assigned"})

    async def revoked(self) -> None:
        """Close all partitions: Faust takes all away before it gives any."""
        try:
            await self.core.revoke(self.core.figures().partitions)
        except BaseException as error:  # noqa: BLE001  see `assigned`
            fatal(error)

    def begin(self, watchdog: Watchdog) -> None:
        """Start the timer, the signs of life and what else goes on; the loop must run."""
        works = [Timer(self.core).run(), self._tick(watchdog), self._tell()]
        works += [begin() for begin in self.beside]
        self.tasks = [asyncio.create_task(self._guarded(work)) for work in works]

    async def finish(self) -> None:
        """Finish what is in hand; nothing is taken on any more."""
        self.stopping = True
        for task in self.tasks:
            task.cancel()
        await self.core.stop()
        await self.services.aclose()
        await asyncio.get_running_loop().run_in_executor(None, self.writer.close)

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except BaseException as error:  # noqa: BLE001  cancelled by us, or the end
            if not self.stopping:
                fatal(error)
        else:
            if not self.stopping:
                die(UNEXPECTED, "a task that never ends has ended")

    async def _tick(self, watchdog: Watchdog) -> None:
        while True:
            watchdog.tick()
            self.traffic.enforce()
            await asyncio.sleep(_TICK)  # a sign of life now and then

    async def _tell(self) -> None:
        """Write what is held back whenever it is something else, nothing at the start too."""
        told: bytes | None = None
        while True:
            standing = self.core.permits.holds.standing()
            learnt = (hold for hold in standing if hold.reason in holds.LEARNT)
            config = self.reloading.config
            routes = {route.name: route.model for route in config.routes}
            said = holds.to_json(self.name, learnt, config.fingerprint, routes)
            if said != told:
                await self.writer.write([self.places.holds(self.name, said)])
                told = said
            await asyncio.sleep(_TICK)  # holders tell nobody when they change


@dataclass(frozen=True, slots=True)
class Means:
    """What a worker is made of beside its configuration; opened and closed by `serve`."""

    folder: StateFolder
    schemas: SchemaReader
    exchange: Exchange
    services: AsyncExitStack  # closed when the worker finishes
    loop: asyncio.AbstractEventLoop


def create_app(config: Config, worker: str, means: Means) -> Worker:
    """Put a worker together."""
    topics = Topics(config.source.name)
    app = faust.App(
        topics.group,
        broker=broker.urls(config.kafka),
        broker_credentials=broker.credentials(config.kafka),
        topic_partitions=config.topics.partitions,
        loop=means.loop,
        datadir=str(config.state / f"stream-{worker}" / "faust").translate(_LITERAL),
        **settings(config.kafka, worker),
    )
    # Anybody may write these, in transactions too, whose ends take offsets.
    others = (topics.responses, topics.commands)
    use_consumer(app, lambda topic: topic not in others)
    metrics = Metrics()
    pulse = Pulse(broker.undisputed(config.kafka))
    writer = Writer(config.kafka, pulse.beat)
    traffic = Traffic(app, {target: topics.deliveries(target) for target in config.targets})
    changelog = Changelog(topics, config.kafka, writer)
    core = Core(
        means.folder,
        Ports(
            WhileAlive(means.exchange, pulse.beat), changelog, changelog, traffic, metrics, fatal
        ),
        limits_of(config),
        windows_of(config),
    )
    places = Places(topics, config.topics.partitions)
    reloading = Reloading(config, worker, means.schemas, means.exchange, metrics)
    tools = Tools(core, metrics, writer, places, means.schemas, means.services)
    duties = Duties.of(config, tools, reloading)
    reloading.of(duties)
    made = Worker(
        app,
        core,
        metrics,
        traffic,
        writer,
        means.services,
        frozenset(consumed(config)),
        places,
        worker,
        pulse,
        reloading,
        duties.beside,
    )
    for topic, work in duties.by_topic(topics).items():
        consume(app, topic, work, _PORTION)

    async def on_assigned(_: object, /, *assigned: set[TP], **__: object) -> None:
        await made.assigned(set().union(*assigned))

    async def on_revoked(_: object, /, *_args: object, **__: object) -> None:
        await made.revoked()

    async def on_shutdown(_: object, /, *_args: object, **__: object) -> None:
        await made.finish()

    app.on_partitions_assigned.connect(on_assigned)
    app.on_partitions_revoked.connect(on_revoked)
    app.on_before_shutdown.connect(on_shutdown)
    return made
