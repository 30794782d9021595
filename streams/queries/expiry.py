"""What is lost with age: what Kafka removes before it is done, what the ledger forgets. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from streams.kafka.offsets import Part, Place
from streams.queries.prose import ago

HALF: Final = 0.5  # of what is kept: from there on people are warned


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
        if keeps is not None and seconds > keeps * HALF:
            yield (
                f"the oldest record of {topic} that is not done is {ago(seconds)} old; Kafka keeps"
                f" it {ago(keeps)} (retention.ms), then it is lost: see whether workers run"
                " and WSO2 answers, or raise topics.retention and run `odoo-cdc setup`"
            )


def forgetting(given_up: Mapping[str, int], kept: float) -> Iterator[str]:
    """Say what was given up and is soon forgotten: from half of what the ledger keeps.

    `given_up` is how many there are of each target, `kept` how many seconds the ledger keeps them.
    """
    for target, number in given_up.items():
        yield (
            f"dead or rejected deliveries to {target} older than {ago(kept * HALF)}: {number};"
            f" behind {ago(kept)} (topics.retention) `odoo-cdc retry`"
            " cannot send them any more and status does not count them: see `odoo-cdc queue"
            f" --target {target} --state dead --state rejected`"
        )
