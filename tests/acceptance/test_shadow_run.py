"""`shadow-run` between a real broker and a file or a topic; the live pipeline notices nothing."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from schemas.keys import partition_of
from schemas.topics import Topics
from streams.kafka.offsets import GroupOffsets
from tests.fix_wso2 import Wso2StandIn
from tests.kafka_reading import read
from tests.programs import Program, Programs, sync_yaml
from tests.streaming import MODEL, PARTITIONS, Line, Scripted
from tests.waiting import LONG

if TYPE_CHECKING:
    from embedded.kafka import Kafka

pytestmark = pytest.mark.acceptance

ROUTES: Final = """
routes:
  - name: orders
    model: sale.order
    domain: [[state, "=", sale]]
    targets: [shop]
    fields: [name]
"""
COUNTRIES: Final = """
routes:
  - {name: countries, model: res.country, targets: [shop], fields: [name, code]}
"""


@pytest.fixture
def wso2() -> Iterator[Scripted]:
    made = Scripted()
    yield made
    made.close()


@pytest.fixture
def line(kafka: Kafka, kafka_prefix: str, wso2: Scripted, tmp_path: Path) -> Iterator[Line]:
    config = {"wso2": wso2.url, "targets": ["shop"], "routes": ROUTES}
    with Line(tmp_path, kafka.bootstrap, kafka_prefix, config) as made:
        yield made


def counted(program: Program) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(program.out.read_text())
    return said


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(each) for each in path.read_text(encoding="utf-8").splitlines()]


def everything(line: Line) -> dict[tuple[str, int], tuple[int, int | None]]:
    """Return where every partition of the source ends, and where the workers' group stands."""
    source = line.topics.source
    offsets = GroupOffsets({"bootstrap.servers": line.servers}, Topics(source).group)
    topics = offsets.topics(f"{source}.")
    places = offsets.places(
        (name, number) for name, count in topics.items() for number in range(count)
    )
    offsets.close()
    return {(p.topic, p.partition): (p.end, p.committed) for p in places}


def test_law_3_its_lines_are_the_bytes_that_go_to_wso2_and_nothing_else_changes(
    line: Line, wso2: Scripted, tmp_path: Path
) -> None:
    for record in range(1, 21):
        line.change(record, f"S{record}")
    line.change(1, "S1!")
    worker = line.worker()
    wso2.received(21)
    assert worker.stop() == 0
    before = everything(line)
    file = tmp_path / "out" / "ours.jsonl"

    done = line.programs.run("shadow-run", "--file", str(file), "--until-caught-up", "--json")

    assert everything(line) == before
    assert len(wso2.requests) == 21
    assert counted(done)["deliveries"] == 21
    assert sorted(file.read_bytes().splitlines()) == sorted(r.body for r in wso2.requests)
    names = [
        each["data"]["fields"]["name"] for each in lines(file) if each["subject"].endswith("/1")
    ]
    assert names == ["S1", "S1!"]
    again = line.programs.run("shadow-run", "--file", str(file), "--until-caught-up", "--json")
    assert counted(again)["events"] == 0
    assert len(lines(file)) == 21


def test_law_1_killed_again_and_again_its_file_has_every_line_once(line: Line) -> None:
    records, states = 3000, 4
    for state in range(states):
        for record in range(records):
            line.change(record + 1, f"S{record}.{state}")
    line.flush()
    file = line.programs.folder / "state" / "shadow-run-default" / "deliveries.jsonl"
    kills = 0
    for share in (1, 3, 5, 8):
        running = line.programs.start("shadow-run")
        until_bytes(file, share * 200_000, running)
        running.process.send_signal(signal.SIGKILL)
        running.process.wait()
        kills += running.process.returncode == -signal.SIGKILL
    assert kills == 4
    torn = file.stat().st_size
    with file.open("ab") as end:  # as far as the disk came with what was in hand
        end.write(b'{"specversion": "1.0", "id": "od')

    line.programs.run("shadow-run", "--until-caught-up")

    assert file.stat().st_size > torn
    found = lines(file)
    assert len({each["id"] for each in found}) == len(found) == records * states
    last: dict[str, str] = {}
    for each in found:
        assert last.get(each["partitionkey"], "") < each["sequence"]
        last[each["partitionkey"]] = each["sequence"]


def until_bytes(file: Path, size: int, running: Program) -> None:
    """Wait until a file has so many bytes."""
    deadline = time.monotonic() + LONG
    while not file.exists() or file.stat().st_size < size:
        assert running.process.poll() is None, running.tail()
        assert time.monotonic() < deadline, running.tail()
        os.sched_yield()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_follows_until_a_signal_and_goes_on(line: Line, number: signal.Signals) -> None:
    file = line.programs.folder / "ours.jsonl"
    line.put(line.topics.events(MODEL), "1", b"no event")
    running = line.programs.start("shadow-run", "--file", str(file), "--json")
    running.until_said("action=caught_up")
    line.change(1, "S1")
    until_bytes(file, 1, running)

    running.process.send_signal(number)

    assert running.wait() == 0, running.tail()
    assert (counted(running)["deliveries"], counted(running)["unreadable"]) == (1, 1)
    line.change(1, "S1!")
    line.change(2, "a draft", state="draft")
    line.flush()
    line.programs.run("shadow-run", "--file", str(file), "--until-caught-up")
    assert [each["data"]["fields"]["name"] for each in lines(file)] == ["S1", "S1!"]


