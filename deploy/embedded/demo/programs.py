"""Our own programs as child processes: capture, one stream worker, one target service."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, ClassVar

import psycopg

from embedded.demo.errors import SetUpFailed
from embedded.errors import NotStarted
from embedded.ports import LOOPBACK, free_ports
from embedded.process import Service

COMMAND = (sys.executable, "-m", "cdc")
HEALTH = "HEALTH_LISTEN"
"""The variable by which sync.yaml gives each program a health address of its own."""

_PATIENCE = 3
"""Seconds for one answer."""


class Program(Service):
    """`odoo-cdc COMMAND` on one sync.yaml; `restarts` counts those that nobody asked for.

    Its folder is the file's, which all programs share: whoever ends last removes it.
    """

    command_line: ClassVar[tuple[str, ...]]
    stop_grace: ClassVar[float] = 10.0

    def __init__(self, config: Path, *, keep: bool) -> None:
        """Prepare it; `keep` says whether the folder stays."""
        super().__init__(config.parent, keep=keep)
        self.log = self.home / f"{self.name}.log"
        self.config = config
        self.restarts = 0
        self.choose_ports()

    def choose_ports(self) -> None:
        """Take one port, for health."""
        (self.port,) = free_ports(1)

    @property
    def listen(self) -> str:
        """HOST:PORT of that."""
        return f"{LOOPBACK}:{self.port}"

    def command(self) -> list[str]:
        """Return what to run."""
        return [*COMMAND, *self.command_line, "-c", str(self.config)]

    def environment(self) -> dict[str, str]:
        """Return our own, and where it tells how it is."""
        return {**os.environ, HEALTH: self.listen}

    def ask(self, what: str) -> str:
        """Return what it answers, "" where it does not."""
        url = f"http://{self.listen}/{what}"
        with (
            contextlib.suppress(OSError, urllib.error.URLError),  # it is down: it says nothing
            urllib.request.urlopen(url, timeout=_PATIENCE) as answer,
        ):
            return str(answer.read().decode(errors="replace"))
        return ""


class Capture(Program):
    """Answers once it reads the slot."""

    name: ClassVar[str] = "capture"
    command_line: ClassVar[tuple[str, ...]] = ("capture",)

    def __init__(self, config: Path, dsn: str, *, keep: bool) -> None:
        """Prepare it; `dsn` leads to the database that it reads."""
        super().__init__(config, keep=keep)
        self.dsn = dsn

    def answers(self) -> bool:
        """Whether it reads the slot."""
        # Where the database is away, it reads nothing either.
        with contextlib.suppress(psycopg.Error), psycopg.connect(self.dsn) as connection:
            row = connection.execute(
                "SELECT bool_or(active) FROM pg_replication_slots"
                " WHERE database = current_database()"
            ).fetchone()
            return bool(row and row[0])
        return False


class StreamWorker(Program):
    """Answers once its health does."""

    name: ClassVar[str] = "stream"
    command_line: ClassVar[tuple[str, ...]] = ("stream", "--worker", "demo-1")

    def answers(self) -> bool:
        """Whether its event loop turns."""
        return bool(self.ask("healthz"))


class TargetService(Program):
    """Writes into the branch's Odoo; answers once it has logged in there."""

    name: ClassVar[str] = "target"
    command_line: ClassVar[tuple[str, ...]] = ("target",)

    @property
    def url(self) -> str:
        """Where deliveries go."""
        return f"http://{self.listen}/deliveries"

    def answers(self) -> bool:
        """Whether a delivery would be applied."""
        return bool(self.ask("readyz"))


def set_up(config: Path) -> str:
    """Run `odoo-cdc setup`; return what it did. Raises SetUpFailed with what it said."""
    done = subprocess.run(
        [*COMMAND, "setup", "-c", str(config)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SetUpFailed(f"odoo-cdc setup ended with {done.returncode}:\n{done.stderr.strip()}")
    return done.stdout


def count(config: Path, target: str, state: str) -> int:
    """Return how many deliveries of a target the ledger has in a state. Raises NotStarted."""
    asked = ["--target", target, "--state", state, "--limit", "0"]
    words = ["queue", *asked, "--json", "-c", str(config)]
    done = subprocess.run([*COMMAND, *words], capture_output=True, text=True, check=False)
    try:
        found: dict[str, Any] = json.loads(done.stdout)
    except ValueError as error:
        raise NotStarted(
            f"odoo-cdc queue ended with {done.returncode}:\n{done.stderr.strip()}"
        ) from error
    return int(found["matched"])
