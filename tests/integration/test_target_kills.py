"""The target service is killed again and again, in the midst of what it does."""

from __future__ import annotations

import asyncio
import random
import re
import sys
from asyncio.subprocess import PIPE, Process
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest

from tests.programs import ROOT
from tests.service_rig import message

pytestmark = pytest.mark.integration

KILLS = 12
CHAINS = 8
EACH = 30  # deliveries of a chain
AT_ONCE = 4
FILE = f"""
odoo: {{url: "http://127.0.0.1:9", database: d, user: u, api_key: some-key-of-ours}}
listen: 127.0.0.1:0
at_once: {AT_ONCE}
models: {{product.template: {{fields: [name]}}}}
"""


@dataclass
class Killed:
    """A service that is started again whenever it was killed, and those who deliver to it."""

    folder: Path
    chance: random.Random
    url: str = ""
    kills: int = 0
    answered: int = 0
    process: Process | None = None
    up: asyncio.Event = field(default_factory=asyncio.Event)
    due: asyncio.Event = field(default_factory=asyncio.Event)

    async def start(self) -> None:
        words = (sys.executable, "-m", "tests.journaling_target")
        files = (str(self.folder / "target.yaml"), str(self.folder / "journal"))
        self.process = await asyncio.create_subprocess_exec(*words, *files, cwd=ROOT, stderr=PIPE)
        assert self.process.stderr is not None
        async for line in self.process.stderr:
            if found := re.search(rb"on port (\d+)", line):
                self.url = f"http://127.0.0.1:{int(found[1])}/deliveries"
                self.up.set()
                return
        raise AssertionError("it has ended")

    async def kill(self) -> None:
        assert self.process is not None
        self.up.clear()
        self.process.kill()
        await self.process.wait()

    async def kill_again_and_again(self) -> None:
        for _ in range(KILLS):
            await self.due.wait()
            self.due.clear()
            await self.kill()
            self.kills += 1
            await self.start()

    async def deliver(self, session: aiohttp.ClientSession, record: int) -> None:
        for number in range(1, EACH + 1):
            await self.post(session, number, record)
            if self.chance.random() < 0.3:  # an old one comes late, or the same again
                await self.post(session, self.chance.randint(1, number), record)

    async def post(self, session: aiohttp.ClientSession, number: int, record: int) -> None:
        while True:
            await self.up.wait()
            try:
                async with session.post(self.url, json=message(number, record)) as said:
                    status = said.status
            except aiohttp.ClientError:
                await asyncio.sleep(0)
                continue
            assert status == 200
            self.answered += 1
            if self.answered % (CHAINS * EACH // KILLS) == 0:
                self.due.set()
            return


async def test_law_5_killed_at_any_moment_nothing_is_lost_or_written_backwards(
    tmp_path: Path,
) -> None:
    (tmp_path / "target.yaml").write_text(FILE)
    service = Killed(tmp_path, random.Random(7))  # noqa: S311  any
    async with asyncio.timeout(120), aiohttp.ClientSession() as session:
        await service.start()
        killing = asyncio.create_task(service.kill_again_and_again())
        try:
            await asyncio.gather(*(service.deliver(session, n) for n in range(CHAINS)))
        finally:
            killing.cancel()
            await asyncio.gather(killing, return_exceptions=True)
            await service.kill()

    written = defaultdict(list)
    for line in (tmp_path / "journal").read_text().split():
        chain, _, sequence = line.rpartition("/")
        written[chain].append(sequence)
    lines = sum(map(len, written.values()))
    assert service.kills >= KILLS - 1
    assert len(written) == CHAINS
    for sequences in written.values():
        assert sequences == sorted(sequences)  # never an older one after a newer
        assert len(set(sequences)) == EACH  # none is missing
    assert lines <= CHAINS * EACH + service.kills * AT_ONCE  # only what was begun is repeated
