"""A WSO2 that costs little: it accepts every delivery and notes when it came.

`python tests/benchmarks/sink.py FILE` prints its port and then, for every request, writes a line
to FILE: seconds since the epoch, a tab, the body.
"""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path
from typing import BinaryIO, Final

_END: Final = b"\r\n\r\n"
_LENGTH: Final = b"content-length:"
_ID: Final = b"idempotency-key:"


class Sink(asyncio.Protocol):
    """One connection; requests on it follow each other."""

    def __init__(self, notes: BinaryIO) -> None:
        self._notes = notes
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
            self._accept(_value(lines, _ID))

    def _accept(self, name: bytes) -> None:
        said = b'{"status":"ACCEPTED","id":"' + name + b'"}'
        head = b"HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: "
        assert self._transport is not None
        self._transport.write(head + b"%d" % len(said) + _END + said)


def _value(lines: list[bytes], name: bytes) -> bytes:
    for line in lines:
        if line[: len(name)].lower() == name:
            return line[len(name) :].strip()
    return b""


async def serve(path: Path) -> None:
    """Serve until the process is ended."""
    with path.open("wb", buffering=0) as notes:
        server = await asyncio.get_running_loop().create_server(
            lambda: Sink(notes), "127.0.0.1", 0
        )
        sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
        sys.stdout.flush()
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))
