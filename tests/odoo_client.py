"""A client of an Odoo's RPC, as terse as tests want it: odoorpc below, nothing of ours."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import odoorpc
import pytest

logging.getLogger("odoorpc").setLevel(logging.INFO)  # it would write the key of every call

QUIET = {"lang": "en_US", "tz": "UTC", "tracking_disable": True}
TIMEOUT = 60.0


class Odoo(NamedTuple):
    """An Odoo, real or stand-in (`kind`: `odoo 18.0` or `stand-in`), and who may log in."""

    kind: str
    url: str
    database: str
    user: str
    api_key: str
    reader: str
    """One who may read contacts and products, and write nothing."""
    reader_key: str
    dsn: str

    def since(self, major: int, before: str) -> None:
        """Skip a test of what this version does not do yet; the stand-in does what 18 does."""
        version = self.kind.removeprefix("odoo ")
        if version != self.kind and float(version) < major:
            pytest.skip(f"before {major}: {before}")

    def client(self) -> Rpc:
        """Log in as one who may do everything."""
        return Rpc(self, self.user, self.api_key)

    def client_of_reader(self) -> Rpc:
        """Log in as one who may only read."""
        return Rpc(self, self.reader, self.reader_key)


class Refused(NamedTuple):
    """An error: the name of its class, its message, and what a client must not forward."""

    name: str
    message: str
    debug: str


class Rpc:
    """One user's calls; each has a context that is quiet and English unless told otherwise."""

    def __init__(self, odoo: Odoo, login: str, key: str) -> None:
        place = urlsplit(odoo.url)
        self.odoo = odoorpc.ODOO(place.hostname, port=place.port, timeout=TIMEOUT)
        self.odoo.login(odoo.database, login, key)

    def __call__(self, model: str, method: str, *args: Any, **options: Any) -> Any:
        options["context"] = QUIET | options.get("context", {})
        return self.odoo.execute_kw(model, method, list(args), options)

    def refused(self, model: str, method: str, *args: Any, **options: Any) -> Refused:
        """Call what must fail; return how."""
        try:
            answer = self(model, method, *args, **options)
        except odoorpc.error.RPCError as error:
            data = error.info["data"]
            return Refused(data["name"], data["message"], data["debug"])
        raise AssertionError(f"{model}.{method} was not refused: {answer!r}")

    def one(self, model: str, number: int, *fields: str, **context: Any) -> dict[str, Any]:
        """Read one record."""
        (row,) = self(model, "read", [number], list(fields), context=context)
        return dict(row)

    def named(self, module: str) -> dict[str, tuple[str, int]]:
        """Return what external ids of a module point to: name -> (model, id)."""
        fields = ["name", "model", "res_id"]
        rows = self("ir.model.data", "search_read", [["module", "=", module]], fields)
        return {row["name"]: (row["model"], row["res_id"]) for row in rows}

    def load(self, model: str, fields: Sequence[str], *rows: Sequence[Any], **context: Any) -> Any:
        """Load rows."""
        return self(model, "load", list(fields), [list(row) for row in rows], context=context)

    def loaded(self, model: str, fields: Sequence[str], *rows: Sequence[Any]) -> list[int]:
        """Load rows that are right; return their ids."""
        answer = self.load(model, fields, *rows)
        assert answer["messages"] == []
        return list(answer["ids"])
