"""What Kafka will remove before the workers have done it, or has removed already. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from streams.kafka.offsets import Part, Place
from streams.queries.prose import ago

_HALF: Final = 0.5


def ages(places: Iterable[Place], written: Mapping[Part, float], now: float) -> dict[str, float]:
    """Return how old the oldest record of each topic is that is not done, in seconds.

    `written` is when that of each partition was written. Topics where nothing is left are not
    in it.
    """
    found: dict[str, float] = {}
    for place in places:
        at = written.get((place.topic, place.partition))
        if at is not None:
            found[place.topic] = max(found.get(place.topic, 0.0), now - at)
    return found


def warnings(
    places: Iterable[Place], age: Mapping[str, float], kept: Mapping[str, float]
) -> Iterator[str]:
    """Say what is lost, and what will be if nothing is done: from half of what Kafka keeps.

    `kept` is how many seconds each topic keeps its records; topics that keep all are not in it.
    """
    for place in places:
        if place.gap:
            yield f"{place.gap}; workers stop at it (exit code 4)"
    for topic, seconds in sorted(age.items()):
        keeps = kept.get(topic)
        if keeps is not None and seconds > keeps * _HALF:
            yield (
                f"the oldest record of {topic} that is not done is {ago(seconds)} old; Kafka keeps"
                f" it {ago(keeps)} (retention.ms), then it is lost: see whether workers run"
                " and WSO2 answers, or raise topics.retention and run `odoo-cdc setup`"
            )
