"""Which topics a source needs, and how they are made. Pure.

All have the same number of partitions, so that one worker owns a chain everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from schemas.config import Config
from schemas.topics import Topics

MAX_MESSAGE: Final = 8 * 1024 * 1024  # bytes
_LONG: Final = 4  # dead letters stay so many times longer than the others
_DAY: Final = 86_400.0
_SEGMENT: Final = 64 * 1024 * 1024  # bytes; the last segment is never compacted: keep it small


@dataclass(frozen=True, slots=True)
class TopicPlan:
    """One topic as it should be."""

    name: str
    partitions: int
    replication: int
    settings: Mapping[str, str] = field(default_factory=dict)


def wanted(config: Config) -> list[TopicPlan]:
    """Return every topic that the file needs, sorted by name."""
    topics = Topics(config.source.name)
    retention = config.topics.retention
    kept = {"cleanup.policy": "delete", "retention.ms": _milliseconds(retention)}
    compacted = {
        "cleanup.policy": "compact",
        # What a worker has missed while it was away must still say what is gone.
        "delete.retention.ms": _milliseconds(max(retention, _DAY)),
        "segment.bytes": str(_SEGMENT),
    }
    names = {topics.events(route.model): kept for route in config.routes}
    names |= {topics.deliveries(target): kept for target in config.targets}
    names |= dict.fromkeys((topics.responses, topics.commands, topics.command_results), kept)
    names |= dict.fromkeys((topics.retries, topics.schemas), compacted)
    names |= dict.fromkeys((topics.holds, topics.pauses, topics.replays), compacted)
    names[topics.ledger] = {**compacted, **kept, "cleanup.policy": "compact,delete"}
    names[topics.dead] = {**kept, "retention.ms": _milliseconds(_LONG * retention)}
    shared = {
        "max.message.bytes": str(MAX_MESSAGE),
        # One replica may be away and nothing waits; what is acknowledged is on all the others.
        "min.insync.replicas": str(max(1, config.topics.replication - 1)),
    }
    return [
        TopicPlan(
            name,
            config.topics.partitions,
            config.topics.replication,
            {**settings, **shared},
        )
        for name, settings in sorted(names.items())
    ]


def _milliseconds(seconds: float) -> str:
    return str(round(seconds * 1000))
