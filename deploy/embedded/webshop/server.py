"""The webshop over HTTP: deliveries in, what it holds out; slow and away now and then.

`POST /deliveries` answers as CONTRACT.md section 6 says. `GET /records` returns route -> key ->
fields, `GET /summary` what was counted.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from io import TextIOWrapper
from pathlib import Path
from random import Random
from typing import Any, Final, NamedTuple, TextIO

from aiohttp import web

from embedded.webshop.latency import Latencies
from embedded.webshop.shop import Message, NotADelivery, Shop, Word

LARGEST: Final = 16 * 1024 * 1024
LIVE: Final = "stream"
"""The mode whose messages tell how fast the pipeline is."""


class Faults(NamedTuple):
    """Shares of all requests, from 0 to 1."""

    refuse: float = 0.0  # 503 before it is applied
    forget: float = 0.0  # 503 after it was applied: the answer is lost
    delay: float = 0.0  # answered late ...
    seconds: float = 0.5  # ... by so much


@dataclass(slots=True)
class Server:
    """A shop with its doors open; `log` gets a JSON line for every delivery that it accepted."""

    shop: Shop
    faults: Faults
    log: TextIO | None = None
    clock: Callable[[], float] = time.time
    dice: Random = field(default_factory=lambda: Random(1))  # noqa: S311 - dice
    latencies: Latencies = field(default_factory=Latencies)
    refused: int = 0
    delayed: int = 0
    last: float = 0.0  # monotonic

    def app(self) -> web.Application:
        """Return the service."""
        app = web.Application(client_max_size=LARGEST)
        app.router.add_post("/deliveries", self._deliveries)
        app.router.add_get("/records", self._records)
        app.router.add_get("/summary", self._summary)
        return app

    def restore(self, lines: Iterable[str]) -> None:
        """Take again what a former life has logged; what it counted stays its own."""
        for line in lines:
            self.shop.take(Message.parse(line.encode()))
        self.shop.counts = dict.fromkeys(Word, 0)

    async def _deliveries(self, request: web.Request) -> web.Response:
        body = await request.read()
        try:
            message = Message.parse(body)
        except NotADelivery as error:
            return _answer(400, "", "rejected", code="NOT_A_DELIVERY", message=str(error))
        if self.dice.random() < self.faults.delay:
            self.delayed += 1
            await asyncio.sleep(self.faults.seconds)
        if self.dice.random() < self.faults.refuse:
            return self._away(message)
        word = self.shop.take(message)
        self._note(message, word, body)
        if self.dice.random() < self.faults.forget:
            return self._away(message)
        return _answer(200, message.id, "delivered", target_id=message.key)

    def _note(self, message: Message, word: Word, body: bytes) -> None:
        self.last = time.monotonic()
        if word is Word.DUPLICATE:
            return
        if message.mode == LIVE:
            self.latencies.add(self.clock() - message.time)
        if self.log:
            # As one line: JSON text has its line breaks escaped, but may be laid out on several.
            self.log.write(json.dumps(json.loads(body), ensure_ascii=False) + "\n")
            self.log.flush()

    def _away(self, message: Message) -> web.Response:
        self.refused += 1
        return _answer(503, message.id, "retry", code="BUSY", message="try again")

    async def _records(self, _: web.Request) -> web.Response:
        return web.json_response(self.shop.records)

    async def _summary(self, _: web.Request) -> web.Response:
        counts = self.shop.counts
        return web.json_response(
            {
                "accepted": counts[Word.APPLIED],
                "duplicates": counts[Word.DUPLICATE],
                "out_of_order": counts[Word.OUT_OF_ORDER],
                "refused": self.refused,
                "delayed": self.delayed,
                "records": {route: len(held) for route, held in self.shop.records.items()},
                "latency_ms": self.latencies.summary(),
                "quiet_seconds": time.monotonic() - self.last if self.last else None,
            }
        )


def open_log(path: Path, server: Server) -> None:
    """Restore what a log holds, and go on writing it."""
    log = path.open("a+b")
    log.seek(0)
    written = log.read()
    # A line that a kill cut off was never answered.
    complete = written.rpartition(b"\n")[0]
    log.truncate(len(complete) + 1 if complete else 0)
    server.restore(filter(None, complete.decode().split("\n")))
    server.log = TextIOWrapper(log, encoding="utf-8")


def _answer(status: int, number: str, word: str, **more: Any) -> web.Response:
    return web.json_response({"id": number, "status": word, **more}, status=status)
