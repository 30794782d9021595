"""JSON-RPC over HTTP: `/jsonrpc` and `/web/webclient/version_info`, as odoorpc asks for them."""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from embedded.odoo_rpc.calls import Called, Database
from embedded.odoo_rpc.faults import AccessDenied, name
from embedded.ports import LOOPBACK

VERSION: Final = {
    "server_version": "18.0",
    "server_version_info": [18, 0, 0, "final", 0, ""],
    "server_serie": "18.0",
    "protocol_version": 1,
}
_LOG = logging.getLogger(__name__)
_NO_DATABASE: Final = "psycopg2.OperationalError"


class _NoDatabase(Exception):
    """A database that is not the one that is served."""


class Server(ThreadingHTTPServer):
    """Answers each request in a thread of its own."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, database: Database, port: int) -> None:
        super().__init__((LOOPBACK, port), _Handler)
        self.database = database

    def answer(self, path: str, body: bytes) -> dict[str, Any] | None:
        """Return the answer to a request; None where nothing is served at this path."""
        serve = _PATHS.get(path)
        if serve is None:
            return None
        asked = json.loads(body)
        number = asked.get("id")
        try:
            result = serve(self.database, asked.get("params") or {})
        except Exception as error:  # noqa: BLE001 - whatever it is, the client is told
            return {"jsonrpc": "2.0", "id": number, "error": _error(error)}
        return {"jsonrpc": "2.0", "id": number, "result": result}


class _Handler(BaseHTTPRequestHandler):
    """One request; the connection is closed after it, as Odoo's own server does."""

    server: Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            answer = self.server.answer(self.path, body)
        except ValueError:
            self.send_error(HTTPStatus.BAD_REQUEST, "Invalid JSON data")
            return
        if answer is None:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        text = json.dumps(answer).encode()
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        """Log nothing of what goes well."""


def _version(_: Database, __: Mapping[str, Any]) -> Any:
    return VERSION


def _jsonrpc(database: Database, params: Mapping[str, Any]) -> Any:
    service, method, args = params["service"], params["method"], list(params["args"])
    match service, method:
        case "common", "version":
            return VERSION
        case "common", "login" | "authenticate":
            _served(database, args[0])
            return database.log_in(*args[1:3])
        case "object", "execute":
            return _object(database, args[:5], args[5:], {})
        case "object", "execute_kw":
            return _object(database, args[:5], args[5], args[6] if args[6:] else None)
        case "db", _:
            raise AccessDenied("Access Denied")
        case _:
            raise NameError(f"Method not available {method}")


def _object(
    database: Database, head: list[Any], args: list[Any], options: Mapping[str, Any] | None
) -> Any:
    name, user, key, model, method = head
    _served(database, name)
    return database.call(user, key, Called(model, method, args, options or {}))


def _served(database: Database, wanted: str) -> None:
    if wanted != database.name:
        raise _NoDatabase(f'FATAL:  database "{wanted}" does not exist\n')


def _error(error: Exception) -> dict[str, Any]:
    kind = _NO_DATABASE if isinstance(error, _NoDatabase) else name(error)
    if kind.startswith("builtins.") and not isinstance(error, ValueError):
        _LOG.warning("a call failed", exc_info=error)
    data = {
        "name": kind,
        "debug": "".join(traceback.format_exception(error)),
        "message": str(error),
        "arguments": list(map(str, error.args)),
        "context": {},
    }
    return {"code": 200, "message": "Odoo Server Error", "data": data}


_PATHS: Final[Mapping[str, Callable[[Database, Mapping[str, Any]], Any]]] = {
    "/web/webclient/version_info": _version,
    "/jsonrpc": _jsonrpc,
}
