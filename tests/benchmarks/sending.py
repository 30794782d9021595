"""How much one worker sends, and what it costs to hold very many that wait.

Events are written by hand, each of a record of its own; nothing of capture runs.
"""

from __future__ import annotations

import random
import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from http import HTTPStatus
from typing import Any, Final
from urllib.request import urlopen

from confluent_kafka import Producer

from embedded.ports import free_ports
from schemas.delivery import Delivery
from schemas.keys import chain_of, delivery_id, partition_of
from schemas.message import traceparent
from streams.chains.item import Item, Terms
from streams.chains.ledger import entry_of
from tests.benchmarks.figures import Figure, percentile
from tests.benchmarks.place import Place
from tests.benchmarks.watching import LOOK, came, number_came, running, wait
from tests.streaming import MODEL, PARTITIONS, Line

CROWD: Final = 100_000  # chains that wait beside those that go
OPEN: Final = 1_000_000  # deliveries that a worker finds
DELAYS: Final = {0: 20_000, 10: 20_000, 100: 5_000}  # ms of an answer -> deliveries
EVENTS: Final = 300  # whose latency is measured, per run
PAUSE: Final = 0.03  # seconds between two of them
_DAY: Final = 86_400.0
_ROUTES: Final = """routes:
  - {name: orders, model: sale.order, targets: [shop], fields: [name]}
  - {name: others, model: sale.order, domain: [["state", "=", "none"]], targets: [away],
     fields: [name]}
"""
_BOTH: Final = """routes:
  - {name: orders, model: sale.order, targets: [shop, away], fields: [name]}
"""
_UNDER_WAY: Final = 50_000  # records on their way to Kafka
_TERMS: Final = Terms("accepted", 600.0, (_DAY,), "all")


def answers(place: Place, runs: int) -> list[Figure]:
    """Return what one worker sends to a WSO2 that takes its time, with and without words."""
    figures = []
    for acknowledge in ("accepted", "required"):
        for delay, number in DELAYS.items():
            rates = []
            for run in range(runs):
                place.say(f"{number:,} x {acknowledge}, {delay} ms, run {run + 1} of {runs}")
                rates.append(_rate(place, acknowledge, delay / 1000, number))
            words = "with acknowledgements" if acknowledge == "required" else "202 is enough"
            budget = "at most 320: 32 at a time" if delay == 100 else ""
            name = f"one worker, answers after {delay} ms, {words}"
            figures.append(Figure(name, "1/s", tuple(rates), budget))
    return figures


def crowd(place: Place, runs: int) -> list[Figure]:
    """Return how much slower a worker sends while very many other chains wait."""
    ratios = []
    for run in range(runs):
        place.say(f"{CROWD:,} chains waiting, run {run + 1} of {runs}")
        alone = _rate(place, "accepted", 0.0, DELAYS[0])
        ratios.append(_rate(place, "accepted", 0.0, DELAYS[0], waiting=CROWD) / alone)
    name = f"deliveries per second beside {CROWD:,} chains that wait, of those without"
    return [Figure(name, "ratio", tuple(ratios), "above 0.90")]


def beside(place: Place, runs: int) -> list[Figure]:
    """Return what deliveries to one target suffer while WSO2 refuses all for another."""
    figures = []
    for manner, what in (((), "both targets fine"), (("--refuse", "away"), "another one down")):
        medians, tails = [], []
        for run in range(runs):
            place.say(f"latency, {what}, run {run + 1} of {runs}")
            seconds = _latencies(place, manner)
            medians.append(percentile(seconds, 50) * 1e3)
            tails.append(percentile(seconds, 99) * 1e3)
        figures.append(Figure(f"event to WSO2, {what}: p50", "ms", tuple(medians)))
        figures.append(Figure(f"event to WSO2, {what}: p99", "ms", tuple(tails)))
    return figures


def recovery(place: Place, runs: int) -> list[Figure]:
    """Return how long a worker takes to know what waits; one run, it takes minutes."""
    del runs
    with a_line(place, "http://127.0.0.1:9/", "accepted") as (line, port):
        place.say(f"writing {OPEN:,} deliveries that wait")
        _fill(line, OPEN)
        place.say("a worker finds them")
        fresh, peak, own = _until_ready(line, port)
        place.say("and starts again on the same disk")
        again, _, _ = _until_ready(line, port)
    what = f"{OPEN:,} deliveries that wait"
    return [
        Figure(f"{what}: a worker with an empty disk is ready after", "s", (fresh,)),
        Figure(f"{what}: one that finds its own files", "s", (again,)),
        Figure(f"{what}: peak memory (VmHWM)", "MB", (peak / 1e6,)),
        Figure(f"{what}: of that, without mapped files", "MB", (own / 1e6,)),
    ]


