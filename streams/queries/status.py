"""What `status` shows of the workers: send queues, what waits, what failed, rates, who works."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

from schemas.config import Config
from streams.chains.ledger import Entry
from streams.kafka.offsets import lag_of
from streams.queries.expiry import ages, warnings
from streams.queries.held import held
from streams.queries.lookup import Lookup
from streams.queries.overview import count, rows_of
from streams.queries.rates import WINDOW, Rates
from streams.replays.job import under_way
from streams.sending.windows import windows_of


def report(config: Config) -> dict[str, Any]:
    """Return queue depths per target, what is held back, the lag of every topic, the workers.

    Ages are seconds; `lag` counts records that are not done, `lag_seconds` is the age of the
    oldest of them, rates are those of the last minutes. Raises NoTopic and KafkaAway.
    """
    with closing(Lookup(config)) as lookup:
        now = time.time()
        rates = Rates(now - WINDOW)
        rows = rows_of(lookup.items().values(), _entries(lookup, rates), lookup.letters())
        places = lookup.places(lookup.consumed)
        lag = lag_of(places)
        queued = {target: lag.get(topic, 0) for topic, target in lookup.queues.items()}
        counts = count(rows.values(), queued)
        # A command that nobody did in time is void; workers do not stop for it.
        vital = [place for place in places if place.topic != lookup.topics.commands]
        age = ages(vital, lookup.oldest(vital), now)
        return {
            "targets": {target: each.to_json(now) for target, each in counts.items()},
            "held": held(windows_of(config), lookup.holds(), now, lookup.pauses()),
            "replays": under_way(lookup.replays()),
            "lag": lag,
            "lag_seconds": {topic: round(age.get(topic, 0.0), 1) for topic in lag},
            "rates": rates.to_json(
                (r.name, target) for r in config.routes for target in r.targets
            ),
            "workers": lookup.workers(),
            "warnings": list(warnings(vital, age, lookup.retention(age))),
        }


def _entries(lookup: Lookup, rates: Rates) -> Iterator[Entry]:
    """Give what the ledger holds, and tell the rates of it: it is read once."""
    for found, entry in lookup.entries():
        rates.take(found.written, entry)
        yield entry
