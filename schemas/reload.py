"""What of sync.yaml may change while programs run, and how they say what came of it.

A file that is read again is taken whole or not at all. What stands as long as a program runs is
the same for all of them, so that those of one source agree on a file.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from schemas.config import Config, ConfigError, load
from schemas.errors import OdooCdcError
from schemas.finding import Finding
from schemas.from_files import current

logger = logging.getLogger(__name__)

_RESTART: Final = "restart the programs of the source for it"
_TOGETHER: Final = (
    "workers of one group read the same topics: `odoo-cdc setup` with this file, stop all"
    " workers of the source, start them again"
)
_NO_SLOT: Final = "`odoo-cdc setup` with this file, then restart capture"
_STANDING: Final[tuple[tuple[str, Callable[[Config], Any], str], ...]] = (
    ("source.name", lambda c: c.source.name, "another source has a file and programs of its own"),
    ("source.slot", lambda c: c.source.slot, _NO_SLOT),
    ("source.publication", lambda c: c.source.publication, _NO_SLOT),
    ("state", lambda c: c.state, _RESTART),
    ("topics.partitions", lambda c: c.topics.partitions, "it cannot change: chains would move"),
    ("health.listen", lambda c: c.health.listen, _RESTART),
    ("acks.listen", lambda c: c.acks.listen, _RESTART),
)


class CannotChange(ConfigError):
    """The file changes what stands as long as a program runs."""

    hint = (
        "Undo that part of the file, or do what the line says; docs/operations.md lists what a"
        " reload changes."
    )


def read_again(path: Path, old: Config, *, worker: bool = True) -> Config:
    """Read a file that is to follow another; blocking.

    Raises what `load` raises, and CannotChange. Only a `worker` stands by its topics.
    """
    new = load(path)
    refuse_standing(old, new, worker=worker)
    return new


def refuse_standing(old: Config, new: Config, *, worker: bool = True) -> None:
    """Raise CannotChange, with a line for everything of `new` that cannot follow `old`."""
    differing = standing(old, new, worker=worker)
    found = [replace(each, line=new.lines.of(each.where)) for each in differing]
    if found:
        raise CannotChange(new.path, found)


def standing(old: Config, new: Config, *, worker: bool = True) -> list[Finding]:
    """Return what differs and cannot change while a program runs."""
    found = [
        _finding(key, f"{get(old)} cannot become {get(new)} in a running program", remedy)
        for key, get, remedy in _STANDING
        if get(old) != get(new)
    ]
    found += _kafka(old, new)
    return [*found, *_targets(old, new), *_models(old, new)] if worker else found


def said_taken(config: Config) -> None:
    """Log that a file is in force."""
    logger.info(
        "the file is in force: %s",
        config.fingerprint,
        extra={"action": "reload", "result": "taken", "config": config.fingerprint},
    )


def said_refused(error: OdooCdcError) -> str:
    """Log that a file is not taken; return why, with the next step."""
    why = f"{error}; hint: {error.hint}" if error.hint else str(error)
    logger.error(
        "the file is not taken, everything stays as it was: %s",
        why,
        extra={"action": "reload", "result": "refused"},
    )
    return why


def _kafka(old: Config, new: Config) -> Iterator[Finding]:
    """Name the properties that differ, never their values; rotated secrets are no change."""
    for key in sorted({*old.kafka, *new.kafka}):
        before, after = old.kafka.get(key), new.kafka.get(key)
        if before is None or after is None or current(before, at_once=True) != str(after):
            yield _finding(f"kafka.{key}", "another connection than the running one", _RESTART)


def _targets(old: Config, new: Config) -> Iterator[Finding]:
    if fresh := _named(new.targets.keys() - old.targets.keys()):
        yield _finding("targets", f"no running worker reads the send queue of {fresh}", _TOGETHER)
    if gone := _named(old.targets.keys() - new.targets.keys()):
        yield _finding("targets", f"running workers read the send queue of {gone}", _TOGETHER)


def _models(old: Config, new: Config) -> Iterator[Finding]:
    before, after = ({route.model for route in each.routes} for each in (old, new))
    for route in new.routes:
        if route.model not in before:
            message = f"no running worker reads {route.model}"
            yield _finding(f"routes[{route.index}].model", message, _TOGETHER)
    if gone := _named(before - after):
        yield _finding(
            "routes", f"running workers read {gone}, of which no route is left", _TOGETHER
        )


def _finding(where: str, message: str, remedy: str) -> Finding:
    return Finding("error", where, None, message, remedy)


def _named(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
