"""`python -m tests.benchmarks [--runs N] [--rows N] [NAME ...]`: figures beside budgets."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable
from typing import Final

from tests.benchmarks import (
    asking,
    drains,
    filling,
    flow,
    into_odoo,
    memory,
    routing,
    sending,
    sizes,
    to_odoo,
)
from tests.benchmarks.figures import Figure, table
from tests.benchmarks.place import Place

Measure = Callable[[Place, int], list[Figure]]
MEASURES: Final[dict[str, Measure]] = {
    "workload": drains.workload,
    "columns": drains.columns,
    "one-row": drains.one_row_transactions,
    "routing": routing.routing,
    "worker": flow.one_worker,
    "latency": flow.latency,
    "answers": sending.answers,
    "odoo": filling.from_odoo,
    "crowd": sending.crowd,
    "beside": sending.beside,
    "recovery": sending.recovery,
    "questions": asking.questions,
    "to-odoo": to_odoo.to_odoo,
    "target": into_odoo.into_odoo,
    "memory": memory.one_million_rows,
    "load": sizes.load,
    "storm": sizes.storm,
    "transaction": sizes.transaction,
    "resend": sizes.resend,
}


def main() -> int:
    """Take the figures and print them; progress goes to stderr."""
    args = _arguments()
    figures: list[Figure] = []
    with Place(_say, args.rows) as place:
        for name in args.measures or MEASURES:
            figures += MEASURES[name](place, args.runs)
        what = "recorded Odoo 18 workload" if place.recorded else "our own Odoo-shaped workload"
        about = f"{what}, Postgres {place.postgres.installation.version}"
    about += f", Python {platform.python_version()}, {os.cpu_count()} cores"
    about += f", load {os.getloadavg()[1]:.1f} in the last 5 minutes"
    if args.json:
        found = {"about": about, "figures": [figure.to_json() for figure in figures]}
        sys.stdout.write(json.dumps(found) + "\n")
    else:
        sys.stdout.write(f"{about}\n\n{table(figures)}\n")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument(
        "measures", nargs="*", metavar="NAME", help=f"some of {', '.join(MEASURES)}; else all"
    )
    parser.add_argument("--runs", type=int, default=3, help="how often each (%(default)s)")
    parser.add_argument(
        "--rows", type=int, default=1_000_000, help="how large the large ones are (%(default)s)"
    )
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    args = parser.parse_args()
    for name in args.measures:
        if name not in MEASURES:
            parser.error(f"there is no measure {name!r}; there are {', '.join(MEASURES)}")
    return args


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
