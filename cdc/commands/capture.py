"""`odoo-cdc capture`: the replication reader of one source. Everything is put together here."""

from __future__ import annotations

import argparse
import gc
import logging
import signal
import sys
from collections.abc import Callable
from contextlib import ExitStack, closing
from typing import Final

from cdc.assembly import assemble
from cdc.health import Health
from schemas.config import load
from schemas.errors import BadUsage

HELP: Final = "read what Odoo commits and publish it to Kafka (one per source)"
EXAMPLE: Final = "odoo-cdc capture --until-caught-up"

logger = logging.getLogger(__name__)


class NothingToCapture(BadUsage):
    """The file has no routes: there is nothing to capture."""

    hint = "Add a route to `routes:`, then `odoo-cdc check`."


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "--until-caught-up",
        action="store_true",
        help="exit 0 once everything committed before the start is published and confirmed;"
        " the first load waits for no worker then",
    )
    parser.add_argument(
        "--health",
        metavar="ADDRESS",
        help="where to tell how it is, instead of the file's health.listen; empty: nowhere",
    )


def run(args: argparse.Namespace) -> int:
    """Run until SIGTERM or, with --until-caught-up, until that is so."""
    config = load(args.config)
    if not config.routes:
        raise NothingToCapture
    _on_signal(lambda: sys.exit(0))  # nothing is in hand yet
    with ExitStack() as stack:
        capture, vitals = assemble(config, stack, until_caught_up=args.until_caught_up)
        listen = config.health.listen if args.health is None else args.health
        stack.enter_context(Health(listen, vitals.ready, vitals.metrics))
        _on_signal(capture.stop)
        _spare_the_collector()
        with closing(capture):
            capture.run()
    logger.info("stopped", extra={"action": "stopped"})
    return 0


def _on_signal(act: Callable[[], object]) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: act())


def _spare_the_collector() -> None:
    """Let Python look for cycles seldom: what was put together stays, and rows make none."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000)
