"""From a commit in one Odoo to the record in another, through the whole line.

One change after the other, each when the one before has been acknowledged. The record is there
when the target has answered: Odoo's own calls are over then. Always with two stand-ins, and with
two real Odoos where ODOO_SRC names a checkout.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any, Final

from embedded.synapse import Synapse
from tests.benchmarks.figures import Figure, percentile
from tests.benchmarks.place import Place
from tests.fix_odoo_rpc import STAND_IN, kinds, real_ones, stand_ins
from tests.odoo_client import Rpc
from tests.programs import COMMAND, Program
from tests.two_odoos import TwoOdoos, two_odoos

CHANGES: Final = 50  # of each kind, per run
_WARM: Final = 10  # of each kind before, which do not count
_TEMPLATE: Final = "product.template"
_SALE: Final = "sale.order"
_LOUD: Final = ("env", "ODOO_CDC_LOG_LEVEL=DEBUG", *COMMAND)  # the time of every answer
_COUNTED: Final = re.compile(r"^odoo_cdc_target_odoo_seconds_(sum|count)\S* (\S+)$", re.MULTILINE)

Change = Callable[[int], object]
Parts = dict[str, float]


@dataclass(frozen=True, slots=True)
class _Changed:
    """One record of the master, and how it is changed: by a number."""

    name: str
    model: str
    record: int
    change: Change


@dataclass(frozen=True, slots=True)
class _Run:
    """The parts of every change, in seconds; seconds in calls to Odoo, and how many there were."""

    parts: list[Parts]
    in_odoo: float
    calls: float


def to_odoo(place: Place, runs: int) -> list[Figure]:
    """Return the latency of two kinds of changes, and which part takes how long of it."""
    figures = []
    for kind in kinds():
        place.say(f"two Odoos and what is between them: {kind}")
        with _line(place, kind) as (line, target):
            rpc = line.master.client()
            changes = (_price(line, rpc), _quantity(line, rpc))
            for changed in changes:
                _play(line, changed, range(_WARM))
                measured = []
                for run in range(runs):
                    place.say(f"{kind}: {CHANGES} x {changed.name}, run {run + 1} of {runs}")
                    measured.append(_measure(line, target, changed, (run + 1) * 1000))
                figures += _figures(f"{kind}: {changed.name}", measured)
    return figures


def _figures(what: str, runs: list[_Run]) -> list[Figure]:
    totals = [[sum(parts.values()) for parts in run.parts] for run in runs]
    budget = "" if what.startswith(STAND_IN) else "under 300"
    found = [
        Figure(f"{what}: p50", "ms", tuple(percentile(each, 50) * 1e3 for each in totals), budget),
        Figure(f"{what}: p99", "ms", tuple(percentile(each, 99) * 1e3 for each in totals)),
    ]
    for part in runs[0].parts[0]:
        medians = tuple(median(parts[part] for parts in run.parts) * 1e3 for run in runs)
        found.append(Figure(f"  of it {part}: p50", "ms", medians))
    in_odoo = tuple(run.in_odoo / CHANGES * 1e3 for run in runs)
    found.append(Figure("  of that in Odoo's answers: mean", "ms", in_odoo))
    calls = tuple(run.calls / CHANGES for run in runs)
    found.append(Figure("  calls to Odoo for each: mean", "", calls))
    return found


def _measure(line: TwoOdoos, target: Program, changed: _Changed, first: int) -> _Run:
    """Return where the time of each change went."""
    asked = _asked(line)
    _play(line, changed, range(first, first + CHANGES))
    in_odoo, calls = (after - before for before, after in zip(asked, _asked(line), strict=True))
    words = ("trace", changed.model, str(changed.record), "--last", str(CHANGES), "--json")
    traces = json.loads(line.programs.run(*words).out.read_text(encoding="utf-8"))
    answers = _answers(target.log)
    assert len(traces) == CHANGES
    return _Run([_parts(each, *answers[each["id"]]) for each in traces], in_odoo, calls)


def _parts(trace: Mapping[str, Any], answered: float, took: float) -> Parts:
    """Cut the way of a delivery into what each program took, in seconds."""
    at = {step["step"]: _seconds(step["at"]) for step in trace["steps"]}
    return {
        "capture, from the commit to Kafka": at["published"] - at["committed"],
        "Kafka and worker, from the event to the send queue": at["queued"] - at["published"],
        "Kafka and worker, from the send queue to WSO2": at["sent"] - at["queued"],
        "WSO2, to the target": answered - took - at["sent"],
        "target, with Odoo": took,
    }


def _answers(log: Path) -> dict[str, tuple[float, float]]:
    """Return when the target answered each delivery last, and how long it took, in seconds."""
    found = {}
    for line in log.read_text(encoding="utf-8").splitlines():
        if '"action": "applied"' in line:
            said = json.loads(line)
            found[said["delivery"]] = (_seconds(said["time"]), said["milliseconds"] / 1e3)
    return found


def _asked(line: TwoOdoos) -> tuple[float, float]:
    """Return the seconds that calls to Odoo took so far, and how many there were."""
    found = dict(_COUNTED.findall(line.metrics()))
    return float(found["sum"]), float(found["count"])


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def _play(line: TwoOdoos, changed: _Changed, numbers: range) -> None:
    """Change a record so often, each time when the last one has been acknowledged."""
    for number in numbers:
        before = line.newest(changed.model, changed.record)
        changed.change(number)
        line.delivered(changed.model, changed.record, before)


def _price(line: TwoOdoos, rpc: Rpc) -> _Changed:
    values = {"name": "Chair", "default_code": "CHAIR", "list_price": 5}
    number = rpc(_TEMPLATE, "create", values)
    line.delivered(_TEMPLATE, number)

    def change(price: int) -> object:
        return rpc(_TEMPLATE, "write", [number], {"list_price": 10 + price})

    return _Changed("a price of a product", _TEMPLATE, number, change)


def _quantity(line: TwoOdoos, rpc: Rpc) -> _Changed:
    template = rpc(_TEMPLATE, "create", {"name": "Desk", "default_code": "DESK"})
    (desk,) = rpc("product.product", "search", [["product_tmpl_id", "=", template]])
    line.delivered("product.product", desk)
    customer = rpc("res.partner", "create", {"name": "Branch", "ref": "BRANCH"})
    of_line = {"product_id": desk, "product_uom_qty": 1, "price_unit": 7}
    values = {"partner_id": customer, "order_line": [(0, 0, of_line)]}
    order = rpc(_SALE, "create", values)
    rpc(_SALE, "action_confirm", [order])
    line.delivered(_SALE, order)
    (first,) = rpc.one(_SALE, order, "order_line")["order_line"]

    def change(quantity: int) -> object:
        values = {"product_uom_qty": 2 + quantity, "price_unit": 7}
        return rpc(_SALE, "write", [order], {"order_line": [(1, first, values)]})

    return _Changed("a quantity in a confirmed order", _SALE, order, change)


@contextmanager
def _line(place: Place, kind: str) -> Iterator[tuple[TwoOdoos, Program]]:
    """Give a line that is loaded, and its target."""
    folder = place.folder / f"to-{kind}"
    folder.mkdir()
    with ExitStack() as services:
        if kind == STAND_IN:
            start = stand_ins(services, place.postgres, place.fresh_odoo())
        else:
            start = real_ones(services)

        def engine(artifacts: Path) -> Synapse:
            return services.enter_context(Synapse.start(artifacts))

        odoos = (start(), start())
        line = services.enter_context(two_odoos(folder, place.kafka.bootstrap, odoos, engine))
        line.prepare()
        file = str(line.target_file)
        target = line.start_target("--config", file, "--log-format", "json", launcher=_LOUD)
        line.start_capture()
        line.start_worker()
        line.settled()
        yield line, target
