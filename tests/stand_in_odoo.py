"""A stand-in for Odoo's RPC: Odoo itself is in no registry. It speaks what odoorpc asks for.

`/web/webclient/version_info`, then `/jsonrpc` with `common.login` and `object.execute_kw`: `read`,
`search_count` and `context_get`. What it answers stands in `rows`: (model, id) -> field ->
value, as RPC has it.
"""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from typing import Any

from tests.stand_ins import Answer, Received, StandIn

DATABASE, USER, KEY = "odoo", "cdc@example.com", "an-api-key-of-cdc"


@dataclass(frozen=True)
class Fault:
    """Odoo answers with an error of this name, as its server writes it."""

    name: str
    message: str


@dataclass
class Said:
    """What it was asked: `calls` are (model, ids, fields) of every read that came."""

    calls: list[tuple[str, list[int], list[str]]] = field(default_factory=list)
    logins: int = 0


class StandInOdoo(StandIn):
    """Odoo's RPC. Scripted acts come first: `next(Close())`, `next(Answer(502))`."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, int], dict[str, Any]] = {}
        self.faults: dict[tuple[str, int], Fault] = {}  # to any read that has this record in it
        self.database_is_there = True
        self.key = KEY
        self.said = Said()
        self.reading = threading.Event()
        super().__init__(otherwise=None)

    @property
    def settings(self) -> dict[str, str]:
        """What stands in `source.odoo`."""
        return {
            "url": f"http://127.0.0.1:{self.port}",
            "database": DATABASE,
            "user": USER,
            "api_key": KEY,
        }

    def decide(self, scripted: object, request: Received) -> Any:
        if scripted is not None:
            return super().decide(scripted, request)
        asked = request.json
        if request.path == "/web/webclient/version_info":
            return _result(asked, {"server_version": "18.0", "server_version_info": [18, 0]})
        assert request.path == "/jsonrpc", request.path
        service, args = asked["params"]["service"], asked["params"]["args"]
        if args[0] != DATABASE or not self.database_is_there:
            name = "psycopg2.OperationalError"
            return _error(asked, Fault(name, f'FATAL: database "{args[0]}" does not exist'))
        if service == "common":
            self.said.logins += 1
            return _result(asked, 7 if args[1:] == [USER, self.key] else False)
        if args[2] != self.key:
            return _error(asked, Fault("odoo.exceptions.AccessDenied", "Access Denied"))
        return self._object(asked, args)

    def _object(self, asked: Any, args: list[Any]) -> Answer:
        model, method = args[3], args[4]
        if method == "context_get":
            return _result(asked, {"lang": "fr_FR", "tz": "Europe/Brussels"})
        if method == "search_count":
            return _result(asked, 3)
        assert method == "read", method
        ids, options = args[5][0], args[6]
        assert options["context"]["bin_size"] is False
        self.said.calls.append((model, ids, options["fields"]))
        self.reading.set()
        for number in ids:
            if (fault := self.faults.get((model, number))) is not None:
                return _error(asked, fault)
        there = [number for number in ids if (model, number) in self.rows]
        rows = [self._row(model, number, options["fields"]) for number in there]
        return _result(asked, rows)

    def _row(self, model: str, number: int, fields: list[str]) -> dict[str, Any]:
        row = self.rows[model, number]
        return {"id": number, **{name: row.get(name, False) for name in fields}}


def _result(asked: Any, result: Any) -> Answer:
    return _json({"jsonrpc": "2.0", "id": asked["id"], "result": result})


def _error(asked: Any, fault: Fault) -> Answer:
    data = {"name": fault.name, "message": fault.message, "debug": "", "arguments": []}
    error = {"code": 200, "message": "Odoo Server Error", "data": data}
    return _json({"jsonrpc": "2.0", "id": asked["id"], "error": error})


def _json(body: Any) -> Answer:
    return Answer(200, json.dumps(body).encode(), (("Content-Type", "application/json"),))
