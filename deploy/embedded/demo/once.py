"""`demo --once`: load with accidents on the way, then the question whether anything is missing."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Final, NamedTuple

from embedded.demo import questions
from embedded.demo.branch import questions as branch
from embedded.demo.branch.odoo import is_real
from embedded.demo.branch.routes import BRANCH
from embedded.demo.errors import NotSettled
from embedded.demo.figures import Figures, Looker
from embedded.demo.load import Load
from embedded.demo.questions import TARGET
from embedded.demo.stage import Stage
from embedded.demo.verdict import Latency

PATIENCE: Final = 120.0
"""Seconds without a record of the first load, and those that all may take in the end."""

PATIENCE_WITH_ODOO: Final = 1_800.0
"""The same, with a real Odoo: it takes half a second for a product."""

Beat = Callable[[], None]
"""Shows how things stand; called about once a second."""


class Accident(NamedTuple):
    """What happens, so many seconds after what happened before."""

    pause: float
    name: str
    act: Callable[[], None]


def accidents(stage: Stage, load: Load) -> list[Accident]:
    """Return what goes wrong on the way; the pauses make 20 s."""
    return [
        Accident(4.0, "kill -9 capture", stage.capture.kill),
        Accident(1.0, "start capture again", stage.capture.launch),
        Accident(2.0, "kill -9 the branch's target service", stage.target.kill),
        Accident(2.0, "start the target service again", stage.target.launch),
        Accident(2.0, "kill -9 the stream worker", stage.stream.kill),
        Accident(1.0, "start the stream worker again", stage.stream.launch),
        Accident(3.0, "kill -9 WSO2", stage.synapse.kill),
        Accident(3.0, "start WSO2 again", stage.synapse.launch),
        Accident(2.0, "the load ends", load.stop),
    ]


def patience(stage: Stage) -> float:
    """Return the seconds that everything may take to arrive."""
    return PATIENCE_WITH_ODOO if is_real(stage.branch) else PATIENCE


def arrive(stage: Stage, beat: Beat) -> None:
    """Wait until both targets hold every record that there was at first.

    Raises NotSettled when none has come for long: how fast they come is the machine's.
    """
    most, least = patience(stage), sys.maxsize
    deadline = time.monotonic() + most
    while (lost := _missing(stage)) > 0:
        if lost < least:
            least, deadline = lost, time.monotonic() + most
        if time.monotonic() > deadline:
            raise NotSettled(
                f"{lost} records of the first load are missing, and none has come for {most:.0f} s"
            )
        beat()
        time.sleep(1.0)  # a beat of the screen


def _missing(stage: Stage) -> int:
    shop = questions.compare(questions.ask(stage.dsn), stage.webshop.records())
    return shop.lost + branch.ask(stage.dsn, stage.branch.dsn, stage.before).comparison.lost


def play(
    stage: Stage, load: Load, looker: Looker, say: Callable[[str], None], beat: Beat
) -> dict[str, Latency]:
    """Let the load run while things go wrong; return the latencies before the first of them."""
    undisturbed: dict[str, Latency] = {}
    for accident in accidents(stage, load):
        then = time.monotonic() + accident.pause
        while (left := then - time.monotonic()) > 0:
            time.sleep(min(1.0, left))  # a beat of the screen
            load.check()
            beat()
        if not undisturbed:
            figures = looker.look()
            undisturbed = {TARGET: figures.webshop.latency, BRANCH: figures.branch.latency}
        say(accident.name)
        _meanwhile(accident.act, beat)
    return undisturbed


def _meanwhile(act: Callable[[], None], beat: Beat) -> None:
    """Do something that takes its time, and show how things stand."""
    with ThreadPoolExecutor(1) as thread:
        done = thread.submit(act)
        while not wait([done], 1.0).done:
            beat()
        done.result()


def settle(looker: Looker, beat: Beat, most: float) -> None:
    """Wait until everything that was committed is acknowledged; NotSettled after `most` s."""
    deadline = time.monotonic() + most
    end = looker.position()
    while looker.confirmed() < end or not _calm(looker):
        if time.monotonic() > deadline:
            raise NotSettled(f"after {most:.0f} s: {looker.look()}")
        beat()
        time.sleep(0.5)  # Kafka tells nobody that all is read


def _calm(looker: Looker) -> bool:
    """Whether nothing is on its way, twice in a row: between two topics it is in neither."""
    first = looker.look()
    if not first.settled:
        return False
    time.sleep(1.0)  # longer than anything is between two topics
    second = looker.look()
    return second.settled and _taken(first) == _taken(second)


def _taken(figures: Figures) -> tuple[int, int]:
    return figures.webshop.taken, figures.branch.taken
