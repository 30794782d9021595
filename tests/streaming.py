"""A worker between a broker and a WSO2 that does as it is told; events are written by hand."""

from __future__ import annotations

import io
import json
import re
import secrets
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from concurrent.futures import wait
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self
from urllib.request import urlopen

from aiohttp import web
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
from fastavro import parse_schema, schemaless_writer

from schemas import avro
from schemas.config import load
from schemas.document import Read
from schemas.keys import partition_of
from schemas.topics import Topics
from tests.documents import order, shape_of
from tests.fix_wso2 import TAKEN, Fault, Wso2StandIn
from tests.programs import Program, Programs, sync_yaml
from tests.stand_ins import Act, Received
from tests.waiting import LONG

# When all changes were committed: lately, since what is older than the ledger is not replayed.
COMMITTED: Final = f"{datetime.now(UTC) - timedelta(hours=1):%Y-%m-%dT%H:%M:%S}.123456Z"
PARTITIONS: Final = 4
MODEL: Final = "sale.order"
GENERATION: Final = 0x6743A1F0
SHAPE: Final = shape_of([Read("name"), Read("state")])


class Scripted(Wso2StandIn):
    """WSO2 with a script per record: `wso2.of(42, Refuse(500))` for its coming attempts."""

    def __init__(self) -> None:
        self._faults: dict[str, list[Fault]] = defaultdict(list)
        self.down: dict[str, Fault] = {}  # target -> what becomes of all that is for it
        self._decided: dict[int, object] = {}
        self._taken: dict[int, list[str]] = defaultdict(list)
        self._open: dict[str, int] = defaultdict(int)
        self.side_by_side: dict[str, int] = defaultdict(int)  # chain -> most requests at a time
        super().__init__()

    def of(self, record: int, *faults: Fault) -> None:
        """Say what becomes of a record's coming attempts, in order."""
        self._faults[str(record)].extend(faults)

    def attempts(self, record: int, number: int, timeout: float = LONG) -> list[Received]:
        """Wait until a record was tried so many times; return its requests so far."""
        with self._arrival:
            came = self._arrival.wait_for(lambda: len(self.tried(record)) >= number, timeout)
        assert came, f"{len(self.tried(record))} of {number} attempts in {timeout} s"
        return self.tried(record)

    def tried(self, record: int) -> list[Received]:
        """Return the requests of a record."""
        return [r for r in list(self.requests) if _record(r) == str(record)]

    def accepted(self, record: int) -> list[str]:
        """Return the ids of a record that were taken, in the order of their first acceptance."""
        return list(dict.fromkeys(self._taken[record]))

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        chain = request.headers.get("X-Cdc-Chain", "")
        self._open[chain] += 1
        self.side_by_side[chain] = max(self.side_by_side[chain], self._open[chain])
        try:
            return await super()._handle(request)
        finally:
            self._open[chain] -= 1

    def decide(self, scripted: object, request: Received) -> Act:
        faults = self._faults[_record(request)]
        down = self.down.get(request.headers.get("X-Cdc-Target", ""), scripted)
        chosen = faults.pop(0) if faults else down
        self._decided[id(request)] = chosen
        if isinstance(chosen, TAKEN):
            self._taken[int(_record(request) or 0)].append(request.id)
        return super().decide(chosen, request)

    async def after(self, scripted: object, request: Received) -> None:
        await super().after(self._decided.pop(id(request), scripted), request)


def _record(request: Received) -> str:
    return request.headers.get("X-Cdc-Chain", "").rpartition("/")[2]


@dataclass
class Tail:
    """What the worker's topics say, read as it is written."""

    servers: str
    topics: Topics
    ledger: dict[str, dict[str, Any]] = field(default_factory=dict)
    items: dict[str, dict[str, Any]] = field(default_factory=dict)
    letters: list[dict[str, Any]] = field(default_factory=list)
    history: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        self._consumer = Consumer(
            {
                "bootstrap.servers": self.servers,
                "group.id": f"test-{secrets.token_hex(4)}",
                "enable.auto.commit": False,
                "fetch.wait.max.ms": 20,
            }
        )
        names = (self.topics.ledger, self.topics.retries, self.topics.dead)
        parts = [TopicPartition(name, p, 0) for name in names for p in range(PARTITIONS)]
        self._consumer.assign(parts)

    def until(self, what: Callable[[], object], timeout: float = LONG) -> None:
        """Read on until that is so."""
        deadline = time.monotonic() + timeout
        while not what():
            assert time.monotonic() < deadline, f"not in {timeout} s: {self.open()}"
            for message in self._consumer.consume(100, 0.1):
                assert message.error() is None, message.error()
                self._take(message.topic() or "", message.key() or b"", message.value())

    def reached(self, state: str, *records: int) -> None:
        """Wait until the latest delivery of each record stands there."""
        self.until(lambda: all(self.state(record) == state for record in records))

    def state(self, record: int) -> str:
        """Return where the latest delivery of a record stands, "" for nowhere."""
        entries = [e for e in self.ledger.values() if e["record"] == record]
        return max(entries, key=lambda e: e["sequence"])["state"] if entries else ""

    def states(self, *records: int) -> list[str]:
        """Return where every delivery of these records stands."""
        return [e["state"] for e in self.ledger.values() if e["record"] in records]

    def open(self) -> dict[str, str]:
        """Return what is not final."""
        return {name: e["state"] for name, e in self.ledger.items() if not e["final"]}

    def close(self) -> None:
        self._consumer.close()

    def _take(self, topic: str, key: bytes, value: bytes | None) -> None:
        name = key.decode()
        said = json.loads(value) if value else None
        if topic == self.topics.ledger:
            if said is not None:
                self.ledger[name] = said
                self.history[name].append(said["state"])
        elif topic == self.topics.dead:
            assert said is not None
            self.letters.append(said)
        elif said is None:
            self.items.pop(name, None)
        else:
            self.items[name] = said


