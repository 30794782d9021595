"""Asks the workers to do something, and waits for all who must answer."""

from __future__ import annotations

import getpass
import secrets
import socket
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Self

from schemas.command import Command, Kind
from schemas.config import Config
from schemas.errors import OdooCdcError, ServiceUnavailable
from schemas.keys import partition_of
from schemas.position import MAX_RUN
from schemas.topics import Topics
from streams.chains.ledger import iso
from streams.kafka.asking import claim, converse
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


class TooManyReplays(OdooCdcError):
    """There have been as many replays as can be told apart."""

    hint = "Wait until the earliest one is older than `topics.retention`; its number is free then."
    exit_code = 1


def _so_far(gathered: Gathered) -> str:
    done, number = len(gathered.asked) - len(gathered.silent), sum(gathered.counts.values())
    return f"{done} of {len(gathered.asked)} partitions, {number} deliveries"


@dataclass(frozen=True, slots=True)
class Asking:
    """How the workers of a source are asked; `silence` is how long one waits for a word."""

    config: Config
    silence: float
    quiet: bool = False  # no progress on a terminal
    says: Callable[[Gathered], str] = _so_far  # how far it is

    def ask(
        self, kind: Kind, arguments: Mapping[str, Any], keys: Iterable[str] | None = None
    ) -> tuple[Command, Gathered]:
        """Ask all partitions, or those of some keys of records; return what was answered.

        Ends when all have answered, or when nobody has for `silence` seconds. Raises NoTopic,
        OtherPartitions and KafkaAway.
        """
        command = command_of(kind, arguments)
        return command, self.follow(command, keys)

    def follow(self, command: Command, keys: Iterable[str] | None = None) -> Gathered:
        """Ask for a command that was made before, and so can be named to people."""
        topics = Topics(self.config.source.name)
        count = self._partitions(topics)
        asked = range(count) if keys is None else {partition_of(key, count) for key in keys}
        gathered = Gathered(frozenset(asked))
        talk = converse(self.config.kafka, topics, command, sorted(asked))
        with closing(talk), self._bar() as bar:
            heard = time.monotonic()
            for answers in talk:
                if gathered.take(answers):
                    heard = time.monotonic()
                    bar.show(gathered)
                if not gathered.silent or time.monotonic() - heard > self.silence:
                    break
        return gathered

    def claim(self) -> int:
        """Return the number of a replay, which no other one has; TooManyReplays."""
        topics = Topics(self.config.source.name)
        self._partitions(topics)

        def propose(number: int) -> Command:
            if number > MAX_RUN:
                raise TooManyReplays(f"the numbers up to {MAX_RUN} are taken")
            return command_of(Kind.CLAIM, {"run": number})

        return claim(self.config.kafka, topics, propose)

    def _bar(self) -> _Bar:
        return _Bar(self.says, hidden=self.quiet or not sys.stderr.isatty())

    def _partitions(self, topics: Topics) -> int:
        with closing(GroupOffsets(self.config.kafka, topics.group)) as offsets:
            count = self.config.topics.partitions
            offsets.refuse_other_partitions([topics.commands, topics.command_results], count)
            return count


def require_answers(gathered: Gathered) -> None:
    """Raise NoAnswer where partitions are silent, Refused where one has refused."""
    if gathered.failures:
        raise Refused("; ".join(gathered.failures))
    require_answered(gathered)


def require_answered(gathered: Gathered) -> None:
    """Raise NoAnswer where partitions are silent."""
    if gathered.silent:
        numbers = ", ".join(map(str, gathered.silent))
        raise NoAnswer(f"no word from the workers of partition {numbers}")


class _Bar:
    """How far it is, on a terminal's standard error."""

    def __init__(self, says: Callable[[Gathered], str], *, hidden: bool) -> None:
        self._says = says
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
        sys.stderr.write(f"\r\033[K{self._says(gathered)}")
        sys.stderr.flush()


def command_of(kind: Kind, arguments: Mapping[str, Any]) -> Command:
    """Return a command with an id of its own, asked for by whoever runs this."""
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
