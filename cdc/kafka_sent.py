"""What a target was last sent, read from its send queue and from the ledger, beside the stream.

First the workers are let do the events that there are: what these become stands in the send queue
then. Next comes the ledger, which says what has failed, and last the send queue to its end. A
delivery counts as sent when it has arrived, or is on its way and needs nobody; one that was
rejected, is dead, or was superseded does not.
"""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from confluent_kafka import Consumer, KafkaException, Message, TopicPartition

from cdc.kafka import TIMEOUT, Heard, consumer, said
from cdc.kafka_whole import marks, whole
from cdc.resending.last import UNKEPT, Last, LastSent, Outcome, Standing, Told
from cdc.resending.truth import digest_of
from schemas import delivery as deliveries
from schemas.delivery import Delivery, NotADelivery
from schemas.errors import OdooCdcError, ServiceUnavailable
from schemas.folder import made
from schemas.state import State
from schemas.topics import Topics

_LOOK: Final = 0.25  # seconds between two looks at how far the workers are
_PAUSE: Final = 2.0  # seconds until Kafka is asked again where it did not answer
_CLOSING: Final = 2.0  # seconds that one who stops waits for a reading
_FAILED: Final = frozenset({State.REJECTED, State.DEAD, State.SUPERSEDED})
_READ: Final = "what the target was last sent is being read"
_LEAVING: Final = ("leave", "delete")


class SentUnkept(ServiceUnavailable):
    """What a target was last sent cannot be kept beside the shadow while it is compared."""

    passing = False
    hint = "Make room on the disk of `state:`, then ask again."


@dataclass(slots=True)
class Reading:
    """One reading under way; `waits` says for what, for people."""

    path: Path
    waits: str = _READ
    known: LastSent | None = None  # where it is done and was asked for
    failed: str = ""
    done: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)
    thread: threading.Thread | None = None


class Sent:
    """Readings by the names of those who asked; each leaves a file until it is let go."""

    def __init__(
        self, settings: Mapping[str, str], topics: Topics, partitions: int, folder: Path
    ) -> None:
        """Read nothing yet; `folder` holds nothing else, and what a killed capture left goes."""
        self._settings, self._topics, self._partitions = settings, topics, partitions
        self._folder = folder
        self._readings: dict[str, Reading] = {}
        for left in folder.glob("*.sqlite"):
            left.unlink()

    def known(self, name: str, model: str, target: str) -> LastSent | None:
        """Return what a target was last sent of a model; None while it is being read.

        Raises SentUnkept.
        """
        reading = self._readings.get(name)
        if reading is None:
            self._begin(name, model, target)
            return None
        if not reading.done.is_set():
            return None
        if reading.failed:
            raise SentUnkept(reading.failed)
        if reading.known is None:
            reading.known = LastSent(reading.path)
        return reading.known

    def waits(self, name: str) -> str:
        """Say what a reading does, "" where there is none."""
        reading = self._readings.get(name)
        return "" if reading is None else reading.waits

    def end(self, name: str) -> None:
        """Let go of what was read, or of a reading; not waited for, since Kafka may be away."""
        reading = self._readings.pop(name, None)
        if reading is None:
            return
        reading.ended.set()
        if reading.known is not None:
            reading.known.close()
        if reading.done.is_set():
            reading.path.unlink(missing_ok=True)

    def close(self) -> None:
        """Let go of everything."""
        threads = [each.thread for each in self._readings.values()]
        for name in list(self._readings):
            self.end(name)
        for thread in threads:
            if thread is not None:
                thread.join(_CLOSING)

    def _begin(self, name: str, model: str, target: str) -> None:
        # A reading that was let go may remove its file yet: each has one of its own.
        path = made(self._folder) / f"{name}-{secrets.token_hex(4)}.sqlite"
        reading = self._readings[name] = Reading(path)
        place = _Place(self._topics, self._partitions, model, target)
        reading.thread = threading.Thread(
            target=self._run, args=(reading, place), name="sent", daemon=True
        )
        reading.thread.start()

    def _run(self, reading: Reading, place: _Place) -> None:
        """Read until it is done, from the start again where Kafka was away in between."""
        while not reading.ended.is_set():
            try:
                with (
                    closing(consumer(self._settings, Heard(), self._topics.group)) as client,
                    closing(LastSent.begin(reading.path)) as known,
                ):
                    _Reader(client, place, reading).read(known)
                break
            except (KafkaException, OdooCdcError) as error:
                why = said(error) if isinstance(error, KafkaException) else str(error)
                reading.waits = f"Kafka does not give what was last sent: {why}"
                reading.ended.wait(_PAUSE)
            except UNKEPT as error:
                reading.failed = f"{reading.path}: {error}"
                break
            except Exception as error:  # noqa: BLE001  nobody would see it on this thread
                reading.failed = f"unexpected: {type(error).__name__}: {error}"
                break
        reading.done.set()
        if reading.ended.is_set():
            reading.path.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class _Place:
    """Whose records these are, and where they stand."""

    topics: Topics
    partitions: int
    model: str
    target: str

    @property
    def start(self) -> str:
        """What the ids of its deliveries begin with."""
        return f"{self.topics.source}/{self.target}/{self.model}/"


