"""Writes a command into partitions, and reads what is answered there; without any group."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition

from schemas.arguments import MalformedCommand
from schemas.command import Answer, Command, Kind
from schemas.kafka_errors import away
from schemas.topics import Topics
from streams.kafka.clients import (
    CLIENT_LOG,
    PATIENCE,
    borrowed,
    client_settings,
    configured,
    marks,
)
from streams.kafka.scan import Part, scan

_SECONDS: Final = 0.2  # that are waited for answers
_MANY: Final = 1000  # of them taken at a time


def converse(
    settings: Mapping[str, str], topics: Topics, command: Command, partitions: Sequence[int]
) -> Generator[list[Answer], None, None]:
    """Ask every one of these partitions, then give answers as they come, for ever; blocking.

    At least five times a second, with none where there are none. Raises KafkaAway.
    """
    with borrowed(settings) as client:
        # Where to listen is known before anybody can answer.
        ends = [marks(client, topics.command_results, number)[1] for number in partitions]
        client.assign(
            [
                TopicPartition(topics.command_results, number, end)
                for number, end in zip(partitions, ends, strict=True)
            ]
        )
        _put(settings, topics.commands, command, partitions)
        while True:
            yield _answers(client, command.id)


def claim(settings: Mapping[str, str], topics: Topics, propose: Callable[[int], Command]) -> int:
    """Return a number that nobody else has, higher than all that Kafka remembers; blocking.

    A claim is a record in the first partition of commands. Of two with the same number the
    earlier one holds; who wrote the other proposes again.
    """
    number, part = 0, (topics.commands, 0)
    while True:
        number = max(number, max(_claimed(settings, part).values(), default=0)) + 1
        mine = propose(number)
        _put(settings, topics.commands, mine, [0])
        earlier = _claimed(settings, part)
        if next(name for name, claimed in earlier.items() if claimed == number) == mine.id:
            return number


def _claimed(settings: Mapping[str, str], part: Part) -> dict[str, int]:
    """Return the numbers claimed by the ids of their claims, the earliest first."""
    claimed: dict[str, int] = {}
    for records, _ in scan(settings, {part: 0}):
        for found in records:
            with suppress(MalformedCommand):  # workers have reported it
                command = Command.from_json(found.value or b"")
                run = command.arguments.get("run")
                if command.kind == Kind.CLAIM and isinstance(run, int):
                    claimed.setdefault(command.id, run)
    return claimed


def _answers(client: Consumer, name: str) -> list[Answer]:
    found: list[Answer] = []
    deadline = time.monotonic() + _SECONDS
    while not found and (left := deadline - time.monotonic()) > 0:
        for message in client.consume(_MANY, timeout=left):
            answer = _answer(message, name)
            found += [] if answer is None else [answer]
    return found


def _answer(message: Message, name: str) -> Answer | None:
    if (error := message.error()) is not None:
        if error.fatal():
            raise KafkaException(error)
        return None
    if message.key() != name.encode():
        return None
    try:
        return Answer.from_json(message.value() or b"")
    except (ValueError, KeyError, TypeError):
        return None


def _put(
    settings: Mapping[str, str], topic: str, command: Command, partitions: Sequence[int]
) -> None:
    problems: list[KafkaError] = []

    def told(error: KafkaError | None, _: Any) -> None:
        if error is not None:
            problems.append(error)

    with configured():
        producer = Producer(
            {**client_settings(settings), "enable.idempotence": True}, logger=CLIENT_LOG
        )
    for partition in partitions:
        producer.produce(
            topic,
            partition=partition,
            key=command.id.encode(),
            value=command.to_json(),
            on_delivery=told,
        )
    left = producer.flush(PATIENCE)
    if problems or left:
        why = problems[0].str() if problems else f"no answer in {PATIENCE:g} s"
        raise away(f"the command could not be written to {topic}", why)
