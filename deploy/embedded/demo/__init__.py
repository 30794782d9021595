"""`odoo-cdc demo`: the whole pipeline on embedded services with live data.

Only the command's face is here: what it needs is an extra, which `odoo-cdc --help` does without.
"""

from __future__ import annotations

import argparse
from typing import Final

from embedded.errors import NotInstalled

HELP: Final = "run the whole pipeline on embedded services with live data"
EXAMPLE: Final = "odoo-cdc demo --once"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "--once",
        action="store_true",
        help="play 20 s with accidents, compare, say what came of it, and end with 0 or 1",
    )
    parser.add_argument(
        "--rate",
        type=_rate,
        default=20.0,
        metavar="N",
        help="transactions a second (default: %(default)g)",
    )
    parser.add_argument("--seed", type=int, default=1, help="other data and other events")
    parser.add_argument("--keep", action="store_true", help="leave the folder with every log")


def run(args: argparse.Namespace) -> int:
    """Run until Ctrl-C, or with --once until the verdict."""
    try:
        from embedded.demo.performance import perform  # noqa: PLC0415 - see above
    except ImportError as error:
        raise NotInstalled(f"the Python package {error.name} is missing") from error
    return perform(args)


def _rate(text: str) -> float:
    value = float(text)
    if not 0 < value <= 1_000:  # noqa: PLR2004 - a sane limit
        raise argparse.ArgumentTypeError("more than 0, at most 1000")
    return value
