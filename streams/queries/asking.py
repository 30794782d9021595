"""Asks the workers to do something, and waits for all who must answer."""

from __future__ import annotations

import getpass
import secrets
import socket
import sys
import time
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Self

from schemas.command import Command, Kind
from schemas.config import Config
from schemas.errors import OdooCdcError, ServiceUnavailable
from schemas.keys import partition_of
from schemas.topics import Topics
from streams.chains.ledger import iso
from streams.kafka.asking import converse
from streams.kafka.offsets import GroupOffsets
from streams.queries.answers import Gathered


class NoAnswer(ServiceUnavailable):
    """Not every worker has answered in time."""

    hint = (
        "`odoo-cdc status` lists the workers and the partitions that each has. The command stays"
        " in Kafka: whoever has the partitions next does it then."
    )


class Refused(OdooCdcError):
    """Workers have refused the command."""

    hint = "Workers and who asks them need the same version and the same file."
    exit_code = 1


@dataclass(frozen=True, slots=True)
class Asking:
    """How the workers of a source are asked; `silence` is how long one waits for a word."""

    config: Config
    silence: float
    quiet: bool = False  # no progress on a terminal

    def ask(
        self, kind: Kind, arguments: Mapping[str, Any], chains: Iterable[str] | None = None
    ) -> tuple[Command, Gathered]:
        """Ask all partitions, or those of some chains; return what was answered.

        Ends when all have answered, or when nobody has for `silence` seconds. Raises NoTopic,
        OtherPartitions and KafkaAway.
        """
        topics = Topics(self.config.source.name)
        count = self._partitions(topics)
        asked = range(count) if chains is None else {partition_of(c, count) for c in chains}
        gathered = Gathered(frozenset(asked))
        command = _command(kind, arguments)
        talk = converse(self.config.kafka, topics, command, sorted(asked))
        with closing(talk), self._bar(gathered) as bar:
            heard = time.monotonic()
            for answers in talk:
                if gathered.take(answers):
                    heard = time.monotonic()
                    bar.show(gathered)
                if not gathered.silent or time.monotonic() - heard > self.silence:
                    break
        return command, gathered

    def _bar(self, gathered: Gathered) -> _Bar:
        return _Bar(len(gathered.asked), hidden=self.quiet or not sys.stderr.isatty())

    def _partitions(self, topics: Topics) -> int:
        with closing(GroupOffsets(self.config.kafka, topics.group)) as offsets:
            count = self.config.topics.partitions
            offsets.refuse_other_partitions([topics.commands, topics.command_results], count)
            return count


def require_answers(gathered: Gathered) -> None:
    """Raise NoAnswer where partitions are silent, Refused where one has refused."""
    if gathered.failures:
        raise Refused("; ".join(gathered.failures))
    if gathered.silent:
        numbers = ", ".join(map(str, gathered.silent))
        raise NoAnswer(f"no word from the workers of partition {numbers}")


class _Bar:
    """How far it is, on a terminal's standard error."""

    def __init__(self, partitions: int, *, hidden: bool) -> None:
        self._partitions = partitions
        self._hidden = hidden
        self._shown = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._shown:
            sys.stderr.write("\r\033[K")

    def show(self, gathered: Gathered) -> None:
        if self._hidden:
            return
        self._shown = True
        done = self._partitions - len(gathered.silent)
        number = sum(gathered.counts.values())
        sys.stderr.write(f"\r\033[K{done} of {self._partitions} partitions, {number} deliveries")
        sys.stderr.flush()


def _command(kind: Kind, arguments: Mapping[str, Any]) -> Command:
    now = time.time()
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
    name = f"{kind.value}-{stamp}-{secrets.token_hex(4)}"
    return Command(name, kind.value, arguments, _who(), iso(now))


def _who() -> str:
    try:
        user = getpass.getuser()
    except (OSError, KeyError):  # a container's user without a name
        user = "somebody"
    return f"{user}@{socket.gethostname()}"