def _rate(place: Place, acknowledge: str, delay: float, number: int, waiting: int = 0) -> float:
    """Return the deliveries per second from the first that came to the last that is final."""
    (intake,) = free_ports(1)
    words = ["--acks", f"http://127.0.0.1:{intake}/acks"] if acknowledge == "required" else []
    with (
        place.sink("--delay", str(delay), *words) as (url, notes),
        a_line(place, url, acknowledge, intake) as (line, _),
    ):
        _fill(line, waiting)
        for record in range(1, number + 1):
            line.change(record, "a name")
        line.flush()
        worker = line.worker()
        try:
            wait(lambda: number_came(notes) >= number, [worker])
            times = [at for at, _ in came(notes)]
            first, last = times[0], times[-1]
            if words:
                wait(lambda: line.metric("delivered_total") >= number, [worker])
                last = time.time()
        finally:
            worker.stop()
    return (number - 1) / (last - first)


def _latencies(place: Place, manner: Sequence[str]) -> list[float]:
    """Return the seconds from event to arrival of deliveries to `shop`, one event after another.

    The same events go to `away`; the first ones, until its breaker has opened, do not count.
    """
    put: dict[str, float] = {}
    with (
        place.sink(*manner) as (url, notes),
        a_line(place, url, "accepted", routes=_BOTH) as (line, _),
    ):
        worker = line.worker()
        for record in range(1, 2 * EVENTS + 1):
            name = f"name {record}"
            put[name] = time.time()
            line.change(record, name)
            line.flush()
            time.sleep(PAUSE)  # the rate is what is asked for, nothing is waited for

        def arrived() -> dict[str, float]:
            came_to = [(at, body) for at, body in came(notes) if _target(body) == "shop"]
            return {body["data"]["fields"]["name"]: at for at, body in reversed(came_to)}

        try:
            wait(lambda: len(arrived()) >= len(put), [worker])
        finally:
            worker.stop()
        at = arrived()
    return [at[name] - then for name, then in list(put.items())[EVENTS:]]


def _target(body: Any) -> str:
    return str(body["data"]["routing"]["target"])


@contextmanager
def a_line(
    place: Place,
    url: str,
    acknowledge: str,
    intake: int | None = None,
    routes: str = _ROUTES,
) -> Iterator[tuple[Line, int]]:
    """Give topics of one's own with a file for workers, and the port of their health."""
    name = f"bench_{secrets.token_hex(3)}"
    folder = place.folder / name
    folder.mkdir()
    (port,) = free_ports(1)
    config = {
        "targets": ("shop", "away"),
        "target": {"acknowledge": acknowledge, "ack_timeout": "10m"},
        "routes": routes,
        "wso2": url,
        "more": {
            "health": {"listen": f"127.0.0.1:{port}"},
            "acks": {"listen": f"127.0.0.1:{intake}" if intake else ""},
        },
    }
    with Line(folder, place.kafka.bootstrap, name, config) as line:
        yield line, port


def _until_ready(line: Line, port: int) -> tuple[float, int, int]:
    """Return the seconds until a worker takes part, and its peak and own memory in bytes."""
    began = time.monotonic()
    worker = line.worker()
    while not _ready(port):
        running([worker])
        worker.look()
        time.sleep(LOOK)
    seconds = time.monotonic() - began
    worker.look()
    assert worker.stop() == 0, worker.tail()
    return seconds, worker.spent.peak, worker.spent.own


def _ready(port: int) -> bool:
    with (
        suppress(OSError),  # it does not listen yet, or says 503
        urlopen(f"http://127.0.0.1:{port}/readyz", timeout=60) as answer,
    ):
        return bool(answer.status == HTTPStatus.OK)
    return False


def _fill(line: Line, number: int) -> None:
    """Write deliveries that wait until tomorrow, as a worker would have."""
    producer = Producer(
        {"bootstrap.servers": line.servers, "linger.ms": 20, "compression.type": "lz4"}
    )
    for record in range(1, number + 1):
        item = waiting(line.topics.source, record)
        partition = partition_of(item.chain, PARTITIONS)
        producer.produce(line.topics.retries, item.to_json(), item.id, partition)
        entry = entry_of(item, None)
        producer.produce(line.topics.ledger, entry.to_json(), item.id, partition)
        while len(producer) > _UNDER_WAY:
            producer.poll(0.05)
    assert producer.flush(60) == 0


def waiting(source: str, record: int) -> Item:
    """Return a delivery that was tried once and goes again tomorrow."""
    chain, now = chain_of(source, "away", MODEL, record), time.time()
    sequence = f"6743A1F0-{record:016X}-00000001-0000"
    identity = delivery_id(chain, "others", sequence)
    delivery = Delivery(
        id=identity,
        chain=chain,
        target="away",
        route="others",
        sequence=sequence,
        model=MODEL,
        record_id=record,
        operation="update",
        mode="stream",
        source=source,
        time="2026-11-23T10:00:00.123456Z",
        traceparent=traceparent(identity),
        body=_body(record),
    )
    item = Item(delivery, _TERMS, record, now, due=now + _DAY, attempt=1, sent=now)
    return replace(item, why="HTTP 503", code="HTTP_503", http_status=503)


def _body(record: int) -> bytes:
    """Return about a kilobyte that compresses as messages do, not as zeros do."""
    text = random.Random(record).randbytes(400).hex()  # noqa: S311  no secret
    return b'{"specversion":"1.0","data":{"fields":{"name":"%s"}}}' % text.encode()
