"""Another target.yaml for a service that runs: whole and between two deliveries, or not at all."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

from schemas.config import ConfigError
from schemas.errors import OdooCdcError
from schemas.finding import Finding
from schemas.from_files import current
from schemas.reload import said_refused
from streams.applying.known import Known
from streams.applying.reading import load
from streams.applying.settings import Settings
from streams.asked import Asked
from streams.metrics import Meter

logger = logging.getLogger(__name__)

_HINT: Final = "Undo that part of the file, or restart the service; docs/target.md has the list."
_OTHER: Final = "what was applied is remembered of one Odoo: give another one a service of its own"
_RESTART: Final = "restart the service for it"
_STANDING: Final[tuple[tuple[str, Callable[[Settings], Any], str], ...]] = (
    ("odoo.url", lambda s: s.odoo["url"], _OTHER),
    ("odoo.database", lambda s: s.odoo["database"], _OTHER),
    ("odoo.timeout", lambda s: s.timeout, _RESTART),
    ("listen", lambda s: s.listen, _RESTART),
    ("state", lambda s: s.state, _RESTART),
    ("at_once", lambda s: s.at_once, _RESTART),
    ("waiting", lambda s: s.waiting, _RESTART),
)


class Used(NamedTuple):
    """A file, and the names that were found under it: `system` says which are Odoo's own."""

    settings: Settings
    known: Known


class InForce:
    """The file that counts; for any thread."""

    def __init__(self, settings: Settings) -> None:
        """Begin with the file of the start."""
        self.now = Used(settings, Known())

    def take(self, settings: Settings) -> None:
        """Let another file count from the next delivery on."""
        self.now = Used(settings, Known())


class Reloading:
    """Takes another file whenever somebody asks for it."""

    def __init__(self, force: InForce, meter: Meter) -> None:
        """`meter` counts the files that were taken and refused."""
        self._force = force
        self._meter = meter

    async def follow(self, asked: Asked) -> None:
        """Take the file whenever SIGHUP has come, for ever."""
        loop = asyncio.get_running_loop()
        while True:
            await asked.wait()
            try:
                settings = await loop.run_in_executor(None, read_again, self._force.now.settings)
            except OdooCdcError as error:
                said_refused(error)
                self._meter.count("reloads", "refused")
            else:
                self._force.take(settings)
                logger.info("the file is in force", extra={"action": "reload", "result": "taken"})
                self._meter.count("reloads", "taken")


def read_again(old: Settings) -> Settings:
    """Read the file of `old` again; blocking.

    Raises what `load` raises, and ConfigError with what cannot change while the service runs.
    """
    new = load(old.path)
    found = list(_standing(old, new))
    if found:
        raise ConfigError(old.path, found, hint=_HINT)
    return new


def _standing(old: Settings, new: Settings) -> Iterator[Finding]:
    for key, get, remedy in _STANDING:
        if get(old) != get(new):
            message = f"{get(old)} cannot become {get(new)} in a running service"
            yield Finding("error", key, new.lines.of(key), message, remedy)
    if current(old.token, at_once=True) != str(new.token):  # one that a file holds may change
        line = new.lines.of("token")
        yield Finding("error", "token", line, "it cannot change in a running service", _RESTART)
