"""The life of a shadow run: look before it starts, follow until a signal, finish what is in hand.

It is no member of the workers' group, and commits nothing to Kafka: how far it came stands in a
folder of its own.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from schemas.avro import SchemaBook
from schemas.config import Config
from schemas.errors import BadUsage, DataAtRisk
from schemas.kafka_errors import NoTopic, away
from schemas.topics import Topics
from streams.cache.covered import Covered, Standing
from streams.decoding import Decoder
from streams.kafka.clients import PATIENCE, borrowed, describe_topic
from streams.kafka.following import EventsGone, Following
from streams.kafka.offsets import GroupOffsets, Place
from streams.kafka.records import Taken
from streams.kafka.schema_reader import SchemaReader
from streams.kafka.writer import Writer
from streams.routing.routes import Routes, refuse_unfit
from streams.shadow_run.output import FileOutput, TopicOutput
from streams.shadow_run.run import Counts, Output, Record, ShadowRun

logger = logging.getLogger(__name__)
_SECONDS: Final = 0.2  # that are waited for records before a signal is looked for
Part = tuple[str, int]


class NothingToRun(BadUsage):
    """The file has no routes: nothing would be sent."""

    hint = "Add a route to `routes:`, then `odoo-cdc check`."


class OtherOutput(BadUsage):
    """The shadow run of this name writes elsewhere."""

    hint = "Name the same output, or give this one a --name of its own."


class LivesTopic(BadUsage):
    """The topic belongs to the pipeline itself."""

    hint = "Make a topic whose name does not begin with the source's: `shadow.webshop`."


class MadeAnew(DataAtRisk):
    """A topic of events was made anew since the shadow run began."""

    hint = (
        "Its offsets mean other events than before. To begin anew, remove the shadow run's folder"
        " below `state:`, and give --file or --topic another name."
    )


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for: a name, a file or a topic, and whether to end by itself."""

    name: str
    file: Path | None
    topic: str | None
    until_caught_up: bool

    @property
    def output(self) -> str:
        """What the output is called in the folder."""
        return f"topic {self.topic}" if self.topic else f"file {self.file}"


class _Memory:
    """Remembers what an output covers."""

    def __init__(self, covered: Covered, standing: Standing, file: FileOutput | None) -> None:
        self._covered = covered
        self._standing = standing
        self._file = file

    def latest(self, record: Record) -> str:
        """Return the sequence of a record's latest event."""
        return self._covered.latest(record)

    def keep(self, latest: Mapping[Record, str], taken: Sequence[Taken]) -> None:
        """Remember a batch."""
        offsets = {
            **self._standing.offsets,
            **{(each.topic, each.partition): each.offset + 1 for each in taken},
        }
        length = self._file.length if self._file else 0
        self._standing = replace(self._standing, length=length, offsets=offsets)
        self._covered.commit(self._standing, latest)


def live(config: Config, wish: Wish) -> Counts:
    """Follow until SIGTERM or SIGINT, or until it has caught up; return what came of it.

    Raises before anything is written where it cannot go on: KafkaAway and NoTopic (exit 3),
    EventsGone, MadeAnew and FileChanged (4), OtherOutput, RunInUse and what the file says (2).
    """
    if not config.routes:
        raise NothingToRun
    topics = Topics(config.source.name)
    if wish.topic is not None and wish.topic.startswith(f"{topics.source}."):
        raise LivesTopic(f"{wish.topic} is one of {topics.source}'s own")
    with ExitStack() as stack:
        covered = stack.enter_context(closing(Covered(folder_of(config, wish.name))))
        former = covered.standing()
        standing = former or Standing(wish.output)
        if standing.output != wish.output:
            raise OtherOutput(f'"{wish.name}" writes to {standing.output}')
        reader = SchemaReader(config.kafka, topics.schemas, SchemaBook())
        reader.fill()
        refuse_unfit(config, reader.book.shapes)
        standing, ends = _placed(config, standing)
        file = _file(wish, former, stack)
        covered.commit(standing, {})
        memory = _Memory(covered, standing, file)
        following = stack.enter_context(closing(Following(config.kafka, _starts(standing, ends))))
        logger.info("writes to %s", wish.output, extra={"action": "shadow_run"})
        decoder = Decoder(reader.book, reader.refresh)
        routes = Routes.of_config(config)

        async def follow() -> Counts:
            with ExitStack() as inner:
                output = file or _topic(config, wish, inner)
                run = ShadowRun(decoder, routes, output, memory)
                await _follow(run, following, ends if wish.until_caught_up else None)
                return run.counts

        return asyncio.run(follow())


def folder_of(config: Config, name: str) -> Path:
    """Return the folder of a shadow run."""
    return config.state / f"shadow-run-{name}"


def _placed(config: Config, standing: Standing) -> tuple[Standing, dict[Part, int]]:
    """Return where to go on in each partition of today's routes, and where these end."""
    topics = Topics(config.source.name)
    names = sorted({topics.events(route.model) for route in config.routes})
    parts = [(name, number) for name in names for number in range(config.topics.partitions)]
    with closing(GroupOffsets(config.kafka, topics.group)) as kafka:
        kafka.refuse_other_partitions(names, config.topics.partitions)
        ids, bounds = kafka.ids(names), kafka.bounds(parts)
    anew = [name for name in names if standing.topics.get(name, ids[name]) != ids[name]]
    if anew:
        raise MadeAnew(f"made anew: {', '.join(anew)}")
    starts = {part: standing.offsets.get(part, bounds[part][0]) for part in parts}
    gaps = [Place(*part, starts[part], *bounds[part]).gap for part in parts]
    if any(gaps):
        raise EventsGone("; ".join(filter(None, gaps)))
    offsets, known = {**standing.offsets, **starts}, {**standing.topics, **ids}
    return replace(standing, offsets=offsets, topics=known), {p: bounds[p][1] for p in parts}


def _starts(standing: Standing, ends: Mapping[Part, int]) -> dict[Part, int]:
    return {part: standing.offsets[part] for part in ends}


def _file(wish: Wish, former: Standing | None, stack: ExitStack) -> FileOutput | None:
    if wish.file is None:
        return None
    file = stack.enter_context(closing(FileOutput(wish.file)))
    file.cut(None if former is None else former.length)
    return file


def _topic(config: Config, wish: Wish, stack: ExitStack) -> Output:
    topic = wish.topic or ""
    with borrowed(config.kafka) as client:
        partitions = describe_topic(client, topic)
    if not partitions:
        raise NoTopic(
            f"Kafka has no topic {topic}",
            hint="Make it with Kafka's own tool: kafka-topics --create --topic, with"
            " max.message.bytes=8388608.",
        )
    writer = stack.enter_context(closing(Writer(config.kafka, lambda: None)))
    return TopicOutput(topic, partitions, writer.write)


async def _follow(run: ShadowRun, following: Following, ends: Mapping[Part, int] | None) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    heard, caught_up, said = time.monotonic(), False, ""
    while not stop.is_set():
        if ends is not None and all(following.at[part] >= end for part, end in ends.items()):
            return
        batch = await loop.run_in_executor(None, following.take, _SECONDS)
        if batch:
            await run.take(batch)
            heard = time.monotonic()
        elif following.why_silent() != said:
            said = following.why_silent()
            logger.warning("Kafka is away: %s", said, extra={"action": "kafka_away"})
        elif not caught_up and ends is None:
            caught_up = True
            logger.info("waits for events", extra={"action": "caught_up"})
        elif ends is not None and time.monotonic() - heard > PATIENCE:
            raise away("Kafka gives no events", following.why_silent())
