"""`odoo-cdc capture`: the replication reader of one source. Everything is put together here."""

from __future__ import annotations

import argparse
import gc
import logging
import signal
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cdc.assembly import Assembled, Ground
from cdc.capture import Capture
from cdc.engine.relations import SchemaChanged
from cdc.health import Health
from cdc.metrics import Figures, text
from cdc.postgres import slot
from cdc.recovery import Consent, recover
from cdc.reloading import Fitting, Reloading
from cdc.shadow.folder import Lock
from cdc.status import PAUSED
from cdc.vitals import Vitals
from cdc.wal import SlotReleased
from schemas.config import Config, Source, load
from schemas.errors import BadUsage, DataAtRisk
from schemas.reload import read_again, said_taken
from schemas.terminal import agrees

HELP: Final = "read what Odoo commits and publish it to Kafka (one per source)"
EXAMPLE: Final = "odoo-cdc capture --until-caught-up"

_TURN: Final = 0.2  # seconds between two looks whether the other one has ended

logger = logging.getLogger(__name__)


class NothingToCapture(BadUsage):
    """The file has no routes: there is nothing to capture."""

    hint = "Add a route to `routes:`, then `odoo-cdc check`."


class RoutesPaused(DataAtRisk):
    """Everything is published but documents of models that wait."""

    hint = f"{PAUSED}, or start capture again. Nothing of them is lost."


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
    config = _read(args.config)
    _on_signal(lambda: sys.exit(0))  # nothing is in hand yet
    if args.recover:
        recover(config, Consent(args.yes, _agrees))
    with ExitStack() as stack:
        told = _Told(reloading)
        health = Health(_listen(config, args.health), told.ready, told.metrics)
        lock = stack.enter_context(closing(Lock(config.state / "capture")))
        if not lock.take() and not args.until_caught_up:
            with health:
                _stand_by(lock, told)
            config = read_again(args.config, config, worker=False)
        ground = Ground(config, stack, lock)
        reloading.begin(config, ground.examine)
        fitting: Fitting | None = Fitting(config, ground.source)
        while fitting is not None:
            with ExitStack() as inner:
                made = ground.assemble(
                    fitting.config, fitting.source, inner, until_caught_up=args.until_caught_up
                )
                if told.by(made, fitting):
                    stack.enter_context(health)
                    _spare_the_collector()
                altered = _run(made.capture, reloading, fitting.config.source)
            fitting = _next(made.capture, reloading, fitting, ground, altered)
        _refuse_paused(ground.paused if args.until_caught_up else {})
    logger.info("stopped", extra={"action": "stopped"})
    return 0


def _read(path: Path) -> Config:
    config = load(path)
    if not config.routes:
        raise NothingToCapture
    return config


def _listen(config: Config, asked: str | None) -> str:
    return config.health.listen if asked is None else asked


def _stand_by(lock: Lock, told: _Told) -> None:
    """Wait until the capture that has the shadow ends; a signal ends the waiting."""
    text = "another capture has %s: standing by, to take over when it ends"
    logger.info(text, lock.folder, extra={"action": "standby"})
    told.stands_by = True
    while not lock.take():
        time.sleep(_TURN)  # the kernel tells nobody that a lock is free
    told.stands_by = False
    logger.warning("the other capture has ended: taking over", extra={"action": "taken_over"})


def _refuse_paused(paused: Mapping[str, str]) -> None:
    """Raise RoutesPaused where a run that ends by itself has left something out."""
    if paused:
        raise RoutesPaused("; ".join(f"{model}: {why}" for model, why in sorted(paused.items())))


def _next(
    capture: Capture,
    reloading: Reloading,
    fitting: Fitting,
    ground: Ground,
    altered: SchemaChanged | None,
) -> Fitting | None:
    """Return what is to follow: another file or, now that all is read or one was refused, this.

    Where tables were altered, the database is looked at again.
    """
    if capture.stopping:
        return None
    if altered is not None:
        config = (reloading.take(ground.fits) or fitting).config
        return Fitting(config, ground.look_again(config, altered))
    return reloading.take(ground.fits) or fitting


def _agrees(question: str) -> bool:
    """Ask where somebody sits there; nobody agrees to nothing."""
    return sys.stdin.isatty() and sys.stderr.isatty() and agrees(question)


def _run(capture: Capture, reloading: Reloading, source: Source) -> SchemaChanged | None:
    """Let it capture until it is told to stop, or a file is there that it is to be made of.

    Return what has ended it where it is to be made anew for that.
    """
    _on_signal(capture.stop)
    reloading.follow(capture.hand_over)
    try:
        with closing(capture):
            capture.run()
    except SchemaChanged as error:
        return error
    except SlotReleased as error:
        slot.release(source.dsn, source.slot)
        logger.critical("%s: dropped", error, extra={"action": "alarm", "alarm": "slot_released"})
        raise
    finally:
        if not capture.stopping:
            _on_signal(lambda: sys.exit(0))  # everything is durable, nothing is in hand
    return None


@dataclass(slots=True)
class _Told:
    """What health tells, of whichever capture runs."""

    reloading: Reloading
    vitals: Vitals | None = None
    stands_by: bool = False
    force: Config | None = None  # the file that was last said to be in force

    def by(self, made: Assembled, fitting: Fitting) -> bool:
        """Tell of this one from here on, and of its file; say whether it is the first."""
        first, self.vitals = self.vitals is None, made.vitals
        if not made.capture.passing and self.force is not fitting.config:
            self.force = fitting.config
            if not first:
                said_taken(fitting.config)
        return first

    def ready(self) -> str:
        if self.stands_by:
            return "standby: another capture runs"
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
