"""What `/metrics` shows of a worker as it stands at the moment."""

from __future__ import annotations

import time

from streams.core import Core
from streams.metrics import Gauge


def gauges(core: Core, config: str) -> list[Gauge]:
    """Return how things stand with a core, and the fingerprint of the file in force."""
    figures = core.figures()
    age = 0.0 if figures.oldest is None else max(0.0, time.time() - figures.oldest)
    return [
        *(
            Gauge(
                "waiting",
                "deliveries that are not final",
                number,
                (("target", target), ("state", state)),
            )
            for (target, state), number in figures.waiting.items()
        ),
        Gauge("oldest_waiting_seconds", "age of the oldest delivery that is not final", age),
        Gauge("in_flight", "chains being sent", figures.in_flight),
        Gauge("gate_open", "1 while deliveries go to WSO2", not figures.gate),
        *(
            Gauge(
                "breaker_state",
                "0: deliveries go to the target, 1: a few at a time, 2: it fails, they wait",
                stage.value,
                (("target", target),),
            )
            for target, stage in figures.breakers.items()
        ),
        *(
            Gauge(
                "held",
                "1 while deliveries are held back",
                1,
                (("reason", hold.reason.value), ("what", hold.what)),
            )
            for hold in figures.holds
        ),
        Gauge(
            "config", "1 for the file in force, by its fingerprint", 1, (("fingerprint", config),)
        ),
        Gauge("partitions", "partitions that this worker holds", len(figures.partitions)),
    ]
