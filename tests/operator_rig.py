"""An operator who asks the worker of a rig, without Kafka."""

from __future__ import annotations

from typing import Any

from schemas.command import Answer, Command, Progress
from schemas.delivery import Delivery
from schemas.topics import Topics
from streams.kafka.records import Places, Record, Taken
from streams.pausing import Pausing
from streams.requests import Requests
from streams.retrying import Retrying
from tests.core_rig import PARTITION, TERMS, Rig


class Operator:
    """Asks the worker of a rig, and keeps what Kafka would: commands, answers, send queues."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.written: list[Record] = []
        self.queue: dict[int, Delivery] = {}
        self._numbers = iter(range(100))

    async def at(self, target: str, partition: int, order: int) -> Delivery | None:
        return self.queue.get(order)

    async def write(self, records: Any) -> list[int]:
        self.written += records
        return [0] * len(records)

    async def latest(self, target: str, partition: int) -> str:
        return max((d.sequence for d in self.queue.values() if d.target == target), default="")

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
        retry = Retrying(self.rig.core, "odoo_a", {"webshop": TERMS}, self)
        pause = Pausing(self.rig.core, "odoo_a", {"orders": ["webshop", "shop"]}, self)
        places = Places(topics, 1)
        requests = Requests(self.rig.core, retry, pause, places, self.write, self.rig.meter)
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
