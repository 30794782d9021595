"""The life of a worker: look before it starts, run until a signal, finish what is in hand."""

from __future__ import annotations

import asyncio
import json
import logging
import signal
import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, ExitStack, closing
from dataclasses import dataclass

import faust

from schemas import delivery
from schemas.avro import SchemaBook
from schemas.config import Config
from schemas.errors import BadUsage
from schemas.topics import Topics
from streams.asked import Asked
from streams.cache.folder import StateFolder
from streams.kafka.offsets import GroupOffsets, refuse_gaps
from streams.kafka.schema_reader import SchemaReader
from streams.routing.routes import refuse_unfit
from streams.sending.exchange import Exchange, OpenSender
from streams.worker.app import Means, Worker, consumed, create_app
from streams.worker.exits import UNEXPECTED, die
from streams.worker.quiet import hush
from streams.worker.traffic import assignment
from streams.worker.watchdog import Look, Watchdog

logger = logging.getLogger(__name__)

OpenService = Callable[[Config, Worker], AbstractAsyncContextManager[object]]


class NothingToDo(BadUsage):
    """The file has no routes: there is nothing to stream."""

    hint = "Add a route to `routes:`, then `odoo-cdc check`."


@dataclass(frozen=True, slots=True)
class Edges:
    """What a worker opens when its event loop runs: its sender, then its HTTP services."""

    sender: OpenSender
    services: tuple[OpenService, ...] = ()


def serve(config: Config, worker: str, edges: Edges, asked: Asked) -> int:
    """Run a worker until SIGTERM or SIGINT; return the exit code.

    `asked` hears SIGHUP since before the file was read.

    Raises before anything is consumed: see `inspect` and `refuse_unfit`, and InUse (exit 2) where
    another process has the worker's folder. What happens later ends the process (`exits`).
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # until the event loop has its own
    hush()
    if not config.routes:
        raise NothingToDo
    topics = Topics(config.source.name)
    with ExitStack() as stack:
        folder = stack.enter_context(closing(StateFolder(config.state / f"stream-{worker}")))
        offsets = stack.enter_context(closing(GroupOffsets(config.kafka, topics.group)))
        inspect(config, worker, offsets)
        reader = SchemaReader(config.kafka, topics.schemas, SchemaBook())
        reader.fill()
        refuse_unfit(config, reader.book.shapes)
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        made = loop.run_until_complete(_open(config, worker, edges, folder, reader))
        made.beside.append(lambda: made.reloading.follow(asked))
        watchdog = Watchdog(_looking(made, offsets), made.pulse.beat, die)
        made.pulse.start()
        watchdog.start()
        loop.run_until_complete(_begin(made, watchdog))
        code = _run(made, loop)
        watchdog.stop()
        return code


def inspect(config: Config, worker: str, offsets: GroupOffsets) -> None:
    """Look whether it is safe to start.

    Raises NoTopic and KafkaAway (exit 3); OtherPartitions, OffsetsExpired and OtherTargets
    (exit 4).
    """
    topics = Topics(config.source.name)
    reads, count = consumed(config), config.topics.partitions
    written = (topics.retries, topics.ledger, topics.dead, topics.holds, topics.schemas)
    answers = (topics.command_results, topics.pauses, topics.replays)
    offsets.refuse_other_partitions([*reads, *written, *answers], count)
    session = int(config.kafka.get("session.timeout.ms", "10000")) / 1000
    offsets.refuse_other_workers(frozenset(reads), worker=worker, wait=session + 5)
    needed = [topic for topic in reads if topic != topics.commands]  # one that expired is void
    refuse_gaps(offsets.places((t, p) for t in needed for p in range(count)))


async def _open(
    config: Config,
    worker: str,
    edges: Edges,
    folder: StateFolder,
    reader: SchemaReader,
) -> Worker:
    services = AsyncExitStack()
    exchange = Exchange(edges.sender)
    services.push_async_callback(exchange.close)
    exchange.adopt(await exchange.open(config))
    loop = asyncio.get_running_loop()
    made = create_app(config, worker, Means(folder, reader, exchange, services, loop))
    for fingerprint, schema in delivery.SCHEMAS.items():
        if fingerprint not in reader.known:
            text = json.dumps(schema, separators=(",", ":")).encode()
            await made.writer.write([made.places.schema(fingerprint, text)])
    for service in edges.services:
        await services.enter_async_context(service(config, made))
    return made


async def _begin(made: Worker, watchdog: Watchdog) -> None:
    made.begin(watchdog)


def _looking(made: Worker, offsets: GroupOffsets) -> Callable[[], Look]:
    """Return what the watchdog calls, on its own thread."""
    commands = made.places.topics.commands

    def look() -> Look:
        offsets.refuse_other_partitions(made.consumed, made.places.partitions)
        mine = [tp for tp in assignment(made.app) if tp.topic in made.consumed]
        places = offsets.places((tp.topic, tp.partition) for tp in mine)
        refuse_gaps(place for place in places if place.topic != commands)
        read = (place for place in places if place.topic not in made.traffic.halted)
        done = sum(place.committed or 0 for place in places)
        moved = (done, made.core.taken, made.core.committer.read, made.metrics.value("events"))
        return Look(sum(place.lag for place in read), (len(mine), *moved))

    return look


def _run(made: Worker, loop: asyncio.AbstractEventLoop) -> int:
    """Let Faust have the loop until a signal; it ends with SystemExit."""
    runner = faust.Worker(
        made.app,
        loop=loop,
        quiet=True,
        override_logging=False,  # logging is set up by the command
        redirect_stdouts=False,
    )
    runner.spinner = None
    try:
        runner.execute_from_commandline()
    except SystemExit as end:
        if end.code:
            logger.critical("the consumer has failed", extra={"action": "fatal"})
            return UNEXPECTED
    return 0
