"""`odoo-cdc capture`: the replication reader of one source. Everything is put together here."""

from __future__ import annotations

import argparse
import gc
import logging
import signal
import sys
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import Final

from cdc.assembly import Ground
from cdc.capture import Capture
from cdc.health import Health
from cdc.metrics import Figures, text
from cdc.recovery import Consent, recover
from cdc.reloading import Fitting, Reloading
from cdc.vitals import Vitals
from schemas.config import load
from schemas.errors import BadUsage
from schemas.reload import said_taken
from schemas.terminal import agrees

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
        "--recover",
        action="store_true",
        help="mend a lost slot, publication or shadow first, then publish exactly what was"
        " missed, deletes included; without a shadow every record, deletes unknown",
    )
    parser.add_argument(
        "--yes",
        action="store_true",
        help="with --recover: what cannot be undone is wanted; and read everything again although"
        " nothing is wrong",
    )
    parser.add_argument(
        "--health",
        metavar="ADDRESS",
        help="where to tell how it is, instead of the file's health.listen; empty: nowhere",
    )


def run(args: argparse.Namespace) -> int:
    """Run until SIGTERM or, with --until-caught-up, until that is so; SIGHUP: see Reloading."""
    reloading = Reloading(args.config)
    signal.signal(signal.SIGHUP, reloading.ask)  # first: what changes from here on is not missed
    config = load(args.config)
    if not config.routes:
        raise NothingToCapture
    _on_signal(lambda: sys.exit(0))  # nothing is in hand yet
    if args.recover:
        recover(config, Consent(args.yes, _agrees))
    with ExitStack() as stack:
        ground = Ground(config, stack)
        reloading.begin(config, ground.examine)
        listen = config.health.listen if args.health is None else args.health
        told = _Told(reloading)
        fitting: Fitting | None = Fitting(config, ground.source)
        while fitting is not None:
            with ExitStack() as inner:
                made = ground.assemble(
                    fitting.config, fitting.source, inner, until_caught_up=args.until_caught_up
                )
                first, told.vitals = told.vitals is None, made.vitals
                if first:
                    stack.enter_context(Health(listen, told.ready, told.metrics))
                    _spare_the_collector()
                elif not made.capture.passing:
                    said_taken(fitting.config)
                _run(made.capture, reloading)
            fitting = _next(made.capture, reloading, fitting)
    logger.info("stopped", extra={"action": "stopped"})
    return 0


def _next(capture: Capture, reloading: Reloading, fitting: Fitting) -> Fitting | None:
    """Return what is to follow: another file, the same one now that all is read, or nothing."""
    if capture.stopping:
        return None
    return reloading.take() or (fitting if capture.passing else None)


def _agrees(question: str) -> bool:
    """Ask where somebody sits there; nobody agrees to nothing."""
    return sys.stdin.isatty() and sys.stderr.isatty() and agrees(question)


def _run(capture: Capture, reloading: Reloading) -> None:
    """Let it capture until it is told to stop, or a file is there that it is to be made of."""
    _on_signal(capture.stop)
    reloading.follow(capture.hand_over)
    with closing(capture):
        capture.run()
    if not capture.stopping:
        _on_signal(lambda: sys.exit(0))  # everything is durable, nothing is in hand


@dataclass(slots=True)
class _Told:
    """What health tells, of whichever capture runs."""

    reloading: Reloading
    vitals: Vitals | None = None

    def ready(self) -> str:
        return "not put together yet" if self.vitals is None else self.vitals.ready()

    def metrics(self) -> str:
        figures = Figures() if self.vitals is None else self.vitals.figures()
        return text(self.reloading.counted(figures))


def _on_signal(act: Callable[[], object]) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: act())


def _spare_the_collector() -> None:
    """Let Python look for cycles seldom: what was put together stays, and rows make none."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000)
