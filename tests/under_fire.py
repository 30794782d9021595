"""A worker under fire: two targets behind a WSO2 that misbehaves as told, and what came of it all.

The targets answer with words in the response queue and follow the `sequence` rule: what is older
than the newest that they have applied of its chain and route changes nothing.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Self

from confluent_kafka import Producer

from schemas.keys import partition_of
from tests.fix_wso2 import TAKEN, Accept, Fault, Wso2StandIn
from tests.programs import COMMAND, Program
from tests.stand_ins import Act, Answer, Received
from tests.streaming import PARTITIONS, Line

TARGETS: Final = ("shop", "erp")
LONG: Final = 600.0  # seconds; what tests wait for comes long before
_ROUTES: Final = """
routes:
  - {name: orders, model: sale.order, targets: [shop, erp], fields: [name]}
"""
_TARGET: Final = {
    "url": "http://127.0.0.1:9/deliveries",
    "acknowledge": "required",
    "ack_timeout": "2s",
    "retry": ["1s"] * 40,
    "history": "all",
}
_CLOCK: Final = Path(__file__).parent / "clock"


@dataclass(frozen=True)
class Said:
    """A target's word, so many seconds after WSO2 took the delivery."""

    status: str
    after: float = 0.0


DELIVERED: Final = (Said("delivered"),)


class Wso2(Wso2StandIn):
    """WSO2 with a `fault` for each request (None: taken), and the targets' `words` after it."""

    def __init__(self, servers: str, responses: str) -> None:
        self.fault: Callable[[Received], Fault | Answer | None] = lambda _: None
        self.words: Callable[[Received], Sequence[Said]] = lambda _: DELIVERED
        self.first: dict[str, list[str]] = defaultdict(list)
        """Chain -> the ids that were taken, in the order of their first acceptance."""
        self.applied: dict[str, str] = {}
        """Chain and route -> the newest sequence that the target has applied."""
        self.bodies: dict[str, set[bytes]] = defaultdict(set)
        self.repeats = 0
        self._responses = responses
        self._producer = Producer({"bootstrap.servers": servers, "linger.ms": 5})
        super().__init__()

    def good(self) -> None:
        """Misbehave no more."""
        self.fault, self.words = lambda _: None, lambda _: DELIVERED

    def decide(self, scripted: object, request: Received) -> Act:
        chosen = self.fault(request) or Accept()
        if isinstance(chosen, TAKEN):
            self._take(request)
        return super().decide(chosen, request)

    async def after(self, scripted: object, request: Received) -> None:
        """Say nothing over HTTP."""

    def _take(self, request: Received) -> None:
        chain = request.headers["X-Cdc-Chain"]
        self.bodies[request.id].add(request.body)
        if request.id in self.first[chain]:
            self.repeats += 1
        else:
            self.first[chain].append(request.id)
        for word in self.words(request):
            self._background.loop.call_later(word.after, self.tell, request, word)

    def tell(self, request: Received, word: Said) -> None:
        """Say a target's word on what was taken."""
        chain = request.headers["X-Cdc-Chain"]
        if word.status == "delivered":
            line, _, sequence = request.id.rpartition("/")
            self.applied[line] = max(self.applied.get(line, ""), sequence)
        said = {"id": request.id, "status": word.status, "attempt": request.attempt}
        value = json.dumps(said).encode()
        self._producer.produce(self._responses, value, chain, partition_of(chain, PARTITIONS))
        self._producer.poll(0)

    def close(self) -> None:
        super().close()
        self._producer.flush(10)


@dataclass(frozen=True)
class Row:
    """What came of one fault."""

    fault: str
    deliveries: int
    attempts: int
    repeats: int
    lost: int
    out_of_order: int
    wrong_ends: int
    other_bytes: int

    @property
    def harm(self) -> dict[str, int]:
        """What must be nothing."""
        names = ("lost", "out_of_order", "wrong_ends", "other_bytes")
        return {name: number for name, number in asdict(self).items() if name in names}


