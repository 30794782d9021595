"""The webshop as a child process."""

from __future__ import annotations

import json
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, ClassVar, Self

from embedded.errors import NotStarted
from embedded.ports import LOOPBACK, free_ports
from embedded.process import Service
from embedded.webshop.server import Faults

_PATIENCE = 10
"""Seconds for one answer."""


class Webshop(Service):
    """A shop with faults; what it accepted is in `home/accepted.jsonl`, and outlives a kill."""

    name: ClassVar[str] = "webshop"

    def __init__(
        self, faults: Faults | None = None, home: Path | None = None, *, keep: bool | None = None
    ) -> None:
        """Prepare a shop in its folder."""
        super().__init__(home, keep=keep)
        self.faults = faults or Faults()
        self.port = 0

    @classmethod
    def start(
        cls, faults: Faults | None = None, *, home: Path | None = None, keep: bool | None = None
    ) -> Self:
        """Start a shop; it answers when this returns."""
        return cls(faults, home, keep=keep).first_launch()

    @property
    def url(self) -> str:
        """Where deliveries go, for `targets` of sync.yaml."""
        return f"http://{LOOPBACK}:{self.port}/deliveries"

    def choose_ports(self) -> None:
        """Take one port."""
        (self.port,) = free_ports(1)

    def command(self) -> list[str]:
        """Return what to run."""
        shares = [f"--{name}={value}" for name, value in self.faults._asdict().items()]
        data = self.home / "accepted.jsonl"
        module = [sys.executable, "-m", "embedded.webshop"]
        return [*module, f"--port={self.port}", f"--data={data}", *shares]

    def answers(self) -> bool:
        """Whether it answers."""
        try:
            self.summary()
        except NotStarted:
            return False
        return True

    def summary(self) -> dict[str, Any]:
        """Return what it has counted; NotStarted when it does not answer."""
        return self._get("summary")

    def records(self) -> dict[str, dict[str, dict[str, Any]]]:
        """Return what it holds: route -> key -> fields; NotStarted when it does not answer."""
        return self._get("records")

    def _get(self, what: str) -> dict[str, Any]:
        url = f"http://{LOOPBACK}:{self.port}/{what}"
        try:
            with urllib.request.urlopen(url, timeout=_PATIENCE) as answer:
                found: dict[str, Any] = json.load(answer)
                return found
        except (OSError, urllib.error.URLError, ValueError) as error:
            raise NotStarted(f"the webshop does not answer: {error}") from error
