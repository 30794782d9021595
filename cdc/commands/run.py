"""`odoo-cdc run`: capture and one worker under one supervisor, for small installations."""

from __future__ import annotations

import argparse
import ctypes
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Final

from cdc.supervisor import Kept, OsSignals, Supervisor
from schemas.config import Config, load
from schemas.errors import BadUsage

HELP: Final = "capture and stream together, started again when they end (small installations)"
EXAMPLE: Final = "odoo-cdc run -c sync.yaml"

_BESIDE: Final = 10  # capture's health is that many ports behind the worker's
_LAST_PORT: Final = 65_535
_PORT: Final = re.compile(r"(?P<host>.*:)(?P<port>[1-9][0-9]*)")
_PR_SET_PDEATHSIG: Final = 1  # prctl(2)


class NothingToRun(BadUsage):
    """The file has no routes: there is nothing to run."""

    hint = "Add a route to `routes:`, then `odoo-cdc check`."


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare no arguments of its own."""


def run(args: argparse.Namespace) -> int:
    """Run until SIGTERM or SIGINT; a program that must not go on ends all with its code."""
    config = load(args.config)
    if not config.routes:
        raise NothingToRun
    shared = ["-c", str(args.config), "--log-format", args.log_format]
    programs = [
        Kept("capture", _starting("capture", [*shared, *_health(config)])),
        Kept("stream", _starting("stream", shared)),
    ]
    signals = OsSignals()
    with signals.caught():
        return Supervisor(programs, signals).run()


def _health(config: Config) -> list[str]:
    """Return capture's own address: two programs cannot listen at the same one."""
    found = _PORT.fullmatch(config.health.listen)
    if found is None:
        return []
    port = int(found["port"]) + _BESIDE
    return ["--health", f"{found['host']}{port if port <= _LAST_PORT else 0}"]


def _starting(name: str, options: Sequence[str]) -> Callable[[], subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "cdc", name, *options]

    def start() -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # noqa: S603  our own interpreter and module
            command,
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for the supervisor, which passes it on once
            preexec_fn=_begin,  # noqa: PLW1509  no thread runs here
        )

    return start


def _begin() -> None:
    """Spare a program until it handles SIGHUP; have the kernel stop one whose parent is killed."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
