"""The stand-in as a child process."""

from __future__ import annotations

import json
import os
import secrets
import sys
from pathlib import Path
from typing import ClassVar, Self

from psycopg.conninfo import conninfo_to_dict

from embedded import jsonrpc
from embedded.ports import LOOPBACK, free_ports
from embedded.process import Service

ADMIN, READER = "admin", "demo"
"""Logins of one who may write, and of one who may only read."""


class OdooRpc(Service):
    """A stand-in for the Odoo of a database that `embedded.odoo.create` has filled."""

    name: ClassVar[str] = "odoo-stand-in"
    kind: ClassVar[str] = "stand-in"

    def __init__(self, dsn: str, home: Path | None = None, *, keep: bool | None = None) -> None:
        """Prepare it; keys are made up."""
        super().__init__(home, keep=keep)
        self.dsn = dsn
        self.database = str(conninfo_to_dict(dsn)["dbname"])
        self.keys = {login: secrets.token_hex(16) for login in (ADMIN, READER)}
        self.port = 0

    @classmethod
    def start(cls, dsn: str, *, home: Path | None = None, keep: bool | None = None) -> Self:
        """Start it; it answers when this returns."""
        return cls(dsn, home, keep=keep).first_launch()

    @property
    def url(self) -> str:
        """Where clients go."""
        return f"http://{LOOPBACK}:{self.port}"

    def choose_ports(self) -> None:
        """Take one port."""
        (self.port,) = free_ports(1)

    def command(self) -> list[str]:
        """Return what to run."""
        module = [sys.executable, "-m", "embedded.odoo_rpc"]
        return [*module, f"--port={self.port}", f"--dsn={self.dsn}", f"--writer={ADMIN}"]

    def environment(self) -> dict[str, str]:
        """Return the environment, with the keys in it."""
        return {**os.environ, "ODOO_RPC_KEYS": json.dumps(self.keys)}

    def answers(self) -> bool:
        """Whether one can log in."""
        args = [self.database, ADMIN, self.keys[ADMIN]]
        return bool(jsonrpc.ask(self.url, "common", "login", args))
