"""`odoo-cdc target`: the service that writes deliveries into an Odoo."""

from __future__ import annotations

import argparse
import json
import signal
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from schemas import folder
from schemas.config import ConfigError
from schemas.finding import Finding
from streams.applying.checks import findings
from streams.applying.reading import load
from streams.applying.settings import Settings
from streams.odoo.session import Session

HELP: Final = "write deliveries into an Odoo (HTTP service; WSO2 calls it)"
EXAMPLE: Final = "odoo-cdc target --config target.yaml --check"
CONFIG: Final = "target.yaml"  # what is read where no file is named
SOUND: Final = "target.yaml fits this Odoo"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "--check",
        action="store_true",
        help="hold the file against the Odoo (models, fields, rights, states) and start nothing",
    )


def run(args: argparse.Namespace) -> int:
    """Run until SIGTERM; see `streams.target.production` for what is refused at the start."""
    if args.check:
        return _check(args)
    # aiohttp takes its time to import: other commands and --help do not wait for it.
    from streams.asked import Asked  # noqa: PLC0415  see above
    from streams.target.production import serve  # noqa: PLC0415  likewise

    asked = Asked()
    signal.signal(signal.SIGHUP, asked)  # first: what changes from here on is not missed
    return serve(load(args.config), asked=asked)


def _check(args: argparse.Namespace) -> int:
    """Print the findings; 0 without errors, 1 with any."""
    try:
        settings = load(args.config)
    except ConfigError as error:
        found = error.findings
    else:
        found = [
            *_of_state(settings),
            *findings(settings, Session(settings.odoo, settings.context, settings.timeout)),
        ]
    found.sort(key=lambda each: (each.level != "error", each.line or 0))
    if args.json:
        print(json.dumps({"findings": [each.to_json() for each in found]}))
    else:
        _print(found, args)
    return 1 if any(each.level == "error" for each in found) else 0


def _of_state(settings: Settings) -> Iterator[Finding]:
    line = settings.lines.of("state")
    for each in folder.findings(settings.state, folder.look(settings.state)):
        yield replace(each, line=line)


def _print(found: list[Finding], args: argparse.Namespace) -> None:
    for each in found:
        print(f"{each.level}: {each.text(args.config)}")
    if not found:
        print(SOUND)
