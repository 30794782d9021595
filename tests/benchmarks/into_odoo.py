"""What `odoo-cdc target` writes into an Odoo per second, one delivery at a time or a batch.

Partners (a name, an address, one tag by reference) over HTTP, to the whole program, from as many
connections as WSO2 keeps open. Always into a stand-in, and into a real Odoo where ODOO_SRC names a
checkout.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.request import urlopen

import aiohttp

from tests.benchmarks.figures import Figure
from tests.benchmarks.place import Place
from tests.fix_odoo_rpc import STAND_IN, kinds, real_ones, stand_ins
from tests.odoo_client import Odoo
from tests.target_messages import message, ref
from tests.target_rig import target_yaml
from tests.target_service import Sender, TargetService

AT_ONCE: Final = (1, 4, 8)
USUAL: Final = 4  # `at_once` where the file says nothing
CLIENTS: Final = 16
DELIVERIES: Final = 300  # of each kind, per run
BATCH: Final = 500  # messages
_WARM: Final = 32  # deliveries before, which do not count
_PATIENCE: Final = 600.0  # seconds
_PARTNER: Final = "res.partner"
_TAG: Final = "res.partner.category"
_TAGS: Final = (1, 2)
_MODELS: Final = """models:
  res.partner: {fields: [name, email, category_id], match: [[name, email]]}
  res.partner.category: {fields: [name]}