def test_a_topic_gets_them_at_least_once_with_the_same_bytes(line: Line) -> None:
    topic = f"shadow.{line.topics.source}"
    refused = line.programs.start("shadow-run", "--topic", topic)
    assert refused.wait() == 3
    assert "kafka-topics --create" in refused.tail()
    admin = AdminClient({"bootstrap.servers": line.servers})
    admin.create_topics([NewTopic(topic, 3, 1)])[topic].result(LONG)
    for record in range(1, 51):
        line.change(record, f"S{record}")
    line.flush()
    file = line.programs.folder / "ours.jsonl"

    line.programs.run("shadow-run", "--topic", topic, "--until-caught-up")
    line.programs.run("shadow-run", "--topic", topic, "--until-caught-up")
    line.programs.run("shadow-run", "--name", "b", "--file", str(file), "--until-caught-up")

    records = read(line.servers, [topic])
    assert sorted(r.value for r in records) == sorted(file.read_bytes().splitlines())
    assert {r.key.decode() for r in records} == {each["partitionkey"] for each in lines(file)}


def test_law_10_what_would_harm_is_refused(line: Line) -> None:
    line.change(1, "S1")
    line.flush()
    file = line.programs.folder / "ours.jsonl"
    line.programs.run("shadow-run", "--file", str(file), "--until-caught-up")

    def refused(*words: str) -> tuple[int, str]:
        done = line.programs.start("shadow-run", "--until-caught-up", *words)
        return done.wait(), done.tail()

    code, said = refused("--topic", line.topics.deliveries("shop"))
    assert (code, "own" in said) == (2, True)
    code, said = refused("--file", str(file) + "2")
    assert (code, f"writes to file {file}" in said) == (2, True)
    code, said = refused("--file", str(file), "--name", "other")
    assert (code, "not of this shadow run" in said) == (2, True)
    running = line.programs.start("shadow-run", "--file", str(file))
    running.until_said("action=caught_up")
    code, said = refused("--file", str(file))
    assert (code, "is used by another process" in said) == (2, True)
    assert running.stop() == 0
    file.unlink()
    code, said = refused("--file", str(file))
    assert (code, "has 0 bytes" in said) == (4, True)


def test_law_1_events_that_kafka_dropped_unread_are_no_silent_gap(line: Line) -> None:
    line.change(1, "S1")
    line.flush()
    line.programs.run("shadow-run", "--until-caught-up")
    for number in range(3):
        line.change(1, f"S1.{number}")
    line.flush()
    drop(line, 3)

    done = line.programs.start("shadow-run", "--until-caught-up")

    assert done.wait() == 4
    assert "offsets 1 to 2 were removed unread" in done.tail()
    assert "hint: " in done.tail()


def drop(line: Line, before: int) -> None:
    """Let Kafka drop the first records of the partition of record 1."""
    admin = AdminClient({"bootstrap.servers": line.servers})
    part = TopicPartition(line.topics.events(MODEL), partition_of("1", PARTITIONS), before)
    for future in admin.delete_records([part]).values():
        future.result(LONG)


def test_law_1_from_a_real_database_the_shadow_run_and_the_shop_have_the_same(
    odoo_database: Any, kafka: Kafka, kafka_prefix: str, tmp_path: Path
) -> None:
    wso2 = Wso2StandIn()
    text = sync_yaml(
        source=kafka_prefix,
        dsn=odoo_database.dsn,
        kafka=kafka.bootstrap,
        wso2=wso2.url,
        targets=["shop"],
        routes=COUNTRIES,
    )
    with Programs(tmp_path, text) as programs:
        programs.run("setup")
        programs.caught_up()
        file = tmp_path / "ours.jsonl"

        done = programs.run("shadow-run", "--file", str(file), "--until-caught-up", "--json")

        assert wso2.taken() == []
        worker = programs.start("stream", "--worker", "one")
        number = counted(done)["deliveries"]
        wso2.received(number, timeout=60)
        assert worker.stop() == 0
        assert sorted(file.read_bytes().splitlines()) == sorted(r.body for r in wso2.requests)
        assert number > 0
    wso2.close()


def test_law_9_a_large_backlog_takes_little_memory(line: Line) -> None:
    text, number = "x" * 800_000, 400
    for record in range(1, number + 1):
        line.change(record, text)
        line.flush()
    file = line.programs.folder / "ours.jsonl"

    done = line.programs.run("shadow-run", "--file", str(file), "--until-caught-up")

    assert file.stat().st_size > number * len(text)
    assert done.spent.own < file.stat().st_size * 3 / 4
