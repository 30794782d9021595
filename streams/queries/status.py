"""What `status` shows of the workers: send queues, what waits, what failed, who works."""

from __future__ import annotations

import time
from contextlib import closing
from typing import Any

from schemas.config import Config
from streams.queries.lookup import Lookup
from streams.queries.overview import count, rows_of


def report(config: Config) -> dict[str, Any]:
    """Return queue depths per target, the lag of every topic that workers read, the workers.

    Raises NoTopic and KafkaAway. Ages are seconds; `lag` counts records that are not done.
    """
    with closing(Lookup(config)) as lookup:
        entries = (entry for _, entry in lookup.entries())
        rows = rows_of(lookup.items().values(), entries, lookup.letters())
        lag = lookup.lag()
        queued = {target: lag.get(topic, 0) for topic, target in lookup.queues.items()}
        now = time.time()
        counts = count(rows.values(), queued)
        return {
            "targets": {target: each.to_json(now) for target, each in counts.items()},
            "lag": lag,
            "workers": lookup.workers(),
        }
