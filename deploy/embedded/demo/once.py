"""`demo --once`: load with accidents on the way, then the question whether anything is missing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

from embedded.demo import questions
from embedded.demo.errors import NotSettled
from embedded.demo.figures import Looker
from embedded.demo.load import Load
from embedded.demo.questions import Comparison
from embedded.demo.stage import Stage

SECONDS: Final = 20.0
"""Of load."""

OUTAGE: Final = 4.0
"""Seconds without WSO2."""

PATIENCE: Final = 90.0
"""Seconds that everything may take to arrive once the load has ended."""

SHOWN: Final = 5
"""Records that are named when something is wrong."""

Beat = Callable[[], None]
"""Shows how things stand; called about once a second."""


class Accident(NamedTuple):
    """What happens, how many seconds after the start."""

    at: float
    name: str
    act: Callable[[], None]


def accidents(stage: Stage) -> list[Accident]:
    """Return what goes wrong on the way."""
    return [
        Accident(5.0, "kill -9 capture", stage.capture.kill),
        Accident(6.0, "start capture again", stage.capture.launch),
        Accident(9.0, "kill -9 the stream worker", stage.stream.kill),
        Accident(10.0, "start the stream worker again", stage.stream.launch),
        Accident(14.0, "kill -9 WSO2", stage.synapse.kill),
        Accident(14.0 + OUTAGE, "start WSO2 again", stage.synapse.launch),
    ]


def play(stage: Stage, load: Load, say: Callable[[str], None], beat: Beat) -> None:
    """Let the load run while things go wrong."""
    begun = time.monotonic()
    for accident in [*accidents(stage), Accident(SECONDS, "the load ends", load.stop)]:
        while (left := begun + accident.at - time.monotonic()) > 0:
            time.sleep(min(1.0, left))
            load.check()
            beat()
        say(accident.name)
        accident.act()


def settle(looker: Looker, beat: Beat) -> None:
    """Wait until everything that was committed is acknowledged; raise NotSettled."""
    deadline = time.monotonic() + PATIENCE
    end = looker.position()
    while looker.confirmed() < end or not _calm(looker):
        if time.monotonic() > deadline:
            raise NotSettled(f"after {PATIENCE:.0f} s: {looker.look()}")
        beat()
        time.sleep(0.5)


def _calm(looker: Looker) -> bool:
    """Whether nothing is on its way, twice in a row: between two topics it is in neither."""
    first = looker.look()
    if not first.settled:
        return False
    time.sleep(1.0)
    second = looker.look()
    return second.settled and second.shop.get("accepted") == first.shop.get("accepted")


def verdict(stage: Stage, looker: Looker) -> tuple[dict[str, Any], Comparison]:
    """Compare what the webshop holds with what the database holds; return the summary too."""
    comparison = questions.compare(questions.ask(stage.dsn), stage.webshop.records())
    shop = looker.look().shop
    return {
        "records": comparison.records,
        "lost": comparison.lost,
        "different": len(comparison.different),
        "out_of_order": shop["out_of_order"],
        "duplicates_accepted": shop["duplicates"],
        "latency_ms": {name: shop["latency_ms"][name] for name in ("p50", "p99")},
    }, comparison


def is_clean(summary: dict[str, Any]) -> bool:
    """Whether nothing is missing, other than in the database, or out of order."""
    return not any(summary[name] for name in ("lost", "different", "out_of_order"))


def explain(comparison: Comparison) -> Iterator[str]:
    """Name some of the records that are wrong."""
    for what, keys in (
        ("missing", comparison.missing),
        ("should be gone", comparison.left),
        ("different", comparison.different),
    ):
        for key in keys[:SHOWN]:
            yield f"{what}: {key}"
        if len(keys) > SHOWN:
            yield f"{what}: and {len(keys) - SHOWN} more"