class Fire:
    """Feeds changes, keeps workers, and counts what arrived."""

    def __init__(self, folder: Path, servers: str, source: str, seed: int = 7) -> None:
        self.random = random.Random(seed)  # noqa: S311  faults, not secrets
        self._clock = folder / "clock"
        self._clock.write_text("0")
        self.wso2 = Wso2(servers, f"{source}.responses")
        config: dict[str, Any] = {
            "wso2": self.wso2.url,
            "targets": list(TARGETS),
            "routes": _ROUTES,
            "more": {
                "targets": dict.fromkeys(TARGETS, _TARGET),
                "wso2": {"url": self.wso2.url, "timeout": "2s"},
            },
        }
        self.line = Line(folder, servers, source, config)
        self.workers: dict[str, Program] = {}
        self._record = 0
        self._expected: dict[str, str] = {}  # id -> the state it should end in
        self._last: dict[str, str] = {}  # chain and route -> its last sequence

    def __enter__(self) -> Self:
        self.line.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.line.__exit__(None, None, None)
        self.wso2.close()

    def worker(self, name: str = "one") -> Program:
        """Start a worker; its wall clock can be made to `jump`."""
        launcher = (
            "env",
            f"PYTHONPATH={os.pathsep.join([str(_CLOCK), *sys.path[:1]])}",
            f"ODOO_CDC_TEST_CLOCK={self._clock}",
            *COMMAND,
        )
        options = ("--worker", name, "--log-format", "json")
        started = self.line.programs.start("stream", *options, launcher=launcher)
        self.workers[name] = started
        return started

    def jump(self, seconds: float) -> None:
        """Let the workers' wall clock be so far from the right time."""
        moved = self._clock.with_suffix(".new")
        moved.write_text(str(seconds))
        moved.replace(self._clock)

    def begin(self) -> None:
        """Forget what was, misbehave no more, and have one worker."""
        wso2 = self.wso2
        wso2.good()
        wso2.start()
        for kept in (wso2.first, wso2.applied, wso2.bodies, self._expected, self._last):
            kept.clear()
        wso2.repeats = 0
        wso2.forget()
        if all(worker.process.poll() is not None for worker in self.workers.values()):
            self.worker()

    def feed(self, records: int, versions: int, ends: dict[str, str] | None = None) -> None:
        """Change so many records so often; `ends` says what becomes of a target's deliveries."""
        first, self._record = self._record + 1, self._record + records
        numbers = range(first, self._record + 1)
        ends = ends or {}
        for version in range(versions):
            for record in numbers:
                sequence = self.line.change(record, f"v{version}")
                for target in TARGETS:
                    made = self.line.id_of(record, sequence, "orders", target)
                    self._expected[made] = ends.get(target, "delivered")
                    self._last[made.rpartition("/")[0]] = sequence
        self.line.flush()

    def attempts(self, number: int) -> None:
        """Wait until so many requests have come to WSO2 on the whole."""
        self.wso2.received(number, LONG)

    def settle(self) -> None:
        """Wait until every delivery has its ending."""
        tail, open_ids, looked = self.line.tail, set(self._expected), 0.0

        def done() -> bool:
            nonlocal open_ids, looked
            if time.monotonic() - looked > 0.2:
                entries = tail.ledger
                open_ids = {i for i in open_ids if not entries.get(i, {}).get("final")}
                looked = time.monotonic()
            return not open_ids

        tail.until(done, LONG)

    def row(self, fault: str) -> Row:
        """Return what came of it."""
        wso2, ledger = self.wso2, self.line.tail.ledger
        taken = {name for names in wso2.first.values() for name in names}
        ends = {name: ledger[name]["state"] for name in self._expected}
        wrong = sum(ends[name] != end for name, end in self._expected.items())
        stale = sum(
            wso2.applied.get(line) != sequence
            for line, sequence in self._last.items()
            if self._expected[f"{line}/{sequence}"] == "delivered"
        )
        return Row(
            fault=fault,
            deliveries=len(self._expected),
            attempts=len(wso2.requests),
            repeats=wso2.repeats,
            lost=len(self._expected.keys() - taken),
            out_of_order=sum(names != sorted(names) for names in wso2.first.values()),
            wrong_ends=wrong + stale,
            other_bytes=sum(len(bodies) > 1 for bodies in wso2.bodies.values()),
        )


def odds(fire: Fire, chance: float, fault: Fault | Answer) -> Callable[[Received], Any]:
    """Return a fault that happens to so many requests of a hundred."""
    return lambda _: fault if fire.random.random() < chance else None
