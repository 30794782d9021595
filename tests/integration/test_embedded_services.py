"""Services as child processes: chosen, refused, killed, started again on the same data."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import psycopg
import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from embedded.errors import EmbeddedError, NotInstalled, NotStarted
from embedded.kafka import Kafka
from embedded.postgres import Postgres
from embedded.synapse import Synapse
from schemas.config import Config
from streams.flow.artifacts import generate
from tests.waiting import LONG

pytestmark = pytest.mark.integration

STARTS = """
from embedded.postgres import Postgres
service = Postgres.start()
print(service.pid, service.home, flush=True)
input()
"""


@pytest.mark.parametrize("version", [16, 18], ids="version {}".format)
def test_postgres_comes_in_the_version_that_is_asked_for(version: int) -> None:
    with Postgres.start(version=version) as cluster, psycopg.connect(cluster.dsn()) as connection:
        assert connection.info.server_version // 10_000 == version


def test_postgres_comes_with_the_extension_that_is_asked_for() -> None:
    with Postgres.start(extension="pg_trgm") as cluster:
        assert cluster.has_extension("pg_trgm")
        with psycopg.connect(cluster.dsn()) as connection:
            connection.execute("CREATE EXTENSION pg_trgm")


def test_a_version_that_is_not_there_is_refused_with_a_hint() -> None:
    with pytest.raises(NotInstalled, match=r"no Postgres 9 is installed \(found: ") as caught:
        Postgres.start(version=9)

    assert "pip install" in caught.value.hint


@pytest.mark.skipif(os.geteuid() != 0, reason="the tests run as an ordinary user")
def test_postgres_never_runs_as_root(postgres: Postgres) -> None:
    assert psutil.Process(postgres.pid).uids().effective != 0


def test_a_program_that_is_killed_leaves_neither_process_nor_folder() -> None:
    program = subprocess.Popen(
        [sys.executable, "-c", STARTS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert program.stdout
    pid, _, home = program.stdout.readline().strip().partition(" ")
    assert Path(home, "data").is_dir()

    program.send_signal(signal.SIGKILL)
    program.communicate()

    deadline = time.monotonic() + LONG
    while psutil.pid_exists(int(pid)) or Path(home).exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_killed_broker_has_its_records_and_its_port_when_it_starts_again() -> None:
    topic = f"kept_{secrets.token_hex(3)}"
    with Kafka.start() as broker:
        address = broker.bootstrap
        admin = AdminClient({"bootstrap.servers": address})
        admin.create_topics([NewTopic(topic, 1)])[topic].result(LONG)
        producer = Producer({"bootstrap.servers": address, "acks": "all"})
        producer.produce(topic, b"18")
        assert producer.flush(LONG) == 0

        broker.kill()
        assert not broker.running
        broker.launch()

        assert broker.bootstrap == address
        assert first_value(address, topic) == b"18"


def first_value(servers: str, topic: str) -> bytes | None:
    consumer = Consumer({"bootstrap.servers": servers, "group.id": "test"})
    try:
        consumer.assign([TopicPartition(topic, 0, 0)])
        message = consumer.poll(LONG)
        return message.value() if message else None
    finally:
        consumer.close()


@pytest.fixture
def artifacts(tmp_path: Path, wso2_config: Callable[..., Config]) -> Path:
    """The flow that we generate."""
    folder = tmp_path / "wso2"
    for path, artifact in generate(wso2_config()).items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(artifact.text, encoding="utf-8")
    return folder


def test_a_killed_engine_has_its_port_when_it_starts_again(artifacts: Path) -> None:
    with Synapse.start(artifacts) as engine:
        url = engine.url

        engine.kill()
        assert not engine.running
        engine.launch()

        assert engine.url == url
        assert engine.answers()


def test_an_engine_that_leaves_a_flow_out_is_refused_with_the_file_and_the_reason(
    artifacts: Path,
) -> None:
    (artifacts / "sequences" / "CdcRoute.xml").write_text("<sequence>", encoding="utf-8")

    with pytest.raises(NotStarted, match="leaves out") as caught:
        Synapse.start(artifacts)

    assert "CdcRoute.xml" in str(caught.value)


def test_a_folder_without_flows_is_refused_with_a_hint(tmp_path: Path) -> None:
    with pytest.raises(EmbeddedError, match="no folder `api`") as caught:
        Synapse.start(tmp_path)

    assert "wso2 generate" in caught.value.hint
