"""`odoo-cdc stream`: one worker."""

from __future__ import annotations

import argparse
import re
import signal
import socket
from typing import Final

from schemas.config import load
from schemas.errors import BadUsage

HELP: Final = "make deliveries of events, send them to WSO2, take acknowledgements (one worker)"
EXAMPLE: Final = "odoo-cdc stream --worker stream-1"

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


class BadName(BadUsage):
    """A worker's name becomes a folder's and a group member's."""

    hint = "Use letters, digits, dots, dashes and underscores: --worker stream-1"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "--worker",
        metavar="NAME",
        default=socket.gethostname(),
        help="this worker's name, the same over restarts (default: the host's, %(default)s)",
    )


def run(args: argparse.Namespace) -> int:
    """Run until SIGTERM; see `streams.worker.serve` for what is refused at the start."""
    if not _NAME.fullmatch(args.worker):
        raise BadName(f"{args.worker!r} cannot be a worker's name")
    # Faust takes a second to import: other commands and --help do not wait for it.
    from streams.asked import Asked  # noqa: PLC0415  likewise
    from streams.worker.production import production  # noqa: PLC0415  see above
    from streams.worker.serve import serve  # noqa: PLC0415  likewise

    asked = Asked()
    signal.signal(signal.SIGHUP, asked)  # first: what changes from here on is not missed
    return serve(load(args.config), args.worker, production(), asked)