class Line:
    """One source from its event topics to WSO2: topics, a sync.yaml, workers, and a tail.

    `config` are parts of `sync_yaml`, and the `shape` of events where it is not SHAPE.
    """

    def __init__(self, folder: Path, servers: str, source: str, config: dict[str, Any]) -> None:
        self.topics = Topics(source)
        self.servers = servers
        config = {"source": source, "dsn": "host=127.0.0.1", "kafka": servers, **config}
        kafka = {
            "bootstrap.servers": servers,
            "session.timeout.ms": 6000,
            "heartbeat.interval.ms": 2000,
        }
        more = config.get("more", {})
        config["more"] = {**more, "kafka": {**kafka, **more.get("kafka", {})}}
        self.programs = Programs(folder, sync_yaml(**config))
        loaded = load(self.programs.config)
        self._create([self.topics.deliveries(target) for target in loaded.targets])
        self.tail = Tail(servers, self.topics)
        self._source = source
        self._schema = avro.event_schema(source, config.get("shape", SHAPE))
        self._parsed = parse_schema(self._schema)
        self._name = avro.fingerprint(self._schema)
        self._producer = Producer(
            {
                "bootstrap.servers": servers,
                "partitioner": "murmur2_random",
                "linger.ms": 1,
                "enable.idempotence": True,  # or a retry overtakes on a fresh topic
            }
        )
        self._lsn = 0x1000
        self.put(self.topics.schemas, self._name.hex(), json.dumps(self._schema).encode())

    def __enter__(self) -> Self:
        self.programs.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.programs.__exit__(kind, error, trace)
        self.tail.close()
        self.flush()

    def worker(self, name: str = "one") -> Program:
        """Start a worker."""
        return self.programs.start("stream", "--worker", name, "--log-format", "json")

    def change(self, record: int, name: str, *, state: str = "sale") -> str:
        """Publish an update of a record; return the sequence of its deliveries."""
        before = order(SHAPE, name="", state=state) | {"id": record}
        return self.event(record, before, {**before, "name": name})

    def event(self, record: int, before: Any, after: Any) -> str:
        """Publish an event; return its sequence."""
        self._lsn += 0x10
        datum = {
            "generation": GENERATION,
            "lsn": self._lsn,
            "ordinal": 1,
            "mode": "stream",
            "id": record,
            "time": COMMITTED,
            "transaction": 7311,
            "before_known": True,
            "before": before,
            "after": after,
            "write_date": None,
            "write_uid": 2,
            "writers": [2],
            "oversize": None,
        }
        buffer = io.BytesIO()
        buffer.write(avro.MARKER + self._name)
        schemaless_writer(buffer, self._parsed, datum)
        self.produce(self.topics.events(MODEL), str(record), buffer.getvalue())
        self._producer.poll(0)
        return f"{GENERATION:08X}-{self._lsn:016X}-00000001-0000"

    def metric(self, name: str) -> float:
        """Return a counter of the worker that tells how it is, over all labels."""
        url = f"http://{load(self.programs.config).health.listen}/metrics"
        with urlopen(url, timeout=LONG) as answer:
            lines = answer.read().decode().splitlines()
        pattern = re.compile(rf"odoo_cdc_stream_{name}(?:{{.*}})? (\S+)")
        return sum(float(found[1]) for line in lines if (found := pattern.fullmatch(line)))

    def id_of(self, record: int, sequence: str, route: str, target: str) -> str:
        """Return the id of a delivery."""
        return f"{self._source}/{target}/{MODEL}/{record}/{route}/{sequence}"

    def say(self, delivery: str, status: str, **more: Any) -> None:
        """Write an acknowledgement to the responses topic, beside its chain."""
        chain = delivery.rsplit("/", 2)[0]
        body = json.dumps({"id": delivery, "status": status, **more}).encode()
        self.put(self.topics.responses, chain, body)

    def put(self, topic: str, key: str, value: bytes, partition: int | None = None) -> None:
        """Write one record, and wait until Kafka has it."""
        self.produce(topic, key, value, partition)
        self.flush()

    def produce(self, topic: str, key: str, value: bytes, partition: int | None = None) -> None:
        if partition is None:
            partition = partition_of(key, PARTITIONS)
        self._producer.produce(topic, value, key, partition)

    def flush(self) -> None:
        """Wait until Kafka has everything."""
        assert self._producer.flush(LONG) == 0

    def _create(self, queues: Iterable[str]) -> None:
        topics = self.topics
        kept = {"cleanup.policy": "delete"}
        names = dict.fromkeys((*queues, topics.events(MODEL), topics.responses), kept)
        names |= dict.fromkeys((topics.dead, topics.commands, topics.command_results), kept)
        compacted = (topics.retries, topics.ledger, topics.holds, topics.pauses)
        compacted = (*compacted, topics.replays, topics.schemas)
        names |= {name: {"cleanup.policy": "compact"} for name in compacted}
        admin = AdminClient({"bootstrap.servers": self.servers})
        made = admin.create_topics(
            [NewTopic(name, PARTITIONS, 1, config=config) for name, config in names.items()],
            request_timeout=LONG,
        )
        slow = wait(made.values(), LONG + 5).not_done
        assert not slow, [name for name, future in made.items() if future in slow]
        for future in made.values():
            future.result()
