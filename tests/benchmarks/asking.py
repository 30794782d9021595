"""How long people wait for an answer with very many deliveries behind it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from confluent_kafka import Producer

from schemas.keys import partition_of
from schemas.state import State
from streams.chains.ledger import entry_of, iso
from tests.benchmarks.figures import Figure
from tests.benchmarks.place import Place
from tests.benchmarks.sending import a_line, waiting
from tests.streaming import MODEL, PARTITIONS, Line

BEHIND = 1_000_000  # deliveries that the ledger knows, each with its target's word
OVER = 6 * 86400.0  # seconds over which they came to their end, evenly
GAINED = 1_000  # more of them between two questions
LATELY = 100_000  # more of them in the few minutes that rates look back
_UNDER_WAY = 50_000  # records on their way to Kafka
_PATIENCE = 3600.0  # seconds


def questions(place: Place, runs: int) -> list[Figure]:
    """Return what `status`, `trace` and `queue` take, the interpreter's start included."""
    asked = {
        "status": ("status", "--json"),
        "trace of a record": ("trace", MODEL, "4711", "--json"),
        "queue": ("queue", "--json"),
    }
    seconds: dict[str, list[float]] = {name: [] for name in asked}
    with a_line(place, "http://127.0.0.1:9/", "required") as (line, _):
        place.say(f"writing {BEHIND:,} deliveries that came to their end")
        _fill(line, 1, BEHIND, OVER)
        place.say("the first question")
        first = _ask(line, "queue", "--json")
        size = sum(f.stat().st_size for f in (line.programs.folder / "state").rglob("index*"))
        for run in range(runs):
            place.say(f"questions, run {run + 1} of {runs}")
            for name, words in asked.items():
                seconds[name].append(_ask(line, *words))
        _fill(line, BEHIND + 1, GAINED)
        later = _ask(line, "queue", "--json")
        _fill(line, BEHIND + GAINED + 1, LATELY)
        _ask(line, "queue", "--json")
        busy = _ask(line, "status", "--json")
    what = f"{BEHIND:,} deliveries behind"
    return [
        *(Figure(f"{what}: {n}", "s", tuple(took), "under 1") for n, took in seconds.items()),
        Figure(f"{what}: queue, with {GAINED:,} more to read", "s", (later,)),
        Figure(f"{what}: status, {LATELY:,} in the last minutes", "s", (busy,)),
        Figure(f"{what}: the first question of all", "s", (first,)),
        Figure(f"{what}: size of the index", "MB", (size / 1e6,)),
    ]


def _ask(line: Line, command: str, *words: str) -> float:
    began = time.monotonic()
    line.programs.start(command, *words).wait(_PATIENCE)
    return time.monotonic() - began


@contextmanager
def _producing(line: Line) -> Iterator[Producer]:
    producer = Producer(
        {"bootstrap.servers": line.servers, "linger.ms": 20, "compression.type": "lz4"}
    )
    yield producer
    assert producer.flush(60) == 0


def _fill(line: Line, first: int, number: int, over: float = 0.0) -> None:
    """Write the last word of the ledger on deliveries, and the targets' words.

    They came to their end in the last `over` seconds.
    """
    topics = line.topics
    now = time.time()
    with _producing(line) as producer:
        for record in range(first, first + number):
            at = now - over * (1 - (record - first) / number)
            item = replace(waiting(topics.source, record), since=at, sent=at)
            taken = replace(item, state=State.DELIVERED, due=None, why="", code="HTTP_200")
            steps = {s.value: iso(item.since) for s in (State.SENT, State.ACCEPTED)}
            entry = entry_of(taken, None, final=True).at(item.since, State.DELIVERED)
            entry = replace(entry, times=entry.times | steps)
            partition = partition_of(item.chain, PARTITIONS)
            written = int(at * 1000)
            producer.produce(topics.ledger, entry.to_json(), item.id, partition, timestamp=written)
            word = {"id": item.id, "status": "delivered", "attempt": 1, "code": "HTTP_200"}
            value = json.dumps(word).encode()
            producer.produce(topics.responses, value, item.chain, partition, timestamp=written)
            while len(producer) > _UNDER_WAY:
                producer.poll(0.05)
