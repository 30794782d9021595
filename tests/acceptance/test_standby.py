"""A second capture of one state waits and takes over; one that wakes too late does no harm."""

from __future__ import annotations

import json
import shutil
import signal
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from schemas.topics import Topics
from tests.capturing import active, ask, confirmed, programs_of
from tests.documents_as_of import MODELS, Checkpoints, dispatched, judge
from tests.kafka_reading import read
from tests.oracle import Oracle
from tests.programs import Programs, until
from tests.sources import Source

if TYPE_CHECKING:
    from embedded.kafka import Kafka

pytestmark = pytest.mark.acceptance


def ready(port: int) -> dict[str, Any]:
    try:
        with urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
            said: dict[str, Any] = json.load(answer)
    except HTTPError as error:
        said = json.load(error)
    return said


def published(kafka: Kafka, name: str) -> Counter[bytes]:
    """Return every event with how often it was published; an event holds its position."""
    topics = Topics(name)
    found = read(kafka.bootstrap, [topics.events(model) for model in MODELS])
    return Counter(record.value for record in found)


@pytest.mark.fault(
    "Killed (kill -9) beside another one that stands by",
    "by itself: the other one takes over",
)
def test_law_1_a_second_capture_stands_by_and_takes_over_when_the_first_one_dies(
    own_odoo: Source, kafka: Kafka, kafka_prefix: str, installed: Programs
) -> None:
    from embedded.ports import free_ports  # noqa: PLC0415 - see fix_services

    (port,) = free_ports(1)
    first = installed.start("capture")
    until(lambda: active(own_odoo, kafka_prefix), first)
    second = installed.start("capture", "--health", f"127.0.0.1:{port}")
    second.until_said("action=standby")
    third = installed.start("capture")
    third.until_said("action=standby")
    with Oracle(own_odoo.dsn, kafka_prefix) as oracle:
        checkpoints = Checkpoints(oracle)
        checkpoints.follow(own_odoo.commits(30), every=30)
        assert ready(port) == {"ready": False, "reasons": ["standby: another capture runs"]}
        assert third.stop() == 0, "one that stands by ends when it is told to"
        refused = installed.start("capture", "--until-caught-up")
        assert refused.wait() == 2
        assert "is used by another process" in refused.tail()

        first.kill()

        second.until_said("action=taken_over")
        checkpoints.follow(own_odoo.commits(30), every=30)
    end = own_odoo.lsn()
    until(lambda: confirmed(own_odoo, kafka_prefix, end), second)
    assert ready(port)["ready"]
    assert second.stop() == 0
    judge(dispatched(kafka.bootstrap, installed.config), checkpoints)


@pytest.mark.fault(
    "Frozen while another one takes over, and wakes",
    "by itself: it repeats the same, and stops",
)
def test_law_3_one_that_was_frozen_while_another_took_over_repeats_the_same_and_stops(
    own_odoo: Source, kafka: Kafka, kafka_prefix: str, installed: Programs, tmp_path: Path
) -> None:
    before = published(kafka, kafka_prefix)
    first = installed.start("capture")
    until(lambda: active(own_odoo, kafka_prefix), first)
    first.process.send_signal(signal.SIGSTOP)
    elsewhere = tmp_path / "elsewhere"  # another host, which the volume was given to
    elsewhere.mkdir()
    shutil.copytree(installed.folder / "state", elsewhere / "state")
    with (
        programs_of(elsewhere, own_odoo, kafka_prefix, kafka) as others,
        Oracle(own_odoo.dsn, kafka_prefix) as oracle,
    ):
        checkpoints = Checkpoints(oracle)
        checkpoints.follow(own_odoo.commits(40), every=20)  # it lies in the frozen one's socket
        ask(
            own_odoo,
            "SELECT pg_terminate_backend(active_pid, 5000) FROM pg_replication_slots"
            " WHERE slot_name = %s",
            f"odoo_cdc_{kafka_prefix}",
        )
        second = others.start("capture")
        end = own_odoo.lsn()
        until(lambda: confirmed(own_odoo, kafka_prefix, end), second)
        once = published(kafka, kafka_prefix) - before

        first.process.send_signal(signal.SIGCONT)
        assert first.wait() in {3, 4}, first.tail()

        checkpoints.follow(own_odoo.commits(20), every=20)
        end = own_odoo.lsn()
        until(lambda: confirmed(own_odoo, kafka_prefix, end), second)
        assert second.stop() == 0

    assert set(once.values()) == {1}
    again = {
        value for value, times in (published(kafka, kafka_prefix) - before).items() if times > 1
    }
    assert again, "the frozen one published nothing: this proves nothing"
    assert again <= set(once)
    judge(dispatched(kafka.bootstrap, installed.config), checkpoints)
