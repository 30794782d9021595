"""Whom capture asks beside its stream, each over a connection of its own, closed with a stack."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack

from cdc.backfill import Paced
from cdc.kafka_commands import Commands
from cdc.kafka_sent import Sent
from cdc.kafka_workers import Workers
from cdc.loading import Marks
from cdc.pace import Lane, Pace, queues
from cdc.postgres.snapshot import RangeReader
from cdc.queues import Queues
from schemas.config import Config
from schemas.topics import Topics


def marks(config: Config, unread: Mapping[str, frozenset[str]], stack: ExitStack) -> Marks:
    """Read and mark over a connection of their own."""
    reader = RangeReader(config.source.dsn, lacking=unread)
    stack.callback(reader.close)
    made = Marks(reader)
    stack.callback(made.close)
    return made


def paced(config: Config, topics: Topics, partitions: int, stack: ExitStack) -> Paced:
    """Hold portions to the pace of the workers."""
    lanes = [
        Lane(route.model, topics.events(route.model), topics.deliveries(each), route.initial_load)
        for route in config.routes
        for each in route.targets
    ]
    names = sorted({name for lane in lanes for name in (lane.events, lane.deliveries)})
    looks = Queues(config.kafka, topics.group, names, partitions)
    stack.callback(looks.close)
    return Paced(Pace(queues(lanes)), looks, lanes)


def sent(config: Config, stack: ExitStack) -> Sent:
    """Read what targets were last sent over connections of their own, kept beside the shadow."""
    topics, count = Topics(config.source.name), config.topics.partitions
    made = Sent(config.kafka, topics, count, config.state / "capture" / "sent")
    stack.callback(made.close)
    return made


def commands(config: Config, generation: int, stack: ExitStack) -> Commands:
    """Read commands over a connection of their own, those since the shadow's birth."""
    topics, count = Topics(config.source.name), config.topics.partitions
    made = Commands(config.kafka, topics, count, generation)
    stack.callback(made.close)
    return made


def workers(config: Config, stack: ExitStack) -> Workers:
    """Ask which routes the workers have."""
    topics, count = Topics(config.source.name), config.topics.partitions
    made = Workers(config.kafka, topics, count)
    stack.callback(made.close)
    return made
