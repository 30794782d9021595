"""An operator who asks the worker of a rig, without Kafka."""

from __future__ import annotations

from typing import Any

from schemas import delivery as deliveries
from schemas.command import Answer, Command, Progress, Reloaded
from schemas.delivery import Delivery
from schemas.event import Event
from schemas.mapping import Writing
from schemas.replay import Request
from schemas.topics import Topics
from streams.kafka.records import Places, Record, Taken
from streams.letters import Letters
from streams.pausing import Pausing
from streams.purging import Purging
from streams.replaying import Replaying
from streams.requests import Requests
from streams.rereading import Rereading
from streams.retrying import Retrying
from streams.routing.routes import Routes
from tests.core_rig import PARTITION, TERMS, Rig


class Operator:
    """Asks the worker of a rig, and keeps what Kafka would: commands, answers, send queues."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.written: list[Record] = []
        self.queue: dict[int, Delivery] = {}
        self.looked: list[set[int]] = []  # what of the queue was asked for, each time
        self.sent: list[Delivery] = []  # what replays have written to the send queues
        self.past: list[Event] = []  # what stands in the event topic
        self.unread = 0  # deliveries that no worker has taken
        self.reloads: list[str] = []  # the commands that asked for one
        self.refuses = ""  # why the worker does not take its file
        self.routes = Routes(Writing("odoo_a"), ())
        self._numbers = iter(range(100))
        self.replaying: Replaying | None = None
        self.rereading: Rereading | None = None

    async def at(self, target: str, partition: int, orders: Any) -> dict[int, Delivery]:
        self.looked += [set(orders)]
        return {order: self.queue[order] for order in orders if order in self.queue}

    async def write(self, records: Any) -> list[int]:
        offsets = []
        for record in records:
            offsets.append(len(self.sent))
            if ".deliveries." in record.topic:
                self.sent.append(deliveries.decode(record.value))
            else:
                self.written.append(record)
        return offsets

    async def reach(self, request: Request, partition: int) -> tuple[int, int]:
        return 0, len(self.past)

    async def read(self, model: str, partition: int, start: int, end: int) -> Any:
        at = range(start, end)
        yield [Taken(model, partition, n, b"", str(n).encode()) for n in at], end

    async def left(self, ends: Any) -> int:
        return self.unread

    async def end(self, target: str, partition: int) -> int:
        return 1

    async def event(self, value: bytes) -> Event:
        return self.past[int(value)]

    def replayer(self) -> Replaying:
        """Return what goes on with replays, as after a start."""
        places = Places(Topics("odoo_a"), 1)
        return Replaying(self.rig.core, self, self, self, self.routes, places, self.write)

    async def turn(self) -> list[Answer]:
        """Let every replay go a portion further; return what is said of it."""
        assert self.replaying is not None
        await self.replaying.turn()
        said = [Answer.from_json(record.value or b"") for record in self.written]
        self.written.clear()
        return said

    async def latest(self, target: str, partition: int) -> str:
        return max((d.sequence for d in self.queue.values() if d.target == target), default="")

    async def reload(self, name: str) -> Reloaded:
        self.reloads.append(name)
        return Reloaded("one", "0123456789abcdef", self.refuses)

    async def retry(self, **arguments: Any) -> dict[str, int]:
        """Ask, and return the counts of the last answer."""
        return await self.do(self.command(**arguments))

    async def ask(self, kind: str, **arguments: Any) -> dict[str, int]:
        """Ask for something else."""
        return await self.do(self.command(kind, **arguments))

    def command(self, kind: str = "retry", **arguments: Any) -> Command:
        name = f"{kind}-{next(self._numbers)}"
        return Command(name, kind, arguments, "eve@host", "2026-11-23T10:00:00Z")

    async def do(self, command: Command) -> dict[str, int]:
        answer = await self.answer(command.to_json())
        assert answer.progress is Progress.DONE, answer
        return dict(answer.counts)

    async def answer(self, value: bytes) -> Answer:
        """Do what is asked, and what is left of it; return the last answer."""
        topics = Topics("odoo_a")
        rereading, held = self.rereading, self.rig.core.partitions
        if rereading is None or rereading.partitions is not held:  # another worker
            self.rereading = rereading = Rereading(held, self)
        letters = Letters(self.rig.core, {"webshop": TERMS}, self, rereading)
        retry = Retrying(self.rig.core, "odoo_a", letters)
        pause = Pausing(self.rig.core, "odoo_a", {"orders": ["webshop", "shop"]}, self)
        places = Places(topics, 1)
        core, meter = self.rig.core, self.rig.meter
        replay = self.replaying or self.replayer()
        purge = Purging(core, "odoo_a", ["webshop", "shop"])
        requests = Requests(
            core, retry, pause, replay, purge, places, self.write, meter, self.reload
        )
        todo = [value]
        answers = []
        while todo:
            await requests([Taken(topics.commands, PARTITION, 0, b"", todo.pop())])
            for record in self.written:
                if record.topic == topics.commands:
                    assert record.value is not None
                    todo.append(record.value)
                else:
                    answers.append(Answer.from_json(record.value or b""))
            self.written.clear()
        await self.rig.settled()
        return answers[-1]
