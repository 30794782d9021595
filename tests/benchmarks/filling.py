"""What values that no column holds cost: each delivery waits until Odoo was asked for its own.

Odoo is a stand-in that takes a fixed time for every answer; events are written by hand, each of a
record of its own, and WSO2 answers at once.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from schemas.document import Read
from tests.benchmarks.figures import Figure
from tests.benchmarks.place import Place
from tests.benchmarks.watching import came, number_came, wait
from tests.documents import record, shape_of
from tests.stand_in_odoo import StandInOdoo
from tests.stand_ins import Act, Received, Slowly
from tests.streaming import MODEL, Line

DELAYS: Final = {5: 10_000, 50: 5_000}  # ms of an answer of Odoo -> deliveries
_SHAPE: Final = shape_of([Read("name"), Read("state"), Read("margin", live=True)])
_WRITTEN: Final = ("2026-11-23T10:00:00Z", "2026-11-23 10:00:00")  # in events, by Odoo's RPC
_ROUTES: Final = """routes:
  - {{name: orders, model: sale.order, targets: [shop], fields: [{fields}]}}
"""


class SlowOdoo(StandInOdoo):
    """Odoo that takes so many seconds for every answer, of `number` orders."""

    def __init__(self, seconds: float, number: int) -> None:
        self._seconds = seconds
        super().__init__()
        row = {"margin": 12.5, "write_date": _WRITTEN[1]}
        self.rows = {(MODEL, each): row for each in range(1, number + 1)}

    def decide(self, scripted: object, request: Received) -> Act:
        return Slowly(self._seconds, super().decide(scripted, request))


def from_odoo(place: Place, runs: int) -> list[Figure]:
    """Return what one worker sends where a field is read from Odoo, and where none is."""
    without = []
    for run in range(runs):
        place.say(f"no field from Odoo, run {run + 1} of {runs}")
        without.append(_rate(place, max(DELAYS.values()), None))
    figures = [Figure("one worker, no field from Odoo", "1/s", tuple(without))]
    for delay, number in DELAYS.items():
        rates, asked = [], []
        for run in range(runs):
            place.say(f"{number:,} with a field from Odoo, {delay} ms, run {run + 1} of {runs}")
            with _odoo(delay / 1000, number) as odoo:
                rates.append(_rate(place, number, odoo))
                asked.append(number / len(odoo.said.calls))
        name = f"one worker, a field from Odoo that answers after {delay} ms"
        figures += [
            Figure(name, "1/s", tuple(rates)),
            Figure(f"{name}: orders in one call", "", tuple(asked)),
        ]
    return figures


def _rate(place: Place, number: int, odoo: StandInOdoo | None) -> float:
    """Return the deliveries per second from the first that came to the last."""
    with place.sink() as (url, notes), _line(place, url, odoo) as line:
        for each in range(1, number + 1):
            shown = {"id": each, "state": "sale", "write_date": _WRITTEN[0]}
            before = record(_SHAPE, each, name="") | shown
            line.event(each, before, before | {"name": "a name"})
        line.flush()
        worker = line.worker()
        try:
            wait(lambda: number_came(notes) >= number, [worker])
            times = [at for at, body in came(notes) if _is_whole(body, live=odoo is not None)]
        finally:
            worker.stop()
    assert len(times) == number
    return (number - 1) / (times[-1] - times[0])


def _is_whole(body: Any, *, live: bool) -> bool:
    return bool(body["data"]["fields"] == {"name": "a name", **({"margin": 12.5} if live else {})})


@contextmanager
def _odoo(seconds: float, number: int) -> Iterator[StandInOdoo]:
    made = SlowOdoo(seconds, number)
    try:
        yield made
    finally:
        made.close()


@contextmanager
def _line(place: Place, url: str, odoo: StandInOdoo | None) -> Iterator[Line]:
    """Give topics of one's own, with a file whose route reads from Odoo where there is one."""
    name = f"bench_{secrets.token_hex(3)}"
    folder = place.folder / name
    folder.mkdir()
    source = {"name": name, "dsn": "host=127.0.0.1"}
    config = {
        "targets": ("shop",),
        "routes": _ROUTES.format(fields="name, margin" if odoo else "name"),
        "wso2": url,
        "shape": _SHAPE,
        "more": {"source": source | ({"odoo": odoo.settings} if odoo else {})},
    }
    with Line(folder, place.kafka.bootstrap, name, config) as line:
        yield line
