"""Health over HTTP, without an event loop: is capture alive, does it take part, its figures.

`/healthz` answers as long as the process runs; `/readyz` says what is missing; `/metrics` is
Prometheus text.
"""

from __future__ import annotations

import json
import logging
import re
import socket
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Final, Self

from cdc.metrics import CONTENT_TYPE
from schemas.errors import BadUsage, ServiceUnavailable
from schemas.masking import hide

logger = logging.getLogger(__name__)

_FORM: Final = re.compile(r"(?:\[(?P<six>[^\]]+)\]|(?P<host>[^:\[\]/\s]*)):(?P<port>\d{1,5})")
_TIMEOUT: Final = 10.0  # seconds that a client may take for its request
_JSON: Final = "application/json"

Answer = tuple[HTTPStatus, str, str]  # status, content type, body


class NoHealthAddress(BadUsage):
    """health.listen is no address to listen on."""

    hint = "Write host:port, 127.0.0.1:8092 for instance; :8092 listens on every interface."


class HealthAddressTaken(ServiceUnavailable):
    """Nothing can listen at health.listen."""

    hint = (
        "Processes that share sync.yaml need an address each:"
        " `health: {listen: ${HEALTH_LISTEN:-}}` takes it from the environment."
    )


class Health:
    """Listens between `with` and its end; does nothing where `listen` is empty.

    `ready` returns why capture does not take part, "" where it does; `metrics` the text of
    `/metrics`. Both are called on the server's threads, at every request.
    """

    def __init__(self, listen: str, ready: Callable[[], str], metrics: Callable[[], str]) -> None:
        """Listen nowhere yet; NoHealthAddress where `listen` is none."""
        self._address = _parse(listen) if listen.strip() else None
        self._ready = ready
        self._metrics = metrics
        self._server: ThreadingHTTPServer | None = None

    @property
    def port(self) -> int:
        """The port, also where any free one was asked for; 0 where nothing listens."""
        return 0 if self._server is None else self._server.server_port

    def __enter__(self) -> Self:
        """Listen; HealthAddressTaken where somebody else does."""
        if self._address is None:
            return self
        try:
            self._server = _server(self._address, self._answer)
        except OSError as error:
            why = f"health.listen: {error.strerror or error}"
            raise HealthAddressTaken(why) from error
        threading.Thread(target=self._server.serve_forever, name="health", daemon=True).start()
        logger.info("health on port %d", self.port, extra={"action": "listening"})
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def _answer(self, path: str) -> Answer:
        match path.partition("?")[0]:
            case "/healthz":
                return HTTPStatus.OK, _JSON, json.dumps({"status": "ok"})
            case "/readyz":
                reason = self._ready()
                status = HTTPStatus.SERVICE_UNAVAILABLE if reason else HTTPStatus.OK
                reasons = [reason] if reason else []
                return status, _JSON, json.dumps({"ready": not reason, "reasons": reasons})
            case "/metrics":
                return HTTPStatus.OK, CONTENT_TYPE, self._metrics()
            case _:
                known = ["/healthz", "/readyz", "/metrics"]
                return HTTPStatus.NOT_FOUND, _JSON, json.dumps({"known": known})


def _parse(listen: str) -> tuple[str, int]:
    found = _FORM.fullmatch(listen.strip())
    if found is None:
        raise NoHealthAddress(f"{listen!r} is no address to listen on")
    return found["six"] or found["host"] or "", int(found["port"])


def _server(address: tuple[str, int], answer: Callable[[str], Answer]) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        timeout = _TIMEOUT

        def do_GET(self) -> None:
            status, kind, body = answer(self.path)
            data = hide(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  its name there
            """Say nothing: a probe every second is no news."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET

        def handle_error(self, request: object, client_address: object) -> None:
            """Say nothing: a client that went away is no fault of ours."""

    return Server(address, Handler)
