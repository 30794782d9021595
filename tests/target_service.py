"""`odoo-cdc target` as a program that can be killed, and who delivers to it until it is done."""

from __future__ import annotations

import asyncio
import random
import re
import subprocess
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import aiohttp

from tests.programs import COMMAND, ROOT, Program

PAUSE: Final = 0.1  # seconds, before a delivery that was not taken is sent again
RETRIED: Final = (408, 425, 429)


class TargetService:
    """The program with a target.yaml in a folder of its own."""

    def __init__(self, folder: Path, text: str) -> None:
        """Start nothing yet; `text` says nothing of `listen`."""
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.file = folder / "target.yaml"
        self.file.write_text(f"listen: 127.0.0.1:0\n{text}", encoding="utf-8")
        self.url = ""
        self.kills = 0
        self._program: Program | None = None
        self._starts = 0

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()

    @property
    def program(self) -> Program:
        """The one that runs, or ran last."""
        assert self._program is not None
        return self._program

    def start(self) -> Self:
        """Start it, on another port than before; it listens when this returns."""
        out, log = (self.folder / f"target-{self._starts}.{kind}" for kind in ("out", "log"))
        self._starts += 1
        with out.open("wb") as to_out, log.open("wb") as to_log:
            process = subprocess.Popen(
                [*COMMAND, "target", "--config", str(self.file)],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=to_out,
                stderr=to_log,
            )
        self._program = Program(process, out, log)
        self._program.until_said(" on port ")
        found = re.search(r" on port (\d+)", log.read_text())
        assert found is not None
        self.url = f"http://127.0.0.1:{found[1]}"
        return self

    def kill(self) -> None:
        """End it as a power cut would."""
        self.program.kill()

    def strike(self) -> None:
        """Kill it without waiting for its end; for any thread."""
        self.program.process.kill()

    def log(self) -> str:
        """Return what it logged, over all starts."""
        return "".join(each.read_text() for each in sorted(self.folder.glob("target-*.log")))


@dataclass
class Sender:
    """Sends as a worker does: of a chain one at a time, each until it is answered for good."""

    service: TargetService
    chance: random.Random = field(default_factory=lambda: random.Random(7))  # noqa: S311  any
    repeats: float = 0.2  # how often an earlier one of the chain comes once more
    side_by_side: int = 12
    attempts: int = 0
    rejected: list[Any] = field(default_factory=list)
    codes: set[str] = field(default_factory=set)
    up: threading.Event = field(default_factory=threading.Event)
    _slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1))

    def deliver(self, chains: Sequence[Sequence[dict[str, Any]]], patience: float) -> None:
        """Deliver chains side by side; returns when all is answered for good."""
        self.up.set()
        asyncio.run(self._all(chains, patience))

    async def _all(self, chains: Sequence[Sequence[dict[str, Any]]], patience: float) -> None:
        self._slots = asyncio.Semaphore(self.side_by_side)

        async def in_order(session: aiohttp.ClientSession, chain: Sequence[Any]) -> None:
            for place, message in enumerate(chain):
                await self._until_taken(session, message)
                if self.chance.random() < self.repeats:
                    await self._until_taken(session, chain[self.chance.randint(0, place)])

        async with asyncio.timeout(patience), aiohttp.ClientSession() as session:
            await asyncio.gather(*(in_order(session, chain) for chain in chains))

    async def _until_taken(self, session: aiohttp.ClientSession, message: dict[str, Any]) -> None:
        while True:
            async with self._slots:
                if await self._is_taken(session, message):
                    return
            await asyncio.sleep(PAUSE)  # the worker's schedule

    async def _is_taken(self, session: aiohttp.ClientSession, message: dict[str, Any]) -> bool:
        if not self.up.is_set():
            return False
        self.attempts += 1
        try:
            async with session.post(f"{self.service.url}/deliveries", json=message) as said:
                body = await said.json()
        except (aiohttp.ClientError, ConnectionError):
            return False
        if said.status in RETRIED or said.status >= 500:
            self.codes.add(body["code"])
            return False
        if said.status != 200:
            self.rejected.append(body)
        return True
