"""`python -m embedded.odoo_rpc --port 8069 --dsn ... `: the stand-in as a process of its own.

Keys come in the environment, `ODOO_RPC_KEYS`: a JSON object, login -> key.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import signal
import sys
import threading

from embedded.odoo_rpc.calls import Database
from embedded.odoo_rpc.server import Server


def main(argv: list[str]) -> int:
    """Serve until SIGTERM or SIGINT."""
    options = _options(argv)
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    keys = json.loads(os.environ["ODOO_RPC_KEYS"])
    database = Database(options.dsn, keys, frozenset(options.writer))
    server = Server(database, options.port)

    def end(_number: int, _frame: object) -> None:
        threading.Thread(target=server.shutdown).start()  # it waits for the loop below

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    server.serve_forever(poll_interval=0.1)
    server.server_close()
    database.close()
    return 0


def _options(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="odoo_rpc", description="A stand-in for Odoo's RPC over an Odoo-shaped database."
    )
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--dsn", required=True, help="the database; Odoo's RPC names it alike")
    parser.add_argument(
        "--writer", action="append", default=[], help="login of one who may write; repeatable"
    )
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