"""
_COUNTED: Final = re.compile(r"^odoo_cdc_target_odoo_seconds_(sum|count)\S* (\S+)$", re.MULTILINE)

Message = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Run:
    """So many deliveries: `wall` and `in_odoo` in seconds, `calls` to Odoo, `places` for them."""

    number: int
    wall: float
    in_odoo: float
    calls: float
    places: int


@dataclass(slots=True)
class _Source:
    """Where deliveries come from; no record comes twice but to be changed."""

    name: str
    newest: int = 0
    changes: int = 0

    def made(self, number: int) -> list[Message]:
        """Return messages of so many partners that nobody knows yet."""
        first = self.newest + 1
        self.newest += number
        return [self._partner(each, "create") for each in range(first, self.newest + 1)]

    def changed(self, number: int) -> list[Message]:
        """Return messages that change all that is sent of the newest partners."""
        self.changes += 1
        newest = range(self.newest - number + 1, self.newest + 1)
        return [self._partner(each, "update") for each in newest]

    def tags(self) -> list[Message]:
        return [message(_TAG, tag, {"name": f"T{tag}"}, source=self.name) for tag in _TAGS]

    def _partner(self, record: int, operation: str) -> Message:
        tag = _TAGS[self.changes % len(_TAGS)]
        fields = {
            "name": f"{self.name} {record}, {self.changes}",
            "email": f"{self.name}.{record}.{self.changes}@example.com",
            "category_id": [ref(_TAG, tag, self.name)],
        }
        return message(_PARTNER, record, fields, operation=operation, source=self.name)


@dataclass(slots=True)
class _Measured:
    """What several runs took, by what was delivered."""

    runs: dict[str, list[_Run]] = field(default_factory=dict)

    def note(self, what: str, run: _Run) -> None:
        self.runs.setdefault(what, []).append(run)

    def figures(self) -> Iterator[Figure]:
        for what, runs in self.runs.items():
            yield Figure(what, "1/s", tuple(run.number / run.wall for run in runs))
            calls = tuple(run.calls / run.number for run in runs)
            yield Figure("  calls to Odoo for each: mean", "", calls)
            share = tuple(100 * run.in_odoo / run.wall / run.places for run in runs)
            yield Figure("  of the time of its places, in Odoo's answers", "%", share)


def into_odoo(place: Place, runs: int) -> list[Figure]:
    """Return the deliveries per second by kind of Odoo and `at_once`, and what Odoo has of it."""
    measured = _Measured()
    for kind in kinds():
        place.say(f"an Odoo to write into: {kind}")
        with _odoo(place, kind) as odoo:
            for at_once in AT_ONCE:
                source = _Source(f"bench_{at_once}")
                with _service(place, f"{kind}-{at_once}", odoo, at_once) as service:
                    _warm(service, source)
                    for run in range(runs):
                        place.say(f"{kind}, at_once {at_once}, run {run + 1} of {runs}")
                        _measure(measured, service, source, at_once, kind)
    return list(measured.figures())


def _warm(service: TargetService, source: _Source) -> None:
    """Let every session ask Odoo for what it asks once."""
    sender = Sender(service)
    sender.deliver([source.tags()], _PATIENCE)
    sender.deliver([[each] for each in source.made(_WARM)], _PATIENCE)


def _measure(
    measured: _Measured, service: TargetService, source: _Source, at_once: int, kind: str
) -> None:
    """Deliver all kinds of deliveries once."""
    where = f"{kind}, at_once {at_once}"

    def one_by_one(messages: list[Message]) -> _Run:
        return _counted(service, at_once, messages, _singly)

    def together(messages: list[Message]) -> _Run:
        return _counted(service, at_once, messages, _in_a_batch)

    measured.note(f"{where}: partners made", one_by_one(source.made(DELIVERIES)))
    measured.note(f"{where}: partners changed", one_by_one(source.changed(DELIVERIES)))
    if at_once == USUAL:
        measured.note(f"{where}: {BATCH} made, a batch", together(source.made(BATCH)))
        measured.note(f"{where}: {BATCH} changed, a batch", together(source.changed(BATCH)))
        unknown = source.changed(BATCH)
        service.kill()
        service.start()  # it remembers no names
        _warm(service, source)
        measured.note(f"{where}: {BATCH} changed after a restart, a batch", together(unknown))


def _counted(
    service: TargetService,
    at_once: int,
    messages: list[Message],
    send: Callable[[str, Sequence[Message]], Any],
) -> _Run:
    before = _asked(service)
    began = time.monotonic()
    asyncio.run(send(service.url, messages))
    wall = time.monotonic() - began
    in_odoo, calls = (now - then for then, now in zip(before, _asked(service), strict=True))
    return _Run(len(messages), wall, in_odoo, calls, at_once)


async def _singly(url: str, messages: Sequence[Message]) -> None:
    """Deliver one by one, over so many connections that stay open."""
    left = iter(messages)
    connections = aiohttp.TCPConnector(limit=CLIENTS)
    async with asyncio.timeout(_PATIENCE), aiohttp.ClientSession(connector=connections) as session:
        await asyncio.gather(*(_client(session, url, left) for _ in range(CLIENTS)))


async def _client(session: aiohttp.ClientSession, url: str, left: Iterable[Message]) -> None:
    for each in left:
        headers = {"Idempotency-Key": each["id"]}
        async with session.post(f"{url}/deliveries", json=each, headers=headers) as said:
            assert said.status == 200, await said.text()


async def _in_a_batch(url: str, messages: Sequence[Message]) -> None:
    """Deliver all in one request."""
    patience = aiohttp.ClientTimeout(total=_PATIENCE)
    async with (
        aiohttp.ClientSession(timeout=patience) as session,
        session.post(f"{url}/deliveries/batch", json=messages) as said,
    ):
        answers = await said.json()
    assert [each["status"] for each in answers] == ["delivered"] * len(messages)


def _asked(service: TargetService) -> tuple[float, float]:
    """Return the seconds that calls to Odoo took so far, and how many there were."""
    with urlopen(f"{service.url}/metrics", timeout=_PATIENCE) as said:  # noqa: S310  ours
        found = dict(_COUNTED.findall(said.read().decode()))
    return float(found["sum"]), float(found["count"])


@contextmanager
def _odoo(place: Place, kind: str) -> Iterator[Odoo]:
    with ExitStack() as services:
        if kind == STAND_IN:
            yield stand_ins(services, place.postgres, place.fresh_odoo())()
        else:
            yield real_ones(services)()


@contextmanager
def _service(place: Place, name: str, odoo: Odoo, at_once: int) -> Iterator[TargetService]:
    text = target_yaml(odoo, more=f"at_once: {at_once}\n", models=_MODELS)
    with TargetService(place.folder / f"into-{name}", text) as service:
        yield service
