"""`odoo-cdc check`: everything that can be known before starting, from all who can know it."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Final

from cdc.contributors import ask
from schemas.config import ConfigError, json_schema, load
from schemas.finding import Finding

HELP: Final = "look for everything that can be known before starting: file, database, Kafka, WSO2"
EXAMPLE: Final = "odoo-cdc check --json"
GROUP: Final = "odoo_cdc.checks"

SOUND: Final = "everything is as it should be"
WELL_FORMED: Final = (
    "sync.yaml is well formed; models, fields, domains and mappings were not held against a"
    " database, and no service was asked"
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "--json-schema",
        action="store_true",
        help="print the JSON Schema of sync.yaml, for editors, and look at nothing",
    )
    parser.add_argument(
        "--file-only",
        action="store_true",
        help="read the file alone and ask no service: where there is none, in CI for instance",
    )


def run(args: argparse.Namespace) -> int:
    """Print the findings; 0 without errors, 1 with any. Raises FileUnreadable (exit 2)."""
    if args.json_schema:
        print(json.dumps(json_schema(), indent=2))
        return 0
    try:
        config = load(args.config)
    except ConfigError as error:
        found = error.findings
    else:
        asked = {} if args.file_only else ask(GROUP, config)
        found = [*config.warnings, *(each for said in asked.values() for each in said)]
    found.sort(key=lambda each: (each.level != "error", each.line or 0))
    errors = sum(each.level == "error" for each in found)
    if args.json:
        print(json.dumps({"findings": [each.to_json() for each in found]}))
    else:
        _print(found, errors, args.config)
        if args.file_only and not errors:
            print(WELL_FORMED)
        elif not found:
            print(SOUND)
    return 1 if errors else 0


def _print(found: list[Finding], errors: int, path: Path) -> None:
    for each in found:
        print(f"{each.level}: {each.text(path)}")
    if found:
        print(f"{errors} errors, {len(found) - errors} warnings")
