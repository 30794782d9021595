"""A WSO2 that costs little: it accepts every delivery and notes when it came.

`python tests/benchmarks/sink.py FILE` prints its port and then, for every request, writes a line
to FILE: seconds since the epoch, a tab, the body.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final
from urllib.parse import urlsplit

_END: Final = b"\r\n\r\n"
_LENGTH: Final = b"content-length:"
_ID: Final = b"idempotency-key:"
_TARGET: Final = b"x-cdc-target:"
_REFUSED: Final = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0" + _END
_TOGETHER: Final = 200  # words in one request


@dataclass(slots=True)
class Words:
    """Says `delivered` of what it is told, some together, over one connection."""

    url: str
    _told: list[bytes] = field(default_factory=list)
    _some: asyncio.Event = field(default_factory=asyncio.Event)

    def tell(self, name: bytes) -> None:
        """Say it soon."""
        self._told.append(name)
        self._some.set()

    async def run(self) -> None:
        """Say what is told, for ever."""
        to = urlsplit(self.url)
        await self._some.wait()  # by then who listens there has started
        reader, writer = await asyncio.open_connection(to.hostname, to.port)
        while True:
            await self._some.wait()
            some, self._told = self._told[:_TOGETHER], self._told[_TOGETHER:]
            if not self._told:
                self._some.clear()
            body = json.dumps([{"id": name.decode(), "status": "delivered"} for name in some])
            head = f"POST {to.path} HTTP/1.1\r\nHost: {to.netloc}\r\n"
            head += f"Content-Type: application/json\r\nContent-Length: {len(body)}"
            writer.write(head.encode() + _END + body.encode())
            answer = await reader.readuntil(_END)
            assert answer.startswith(b"HTTP/1.1 204"), answer


@dataclass(frozen=True, slots=True)
class Manner:
    """How it behaves: it answers after `delay` seconds, and refuses what is for one target."""

    delay: float = 0.0
    refuse: bytes = b"-"


class Sink(asyncio.Protocol):
    """One connection; requests on it follow each other."""

    def __init__(self, notes: BinaryIO, manner: Manner, words: Words | None) -> None:
        self._notes = notes
        self._manner = manner
        self._words = words
        self._data = bytearray()
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        now = time.time()
        self._data += data
        while (head := self._data.find(_END)) >= 0:
            lines = bytes(self._data[:head]).split(b"\r\n")
            body = head + len(_END)
            end = body + int(_value(lines, _LENGTH) or 0)
            if len(self._data) < end:
                return
            self._notes.write(b"%.6f\t%s\n" % (now, self._data[body:end]))
            del self._data[:end]
            name, delay = _value(lines, _ID), self._manner.delay
            if _value(lines, _TARGET) == self._manner.refuse:
                self._say(_REFUSED)
            elif delay:
                asyncio.get_running_loop().call_later(delay, self._accept, name)
            else:
                self._accept(name)

    def _accept(self, name: bytes) -> None:
        said = b'{"status":"ACCEPTED","id":"' + name + b'"}'
        head = b"HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: "
        self._say(head + b"%d" % len(said) + _END + said)
        if self._words is not None:
            self._words.tell(name)

    def _say(self, answer: bytes) -> None:
        assert self._transport is not None
        self._transport.write(answer)


def _value(lines: list[bytes], name: bytes) -> bytes:
    for line in lines:
        if line[: len(name)].lower() == name:
            return line[len(name) :].strip()
    return b""


async def serve(path: Path, manner: Manner, acks: str) -> None:
    """Serve until the process is ended."""
    words = Words(acks) if acks else None
    with path.open("wb", buffering=0) as notes:
        server = await asyncio.get_running_loop().create_server(
            lambda: Sink(notes, manner, words), "127.0.0.1", 0
        )
        sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
        sys.stdout.flush()
        if words is None:
            await server.serve_forever()
        else:
            await words.run()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("notes", type=Path)
    parser.add_argument("--delay", type=float, default=0.0, help="seconds until it answers")
    parser.add_argument("--refuse", default="-", help="a target whose deliveries get a 503")
    parser.add_argument("--acks", default="", help="an intake that hears the targets' words")
    args = parser.parse_args()
    asyncio.run(serve(args.notes, Manner(args.delay, args.refuse.encode()), args.acks))


if __name__ == "__main__":
    main()
