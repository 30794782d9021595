from __future__ import annotations

import asyncio
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

from schemas.config import Config, load
from schemas.delivery import Delivery
from schemas.errors import BadUsage
from streams.chains.outcome import Accepted, Outcome
from streams.sending.exchange import Exchange
from tests.deliveries import a_delivery


class Slow:
    """A sender that answers when it is told to."""

    def __init__(self, config: Config) -> None:
        self.url = config.wso2.url
        self.answers = asyncio.Event()
        self.sent: list[Delivery] = []
        self.closed = asyncio.Event()

    async def __aenter__(self) -> Self:
        if self.url.endswith("refused"):
            raise BadUsage(self.url)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.closed.set()

    async def send(self, delivery: Delivery, attempt: int) -> Outcome:
        assert not self.closed.is_set()
        self.sent.append(delivery)
        await self.answers.wait()
        return Accepted()


class Senders:
    """Makes them, and a file for each."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.made: list[Slow] = []

    def __call__(self, config: Config) -> Slow:
        self.made.append(Slow(config))
        return self.made[-1]

    def file(self, name: str) -> Config:
        self._path.write_text(
            "source: {name: odoo_a, dsn: x}\n"
            "kafka: {bootstrap.servers: x}\n"
            f'wso2: {{url: "http://wso2/{name}"}}\n'
            'targets: {shop: {url: "http://shop/"}}\n'
            "routes: [{name: o, model: sale.order, targets: [shop], fields: [name]}]\n",
            encoding="utf-8",
        )
        return load(self._path)


@pytest.fixture
def senders(tmp_path: Path) -> Senders:
    return Senders(tmp_path / "sync.yaml")


async def test_what_is_on_its_way_ends_with_the_sender_that_began_it(senders: Senders) -> None:
    exchange = Exchange(senders)
    exchange.adopt(await exchange.open(senders.file("one")))
    first, second = a_delivery(), a_delivery()
    under_way = asyncio.create_task(exchange.send(first, 1))
    await asyncio.sleep(0)

    exchange.adopt(await exchange.open(senders.file("two")))
    then = asyncio.create_task(exchange.send(second, 1))
    await asyncio.sleep(0)

    one, other = senders.made
    assert (one.sent, other.sent) == ([first], [second])
    assert not one.closed.is_set()
    one.answers.set()
    assert await under_way == Accepted()
    await asyncio.wait_for(one.closed.wait(), 1)
    other.answers.set()
    await then
    assert not other.closed.is_set()
    await exchange.close()
    assert other.closed.is_set()


async def test_a_sender_that_cannot_be_opened_leaves_the_one_that_there_is(
    senders: Senders,
) -> None:
    exchange = Exchange(senders)
    exchange.adopt(await exchange.open(senders.file("one")))

    with pytest.raises(BadUsage, match="refused"):
        await exchange.open(senders.file("refused"))

    senders.made[0].answers.set()
    assert await exchange.send(a_delivery(), 1) == Accepted()
    await exchange.close()
