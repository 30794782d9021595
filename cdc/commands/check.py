"""`odoo-cdc check`: everything that can be known before starting, from all who can know it."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Final, cast

from schemas.config import Config, ConfigError, load
from schemas.finding import Finding

HELP: Final = "look for everything that can be known before starting: file, database, Kafka, WSO2"
EXAMPLE: Final = "odoo-cdc check --json"
GROUP: Final = "odoo_cdc.checks"

_Check = Callable[[Config], list[Finding]]


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare no arguments of its own."""


def run(args: argparse.Namespace) -> int:
    """Print the findings; 0 without errors, 1 with any. Raises FileUnreadable (exit 2)."""
    try:
        config = load(args.config)
    except ConfigError as error:
        found = error.findings
    else:
        found = [*config.warnings, *_ask(config)]
    found.sort(key=lambda each: (each.level != "error", each.line or 0))
    errors = sum(each.level == "error" for each in found)
    if args.json:
        print(json.dumps({"findings": [each.to_json() for each in found]}))
    else:
        _print(found, errors, args.config)
    return 1 if errors else 0


def _ask(config: Config) -> list[Finding]:
    """Ask all at once: what is away keeps each waiting for its own timeout only."""
    checks = [cast("_Check", entry.load()) for entry in sorted_entries(GROUP)]
    with ThreadPoolExecutor(max(1, len(checks)), thread_name_prefix="check") as pool:
        return [each for found in pool.map(lambda check: check(config), checks) for each in found]


def sorted_entries(group: str) -> list[EntryPoint]:
    """Return who contributes, always in the same order."""
    return sorted(entry_points(group=group), key=lambda entry: entry.name)


def _print(found: list[Finding], errors: int, path: Path) -> None:
    for each in found:
        print(f"{each.level}: {each.text(path)}")
    if not found:
        print("everything is as it should be")
    else:
        print(f"{errors} errors, {len(found) - errors} warnings")
