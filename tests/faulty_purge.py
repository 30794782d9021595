"""Runs a command that dies while it purges: `python -m tests.faulty_purge POINT N COMMAND ...`.

The process ends as by `kill -9`, at the N-th time that it gets there:

    asked       the command was written for a partition, not yet for the next
    answered    all partitions have answered, nobody was told
    tombstone   a worker would write a tombstone; those before it stand in Kafka. It commits no
                offset, so that the next one reads all that it has read once more

The product knows nothing of it: functions are wrapped here, before the command runs.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any, Final
from unittest.mock import patch

from confluent_kafka import Producer

from cdc.__main__ import main
from schemas.command import Command
from streams.kafka import asking
from streams.kafka.records import Record
from streams.kafka.writer import Writer
from streams.purging import Purging
from streams.queries.asking import Asking
from streams.worker import app
from tests.faulty import Countdown

ASKED: Final = "asked"
ANSWERED: Final = "answered"
TOMBSTONE: Final = "tombstone"
_NEVER: Final = 10**6  # seconds, and records


def asked(count: Countdown) -> None:
    """Die when so many partitions have the command."""

    class Dying(Producer):
        def produce(self, *args: Any, **more: Any) -> None:
            super().produce(*args, **more)
            assert super().flush(30) == 0
            count()

    patch.object(asking, "Producer", Dying).start()


def answered(count: Countdown) -> None:
    """Die when so many commands were answered."""
    ask = Asking.ask

    def wrapped(self: Asking, *args: Any) -> Any:
        done = ask(self, *args)
        count()
        return done

    patch.object(Asking, "ask", wrapped).start()


def tombstone(count: Countdown) -> None:
    """Die instead of writing so many tombstones of a record that is purged."""
    write, settings, purge = Writer.write, app.settings, Purging.do
    purging = False

    async def wrapped_purge(self: Purging, partition: int, command: Command) -> Any:
        nonlocal purging
        purging = True
        return await purge(self, partition, command)

    async def wrapped_write(self: Writer, records: Sequence[Record]) -> list[int]:
        if not purging:
            return await write(self, records)
        offsets: list[int] = []
        for record in records:  # one by one, so that those before it are in Kafka
            if record.value is None:
                count()
            offsets += await write(self, [record])
        return offsets

    def without_commits(*args: Any) -> dict[str, Any]:
        rare = {"broker_commit_interval": _NEVER, "broker_commit_every": _NEVER}
        return {**settings(*args), **rare}

    patch.object(Purging, "do", wrapped_purge).start()
    patch.object(Writer, "write", wrapped_write).start()
    patch.object(app, "settings", without_commits).start()


POINTS: Final[dict[str, Callable[[Countdown], None]]] = {
    ASKED: asked,
    ANSWERED: answered,
    TOMBSTONE: tombstone,
}

if __name__ == "__main__":
    point, number, *command = sys.argv[1:]
    POINTS[point](Countdown(int(number)))
    sys.exit(main(command))
