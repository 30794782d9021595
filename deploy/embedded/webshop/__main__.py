"""`python -m embedded.webshop --port 8095`: the webshop as a process of its own."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from aiohttp import web

from embedded.ports import LOOPBACK
from embedded.webshop.server import Faults, Server, open_log
from embedded.webshop.shop import Shop


def main(argv: list[str]) -> int:
    """Serve until SIGTERM or SIGINT."""
    options = _options(argv)
    faults = Faults(options.refuse, options.forget, options.delay, options.seconds)
    server = Server(Shop(), faults)
    if options.data:
        open_log(options.data, server)
    web.run_app(server.app(), host=LOOPBACK, port=options.port, print=None, access_log=None)
    return 0


def _options(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="webshop", description="A target that takes deliveries.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--data", type=Path, help="file for what was accepted, a JSON line each")
    for name, about in (
        ("refuse", "share answered 503 before they are applied"),
        ("forget", "share answered 503 although they are applied"),
        ("delay", "share answered late"),
    ):
        parser.add_argument(f"--{name}", type=float, default=0.0, metavar="SHARE", help=about)
    parser.add_argument("--seconds", type=float, default=0.5, help="how late (default: 0.5)")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
