"""A worker that takes another file, as far as it needs neither Kafka nor WSO2."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import pytest

from schemas.avro import SchemaBook, event_schema
from schemas.config import Config, load
from schemas.document import Read
from schemas.kafka_errors import KafkaAway
from streams.asked import Asked
from streams.kafka.schema_reader import SchemaReader
from streams.metrics import Metrics
from streams.sending.exchange import Exchange
from streams.worker.duties import Duties
from streams.worker.reload import Reloading
from tests.documents import shape_of

SHAPE = shape_of([Read("name"), Read("state")])
FILE = """\
source: {name: odoo_a, dsn: "postgresql:///odoo"}
kafka: {bootstrap.servers: "127.0.0.1:9092"}
wso2: {url: "http://127.0.0.1:8290/cdc"}
targets: {shop: {url: "http://shop/deliveries"}}
routes: [{name: orders, model: sale.order, targets: [shop], fields: [name]}]
"""


@dataclass
class Around:
    """What goes by the file; notes who has adopted one, and may have trouble."""

    adopted: list[str] = field(default_factory=list)
    trouble: Exception | None = None
    book: SchemaBook = field(default_factory=SchemaBook)

    async def refresh(self) -> None:
        if self.trouble is not None:
            raise self.trouble


class Sending:
    """The exchange."""

    def __init__(self, around: Around) -> None:
        self._around = around

    async def open(self, config: Config) -> Config:
        return config

    def adopt(self, opened: Config) -> None:
        self._around.adopted.append(f"exchange {opened.fingerprint}")


class Works:
    """The duties."""

    def __init__(self, around: Around) -> None:
        self._around = around

    async def adopt(self, config: Config) -> None:
        self._around.adopted.append(f"duties {config.fingerprint}")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "sync.yaml"
    file.write_text(FILE, encoding="utf-8")
    return file


@pytest.fixture
def around() -> Around:
    made = Around()
    made.book.add(json.dumps(event_schema("odoo_a", SHAPE)))
    return made


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def reloading(path: Path, around: Around, metrics: Metrics) -> Reloading:
    exchange = cast("Exchange", Sending(around))
    made = Reloading(load(path), "one", cast("SchemaReader", around), exchange, metrics)
    made.of(cast("Duties", Works(around)))
    made.also.append(lambda config: around.adopted.append(f"intake {config.fingerprint}"))
    return made


def write(path: Path, old: str, new: str) -> None:
    path.write_text(FILE.replace(old, new), encoding="utf-8")


async def test_a_file_that_fits_is_taken_by_all(
    reloading: Reloading, around: Around, metrics: Metrics, path: Path
) -> None:
    write(path, "[name]", "[name, state]")

    said = await reloading("reload-1")

    name = load(path).fingerprint
    assert (said.worker, said.config, said.why) == ("one", name, "")
    assert around.adopted == [f"exchange {name}", f"duties {name}", f"intake {name}"]
    assert metrics.value("reloads", "taken") == 1


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        pytest.param("fields:", "feilds:", "feilds", id="unknown key"),
        pytest.param("odoo_a", "odoo_z", "source.name", id="another source"),
        pytest.param(
            "[name]", '[name], domain: [["id", "parent_of", 7]]', "parent_of", id="domain"
        ),
        pytest.param("[name]", "[name, priority]", "capture", id="what no event shows"),
    ],
)
async def test_a_file_that_does_not_fit_changes_nothing_and_says_why_and_what_to_do(
    reloading: Reloading, around: Around, old: str, new: str, why: str
) -> None:
    path = reloading.config.path
    before = reloading.config.fingerprint
    write(path, old, new)

    said = await reloading("reload-1")

    assert why in said.why
    assert "hint: " in said.why
    assert said.config == before
    assert around.adopted == []


async def test_while_kafka_cannot_be_asked_nothing_changes(
    reloading: Reloading, around: Around, metrics: Metrics
) -> None:
    around.trouble = KafkaAway("no answer")

    said = await reloading("reload-1")

    assert "no answer" in said.why
    assert around.adopted == []
    assert metrics.value("reloads", "refused") == 1


async def test_a_command_in_several_partitions_is_done_once(
    reloading: Reloading, around: Around
) -> None:
    first, second = await reloading("reload-1"), await reloading("reload-1")
    await reloading("reload-2")

    assert first is second
    assert len(around.adopted) == 6


async def test_a_hangup_before_and_one_after_the_loop_begins_are_heard(
    reloading: Reloading,
) -> None:
    asked = Asked()
    asked()
    done = asyncio.Event()
    reloading.also.append(lambda _: done.set())
    following = asyncio.create_task(reloading.follow(asked))

    await asyncio.wait_for(done.wait(), 10)
    done.clear()
    asked()
    await asyncio.wait_for(done.wait(), 10)

    following.cancel()
    with pytest.raises(asyncio.CancelledError):
        await following


def test_a_hangup_after_the_loop_has_ended_harms_nobody() -> None:
    asked = Asked()

    async def begin() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asked.wait(), 0.01)

    asyncio.run(begin())

    asked()
