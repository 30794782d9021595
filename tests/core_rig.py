"""A worker's core between a Kafka, a WSO2 and a clock that are plain Python: no waiting, no ports.

Everything else is the real thing: the forwarder, the committer, the timer, the cache on disk.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from schemas.acknowledgement import Acknowledgement
from schemas.config import Window
from schemas.delivery import Delivery
from schemas.state import State
from streams.cache.folder import StateFolder
from streams.chains.acknowledgements import Word
from streams.chains.item import Arrival, Item, Terms
from streams.chains.ledger import Entry
from streams.chains.outcome import Accepted, Outcome
from streams.core import Core, Limits, Ports
from streams.drafts import Drafts
from streams.filling.reads import Ask, Away, Faulty, Records
from streams.forward import Forwarder
from streams.partitions.ports import MANY, Chunk, StateTopic, Stored, Write
from streams.responses import acknowledge
from streams.timer import Timer

PARTITION: Final = 0
Answer = Records | Faulty | Away
BEGIN: Final = 1_800_000_000.0  # UTC seconds
TERMS: Final = Terms("accepted", ack_timeout=60.0, retry=(10.0, 20.0), history="all")
ASKED: Final = Terms("required", ack_timeout=60.0, retry=(10.0, 20.0), history="all")


class PowerCut(Exception):
    """The process is gone."""


@dataclass
class Clock:
    """Tells the time that it was set to."""

    now: float = BEGIN

    def __call__(self) -> float:
        return self.now


@dataclass
class Cut:
    """The power goes at the write after so many; of that one so many records come through."""

    writes: int = 0
    came_through: Mapping[StateTopic, int] = field(default_factory=dict)
    done: bool = False


@dataclass
class Log:
    """Kafka as the committer knows it: what is written is there for good, in order."""

    records: dict[tuple[StateTopic, int], list[Stored]] = field(
        default_factory=lambda: defaultdict(list)
    )
    cut: Cut | None = None
    written: list[Write] = field(default_factory=list)

    async def publish(self, writes: Sequence[Write]) -> Sequence[int]:
        if self.cut is not None:
            if self.cut.writes <= 0:
                self._write([p for topic in StateTopic for p in self._lucky(topic, writes)])
                self.cut.done = True
                raise PowerCut
            self.cut.writes -= 1
        offsets = self._write(writes)
        await asyncio.sleep(0)
        return offsets

    def _lucky(self, topic: StateTopic, writes: Sequence[Write]) -> list[Write]:
        """Return what came through of a write: of each topic some of the first records."""
        assert self.cut is not None
        mine = [write for write in writes if write.topic is topic]
        return [] if self.cut.done else mine[: self.cut.came_through.get(topic, 0)]

    def _write(self, writes: Sequence[Write]) -> list[int]:
        offsets = []
        for write in writes:
            kept = self.records[write.topic, write.partition]
            offsets.append(len(kept))
            kept.append(Stored(write.key, write.value))
            self.written.append(write)
        return offsets

    async def read(
        self, topic: StateTopic, partition: int, start: int, most: int = MANY
    ) -> AsyncIterator[Chunk]:
        kept = self.records[topic, partition]
        if start >= len(kept):
            yield Chunk([], len(kept))
            return
        for first in range(start, len(kept), most):
            some = kept[first : first + most]
            yield Chunk(some, first + len(some))

    def latest(self, topic: StateTopic) -> dict[str, bytes]:
        """Return the values that compaction would keep."""
        found: dict[str, bytes] = {}
        for stored in self.records[topic, PARTITION]:
            found.pop(stored.key.decode(), None)
            if stored.value is not None:
                found[stored.key.decode()] = stored.value
        return found

    def entries(self) -> dict[str, Entry]:
        """Return the ledger."""
        return {k: Entry.from_json(v) for k, v in self.latest(StateTopic.LEDGER).items()}

    def items(self) -> dict[str, Item]:
        """Return what waits."""
        return {k: Item.from_json(v) for k, v in self.latest(StateTopic.RETRIES).items()}

    def letters(self) -> list[bytes]:
        """Return the dead letters."""
        return [s.value for s in self.records[StateTopic.DEAD, PARTITION] if s.value is not None]


@dataclass
class Wso2:
    """Answers as told, and looks whether a chain is sent one delivery at a time."""

    script: deque[Outcome | asyncio.Event] = field(default_factory=deque)
    calls: list[tuple[Delivery, int]] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)  # ids, each at its first acceptance
    watch: Callable[[Delivery], None] = lambda _: None
    late: Outcome = field(default_factory=Accepted)  # the answer to what it made wait
    down: dict[str, Outcome] = field(default_factory=dict)  # target -> the answer to all for it
    spoilt: dict[str, Outcome] = field(default_factory=dict)  # id -> the answer to it, always
    _open: set[str] = field(default_factory=set)

    async def send(self, delivery: Delivery, attempt: int) -> Outcome:
        assert delivery.chain not in self._open, "two of one chain at a time"
        self.watch(delivery)
        self._open.add(delivery.chain)
        self.calls.append((delivery, attempt))
        usual = self.down.get(delivery.target, Accepted())
        usual = self.spoilt.get(delivery.id, usual)
        said = self.script.popleft() if self.script else usual
        try:
            if isinstance(said, asyncio.Event):
                await said.wait()
                said = self.late
            await asyncio.sleep(0)
        finally:
            self._open.discard(delivery.chain)
        if isinstance(said, Accepted) and delivery.id not in self.taken:
            self.taken.append(delivery.id)
        return said

    def forget(self) -> None:
        """End what is open: who called is gone."""
        self._open.clear()


@dataclass
class Odoo:
    """Answers every read with the number of the read; `script` says otherwise, once each."""

    script: deque[Answer | asyncio.Event] = field(default_factory=deque)
    asked: list[Ask] = field(default_factory=list)
    spoilt: set[int] = field(default_factory=set)  # records that it never gives
    down: Away | None = None
    written: str = "2026-11-23 10:00:00"

    async def read(self, asked: Ask) -> Answer:
        self.asked.append(asked)
        said = self.script.popleft() if self.script else self.down
        await asyncio.sleep(0)
        if isinstance(said, asyncio.Event):
            await said.wait()
        elif said is not None:
            return said
        if self.spoilt & set(asked.ids):
            return Faulty("no right")
        value = f"read {len(self.asked)}"
        row = {**dict.fromkeys(asked.fields, value), "write_date": self.written}
        return Records(dict.fromkeys(asked.ids, row))


@dataclass
class Halt:
    """Whether the send queues are read."""

    halts: Callable[[str], bool] = field(default=lambda _: False)

    def follow(self, halts: Callable[[str], bool]) -> None:
        self.halts = halts

    @property
    def halted(self) -> bool:
        """Whether that of the target that tests know is not read."""
        return self.halts("webshop")


@dataclass
class Meter:
    """Counts."""

    counts: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def count(self, name: str, label: str = "", by: int = 1) -> None:
        self.counts[name] += by

    def observe(self, name: str, seconds: float) -> None:
        assert seconds >= 0


class Rig:
    """One worker's core; `begin` makes it, `power_cut` ends it as kill -9 would."""

    def __init__(self, folder: Path, limits: Limits | None = None) -> None:
        self.folder = folder
        self.limits = limits or Limits(patience=0.005)
        self.clock = Clock()
        self.log = Log()
        self.wso2 = Wso2()
        self.odoo = Odoo()
        self.halt = Halt()
        self.meter = Meter()
        self.fatal: list[BaseException] = []
        self.offset = 0
        self.windows: dict[str, Window] = {}

    def neighbour(self, name: str) -> Rig:
        """Return another worker, on another host, between the same Kafka, WSO2 and clock."""
        other = Rig(self.folder / name, self.limits)
        other.clock, other.log, other.wso2 = self.clock, self.log, self.wso2
        other.offset = self.offset
        return other

    async def begin(self) -> None:
        """Start the worker: it holds the partition."""
        self._state_folder = StateFolder(self.folder, self.clock)
        ports = Ports(
            self.wso2,
            self.log,
            self.log,
            self.halt,
            self.meter,
            self.fatal.append,
            self.clock,
            self.clock,
            lambda: 0.0,
        )
        self.core = Core(self._state_folder, ports, self.limits, self.windows)
        self.forwarder = Forwarder(self.core)
        self.timer = Timer(self.core)
        self.drafts = Drafts(self.core, self.odoo)
        await self.core.assign([PARTITION])

    async def power_cut(self) -> None:
        """End everything at once; what Kafka and the disk have stays."""
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.wso2.forget()
        self.log.cut = None
        self.fatal.clear()
        await self.core.revoke([PARTITION])
        self._state_folder.close()

    async def end(self) -> None:
        """Stop as after SIGTERM."""
        await self.core.stop()
        self._state_folder.close()

    def arrival(self, delivery: Delivery, terms: Terms = TERMS) -> Arrival:
        """Return a delivery as it comes from its send queue."""
        self.offset += 1
        return Arrival(delivery, PARTITION, self.offset, terms)

    async def deliver(self, *deliveries: Delivery, terms: Terms = TERMS) -> None:
        """Let deliveries come in one batch."""
        await self.forwarder.deliver([self.arrival(each, terms) for each in deliveries])
        await self.settled()

    async def hear(self, *words: Acknowledgement) -> None:
        """Let acknowledgements come in one batch."""
        await acknowledge(self.core, [Word(PARTITION, word) for word in words])
        await self.settled()

    async def later(self, seconds: float) -> None:
        """Let time pass, and do what is due then."""
        self.clock.now += seconds
        await self.timer.tick()
        await self.settled()

    async def fill(self) -> float:
        """Look after drafts once; return when to look again."""
        pause = await self.drafts.turn()
        await self.settled()
        return pause

    async def settled(self) -> None:
        """Let everything go on that can."""
        for _ in range(40):
            await asyncio.sleep(0)
        assert not self.fatal, self.fatal

    @property
    def is_uncrowned(self) -> bool:
        """Whether chains are left to be looked at after a pause."""
        with self.core.partitions.caches[PARTITION].view() as view:
            return view.uncrowned()

    def state(self, delivery: Delivery) -> State | None:
        """Return what the ledger says of a delivery."""
        entry = self.log.entries().get(delivery.id)
        return entry.state if entry else None
