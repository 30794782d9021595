"""What `status` shows of the workers: send queues, what waits, what failed, rates, who works."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any

from schemas.config import Config
from streams.index.row import Counts
from streams.kafka.offsets import lag_of
from streams.queries.expiry import HALF, ages, forgetting, warnings
from streams.queries.held import held
from streams.queries.lookup import Lookup
from streams.queries.rates import WINDOW, rates
from streams.replays.job import under_way
from streams.sending.windows import windows_of


def different(files: Mapping[str, str]) -> Iterator[str]:
    """Say where workers go by different files; `files` are their fingerprints."""
    if len(set(files.values())) > 1:
        said = ", ".join(f"{worker} by {name}" for worker, name in files.items())
        yield (
            f"the workers go by different files ({said}): put the same one on every host, then"
            " `odoo-cdc reload`"
        )


def report(config: Config) -> dict[str, Any]:
    """Return queue depths per target, what is held back, the lag of every topic, the workers.

    Ages are seconds; `lag` counts records that are not done, `lag_seconds` is the age of the
    oldest of them, rates are those of the last minutes. Raises NoTopic and KafkaAway.
    """
    with closing(Lookup(config)) as lookup:
        now = time.time()
        with lookup.catalogue() as index:
            counts = index.counts()
            lately = index.steps(now - WINDOW)
            kept = config.topics.retention
            forgotten_soon = index.given_up(now - kept * HALF)
        places = lookup.places(lookup.consumed)
        lag = lag_of(places)
        for topic, target in lookup.queues.items():
            counts.setdefault(target, Counts()).queued = lag.get(topic, 0)
        # A command that nobody did in time is void; workers do not stop for it.
        vital = [place for place in places if place.topic != lookup.topics.commands]
        files = lookup.files()
        age = ages(vital, lookup.oldest(vital), now)
        return {
            "targets": {target: each.to_json(now) for target, each in sorted(counts.items())},
            "held": held(windows_of(config), lookup.holds(), now, lookup.pauses()),
            "replays": under_way(lookup.replays()),
            "lag": lag,
            "lag_seconds": {topic: round(age.get(topic, 0.0), 1) for topic in lag},
            "rates": rates(lately, ((r.name, t) for r in config.routes for t in r.targets)),
            "workers": lookup.workers(),
            "files": files,
            "warnings": [
                *different(files),
                *warnings(vital, age, lookup.retention(age)),
                *forgetting(forgotten_soon, kept),
            ],
        }