@dataclass(frozen=True, slots=True)
class _Reader:
    client: Consumer
    place: _Place
    reading: Reading

    def read(self, known: LastSent) -> None:
        """Read all of it, or stop where it has ended."""
        topics = self.place.topics
        self._await_workers()
        queue = topics.deliveries(self.place.target)
        # Before the ledger: what was had by then has its outcome there.
        had = self._committed(queue)
        for messages in self._whole(topics.ledger):
            known.note(self._outcomes(messages))
        for messages in self._whole(queue):
            known.told(self._told(messages, had))
        if not self.reading.ended.is_set():
            lows = (low for low, _ in self._marks(queue).values())
            known.complete(forgets=any(lows))

    def _await_workers(self) -> None:
        """Wait until the workers have done the events that there are."""
        topic = self.place.topics.events(self.place.model)
        ends = {number: high for number, (_, high) in self._marks(topic).items()}
        while not self.reading.ended.is_set():
            done = self._committed(topic)
            left = sum(max(0, end - done[number]) for number, end in ends.items())
            if not left:
                self.reading.waits = _READ
                return
            self.reading.waits = f"the workers have {left} events to do first"
            self.reading.ended.wait(_LOOK)

    def _marks(self, topic: str) -> dict[int, tuple[int, int]]:
        return marks(self.client, topic, self.place.partitions)

    def _whole(self, topic: str) -> Iterator[list[Message]]:
        """Give all that a topic has at this moment, or less where it has ended."""
        size = sum(high - low for low, high in self._marks(topic).values())
        read = 0
        for messages in whole(self.client, topic, self.place.partitions):
            if self.reading.ended.is_set():
                return
            read += len(messages)
            self.reading.waits = f"{_READ}: {read} of {size} records of {topic}"
            yield messages

    def _committed(self, topic: str) -> dict[int, int]:
        """Return how far the workers are; where they never were, at the beginning."""
        parts = [TopicPartition(topic, number) for number in range(self.place.partitions)]
        found = self.client.committed(parts, timeout=TIMEOUT)
        lows = self._marks(topic)
        return {p.partition: max(p.offset, lows[p.partition][0]) for p in found}

    def _outcomes(self, messages: Iterable[Message]) -> Iterator[tuple[str, Outcome | None]]:
        for message in messages:
            name = (message.key() or b"").decode(errors="replace")
            if not name.startswith(self.place.start):
                continue
            value = message.value()
            if value is None:
                yield name, None
            elif (outcome := _outcome(value)) is not None:
                yield name, outcome

    def _told(self, messages: Iterable[Message], had: Mapping[int, int]) -> Iterator[Told]:
        start = self.place.start.encode()
        for message in messages:
            if not (message.key() or b"").startswith(start):
                continue
            try:
                sent = deliveries.decode(message.value() or b"")
                last = _last(sent)
            except (NotADelivery, ValueError, LookupError, TypeError):
                continue  # workers report what is none: nobody can have got it
            seen = (message.offset() or 0) < had[message.partition() or 0]
            yield Told(sent.id, sent.record_id, sent.route, sent.sequence, last, seen)


def _last(sent: Delivery) -> Last:
    if sent.operation in _LEAVING:
        return Last(Standing.GONE, b"")
    return Last(Standing.HELD, digest_of(sent))


def _outcome(value: bytes) -> Outcome | None:
    """Return what a record of the ledger says, None where it is none."""
    try:
        state = State(json.loads(value)["state"])
    except (ValueError, KeyError, TypeError):
        return None
    return Outcome.FAILED if state in _FAILED else Outcome.TAKEN
