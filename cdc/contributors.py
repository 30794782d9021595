"""Who contributes to a command, found by entry point: so nobody here imports the other program."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import entry_points
from typing import Any

from schemas.config import Config


def ask(group: str, config: Config) -> dict[str, Any]:
    """Return what each function of an entry point group says, by name, sorted.

    All are asked at once: a service that is away keeps each waiting for its own timeout only.
    """
    entries = sorted(entry_points(group=group), key=lambda entry: entry.name)
    asked = [entry.load() for entry in entries]
    with ThreadPoolExecutor(max(1, len(asked)), thread_name_prefix="ask") as pool:
        said = list(pool.map(lambda each: each(config), asked))
    return {entry.name: each for entry, each in zip(entries, said, strict=True)}
