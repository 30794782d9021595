"""Which routes the workers have: asked for beside the stream while something waits for it.

A worker says of itself what its file has, under its name in `<source>.holds`; the group says which
workers there are. One with a former file passes over what is for a route that it does not know.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from contextlib import closing
from typing import Final

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from cdc.aside import Aside
from cdc.kafka import CLIENT_LOG, TIMEOUT, Heard, client_settings, configured, consumer, said
from cdc.kafka_whole import whole
from schemas.errors import ServiceUnavailable
from schemas.topics import Topics

_EVERY: Final = 1.0  # seconds between two looks
_UNKNOWN: Final = "it is not known yet whether the workers have it"

Routes = frozenset[tuple[str, str]]  # names, each with its model


class Workers:
    """Looks at them on a thread of its own, and only while somebody asks."""

    def __init__(self, settings: Mapping[str, str], topics: Topics, partitions: int) -> None:
        """Connect to nobody yet."""
        self._settings, self._topics, self._partitions = settings, topics, partitions
        self._thread = Aside("workers")
        self._busy: Future[Mapping[str, Routes]] | None = None
        self._begun = -_EVERY
        self._why = _UNKNOWN
        self._found: Mapping[str, Routes] = {}

    def lack(self, model: str, routes: Iterable[str], now: float) -> str:
        """Say why routes of a model cannot be served by all workers, "" where they can.

        As of the last look.
        """
        self._look(now)
        if self._why:
            return self._why
        if not self._found:
            return "no worker runs"
        wanted = {(route, model) for route in routes}
        without = sorted(name for name, known in self._found.items() if not wanted <= known)
        return f"workers go by another file yet: {', '.join(without)}" if without else ""

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown()

    def _look(self, now: float) -> None:
        if self._busy is not None and self._busy.done():
            busy, self._busy = self._busy, None
            try:
                self._found, self._why = busy.result(), ""
            except (ServiceUnavailable, KafkaException, TimeoutError) as error:
                words = said(error) if isinstance(error, KafkaException) else str(error)
                self._why = f"Kafka does not tell which workers there are: {words}"
        if self._busy is None and now - self._begun >= _EVERY:
            self._begun = now
            self._busy = self._thread.submit(self._ask)

    def _ask(self) -> Mapping[str, Routes]:
        names, words = self._names(), dict[str, Routes]()
        with closing(consumer(self._settings, Heard(), self._topics.group)) as client:
            for messages in whole(client, self._topics.holds, self._partitions):
                for message in messages:
                    name = (message.key() or b"").decode(errors="replace")
                    words[name] = routes_in(message.value())
        return {name: words.get(name, frozenset()) for name in names}

    def _names(self) -> set[str]:
        """Return the members of the workers' group that have partitions."""
        with configured():
            admin = AdminClient(client_settings(self._settings), logger=CLIENT_LOG)
        group = self._topics.group
        described = admin.describe_consumer_groups([group], request_timeout=TIMEOUT)[group]
        members = described.result(timeout=TIMEOUT + 1).members
        return {
            str(member.group_instance_id or member.client_id)
            for member in members
            if member.assignment and member.assignment.topic_partitions
        }


def routes_in(value: bytes | None) -> Routes:
    """Return the routes that a worker's word names; none of one that does not say them."""
    try:
        return frozenset(json.loads(value or b"")["routes"].items())
    except (ValueError, KeyError, TypeError, AttributeError):
        return frozenset()
