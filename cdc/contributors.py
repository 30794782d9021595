"""Who contributes to a command, found by entry point: so nobody here imports the other program."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import entry_points
from typing import Any, cast

from schemas.config import Config
from schemas.errors import OdooCdcError


def contributed(group: str, name: str) -> Callable[..., Any]:
    """Return the function that an entry point group has under a name."""
    (entry,) = entry_points(group=group, name=name)
    return cast("Callable[..., Any]", entry.load())


def ask(
    group: str, config: Config, rescue: Callable[[OdooCdcError], Any] | None = None
) -> dict[str, Any]:
    """Return what each function of an entry point group says, by name, sorted.

    All are asked at once: a service that is away keeps each waiting for its own timeout only.
    `rescue` makes an answer of an error, which is raised without it.
    """
    entries = sorted(entry_points(group=group), key=lambda entry: entry.name)
    asked = [entry.load() for entry in entries]

    def said(each: Callable[[Config], Any]) -> Any:
        try:
            return each(config)
        except OdooCdcError as error:
            if rescue is None:
                raise
            return rescue(error)

    with ThreadPoolExecutor(max(1, len(asked)), thread_name_prefix="ask") as pool:
        answers = list(pool.map(said, asked))
    return {entry.name: answer for entry, answer in zip(entries, answers, strict=True)}
