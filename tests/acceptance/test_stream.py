"""One worker, real Kafka, a scripted WSO2: what happens to the deliveries of a chain."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import count, pairwise
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from embedded.ports import free_ports
from tests.fix_wso2 import (
    EmptyAccept,
    FailAfterAccept,
    Refuse,
    RespondSlowly,
    RetryAfter,
    Unauthorised,
)
from tests.programs import Programs
from tests.streaming import COMMITTED, PARTITIONS, Line, Scripted

if TYPE_CHECKING:
    from embedded.kafka import Kafka

pytestmark = pytest.mark.acceptance

_records = count(1)
_PLAIN = {"url": "http://127.0.0.1:9/deliveries", "acknowledge": "accepted", "history": "all"}
_ASKED = {**_PLAIN, "acknowledge": "required"}
TARGETS = {
    "fast": {**_PLAIN, "retry": ["200ms", "300ms", "400ms"]},
    "asked": {**_ASKED, "ack_timeout": "1m", "retry": ["100ms", "100ms"]},
    "hasty": {**_ASKED, "ack_timeout": "500ms", "retry": ["100ms"]},
    "latest": {**_ASKED, "ack_timeout": "1m", "history": "latest"},
}


def _route(name: str, state: str, target: str, fields: str = "fields: [name]") -> str:
    domain = f'[["state", "=", "{state}"]]'
    return (
        f"  - {{name: {name}, model: sale.order, domain: {domain}, targets: [{target}], {fields}}}"
    )


TABLE = 'map: {name: {path: name, table: {one: "1"}}}'
ROUTES = "\n".join(
    [
        "routes:",
        _route("fast", "sale", "fast"),
        _route("asked", "asked", "asked"),
        _route("hasty", "hasty", "hasty"),
        _route("latest", "latest", "latest"),
        _route("table", "table", "fast", TABLE),
    ]
)


@pytest.fixture
def record() -> int:
    """A record that no other test has."""
    return next(_records)


@pytest.fixture(scope="module")
def wso2() -> Iterator[Scripted]:
    """One for all tests of this file: each has records of its own."""
    service = Scripted()
    yield service
    service.close()


@pytest.fixture(scope="module")
def acks() -> str:
    """Where the worker takes acknowledgements."""
    return f"127.0.0.1:{free_ports(1)[0]}"


@pytest.fixture(scope="module")
def line(
    kafka: Kafka, wso2: Scripted, acks: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Line]:
    """A worker that is up."""
    health = {"listen": f"127.0.0.1:{free_ports(1)[0]}"}
    config = {
        "wso2": wso2.url,
        "targets": list(TARGETS),
        "routes": ROUTES,
        "more": {"targets": TARGETS, "acks": {"listen": acks}, "health": health},
    }
    with Line(tmp_path_factory.mktemp("line"), kafka.bootstrap, "src_line", config) as made:
        made.worker()
        yield made


def test_an_event_becomes_a_delivery_that_wso2_accepts(
    line: Line, wso2: Scripted, record: int
) -> None:
    sequence = line.change(record, "S00042")

    line.tail.reached("accepted", record)
    (request,) = wso2.tried(record)
    assert request.id == line.id_of(record, sequence, "fast", "fast")
    assert request.attempt == 1
    assert request.json["data"]["fields"] == {"name": "S00042"}
    assert line.tail.ledger[request.id]["final"] is True


def test_law_2_first_acceptances_of_a_chain_are_in_commit_order_and_one_in_flight(
    line: Line, wso2: Scripted
) -> None:
    records = [next(_records) for _ in range(6)]
    wso2.of(records[0], Refuse(500), RespondSlowly(0.05), Refuse(503), Refuse(404))
    wso2.of(records[1], FailAfterAccept(), FailAfterAccept(), RespondSlowly(1.2))
    wso2.of(records[2], RespondSlowly(1.3), RetryAfter(0.4), EmptyAccept())

    expected = {record: [line.change(record, "v0")] for record in records}
    for number in range(1, 15):
        for record in records:
            expected[record].append(line.change(record, f"v{number}"))

    line.tail.until(lambda: _accepted(line, records) == 15 * len(records))
    for record in records:
        assert wso2.accepted(record) == [
            line.id_of(record, sequence, "fast", "fast") for sequence in expected[record]
        ]
        chain = wso2.tried(record)[0].headers["X-Cdc-Chain"]
        assert wso2.side_by_side[chain] == 1


def _accepted(line: Line, records: list[int]) -> int:
    entries = line.tail.ledger.values()
    return sum(e["record"] in records and e["state"] == "accepted" for e in entries)


def test_law_7_a_failing_record_holds_up_its_own_chain_only(line: Line, wso2: Scripted) -> None:
    failing, *others = (next(_records) for _ in range(20))
    wso2.of(failing, Refuse(500), RetryAfter(1.5))

    first = line.change(failing, "first")
    wso2.attempts(failing, 1)
    second = line.change(failing, "second")
    for record in others:
        line.change(record, "other")

    line.tail.reached("accepted", *others)
    assert wso2.accepted(failing) == []
    line.tail.reached("accepted", failing)
    assert [r.id for r in wso2.tried(failing)] == [
        *[line.id_of(failing, first, "fast", "fast")] * 3,
        line.id_of(failing, second, "fast", "fast"),
    ]


def test_law_3_every_attempt_has_the_same_id_and_the_same_bytes(
    line: Line, wso2: Scripted, record: int
) -> None:
    wso2.of(record, Refuse(500), FailAfterAccept(), Refuse(500))

    line.change(record, "Käse")

    line.tail.reached("accepted", record)
    requests = wso2.tried(record)
    assert [r.attempt for r in requests] == [1, 2, 3, 4]
    assert len({r.body for r in requests}) == 1
    unlike = [{**r.headers, "X-Cdc-Attempt": ""} for r in requests]
    assert all(headers == unlike[0] for headers in unlike)


def test_an_empty_202_is_no_acceptance(line: Line, wso2: Scripted, record: int) -> None:
    wso2.of(record, EmptyAccept())

    line.change(record, "S00042")

    line.tail.reached("accepted", record)
    first, second = wso2.tried(record)
    assert (first.id, first.body) == (second.id, second.body)
    assert line.tail.history[first.id] == ["waiting", "accepted"]


def test_retries_honour_the_ladder_and_what_wso2_asks_for(
    line: Line, wso2: Scripted, record: int
) -> None:
    wso2.of(record, Refuse(500), RetryAfter(1.0), RetryAfter(0.01))

    line.change(record, "S00042")

    pauses = [b.at - a.at for a, b in pairwise(wso2.attempts(record, 4))]
    for pause, least in zip(pauses, (0.2, 1.0, 0.4), strict=True):
        assert least <= pause < least + 5


def test_after_the_ladder_comes_a_dead_letter_and_the_chain_goes_on(
    line: Line, wso2: Scripted, record: int
) -> None:
    wso2.of(record, *[Refuse(503)] * 4)

    line.change(record, "doomed")
    line.change(record, "next")

    line.tail.reached("accepted", record)
    doomed = wso2.tried(record)[0]
    (letter,) = [each for each in line.tail.letters if each["id"] == doomed.id]
    assert letter["why"] == "WSO2 answered 503; given up after 4 attempts"
    assert letter["body"].encode() == doomed.body
    assert line.tail.ledger[doomed.id]["state"] == "dead"
    assert [r.attempt for r in wso2.tried(record)] == [1, 2, 3, 4, 1]


def test_what_wso2_refuses_is_dead_at_once_with_its_answer(
    line: Line, wso2: Scripted, record: int
) -> None:
    wso2.of(record, Refuse(422, b'{"status":"UNKNOWN_TARGET"}'))

    line.change(record, "S00042")

    line.tail.reached("dead", record)
    line.tail.until(lambda: any(each["record"] == record for each in line.tail.letters))
    letter = next(each for each in line.tail.letters if each["record"] == record)
    assert (letter["code"], letter["answer"]) == ("HTTP_422", '{"status":"UNKNOWN_TARGET"}')
    assert len(wso2.tried(record)) == 1


def test_a_value_that_cannot_be_sent_is_a_dead_letter_with_its_remedy(
    line: Line, wso2: Scripted, record: int
) -> None:
    line.change(record, "three", state="table")
    other = next(_records)
    line.change(other, "one", state="table")

    line.tail.reached("accepted", other)
    line.tail.reached("dead", record)
    letter = next(each for each in line.tail.letters if each["record"] == record)
    assert letter["code"] == "UNSENDABLE"
    assert "three" in letter["why"]
    assert "table" in letter["why"]
    assert wso2.tried(record) == []


def test_the_next_of_a_chain_waits_for_the_targets_word(
    line: Line, wso2: Scripted, record: int
) -> None:
    first = line.change(record, "first", state="asked")
    second = line.change(record, "second", state="asked")
    ids = [line.id_of(record, sequence, "asked", "asked") for sequence in (first, second)]
    line.tail.reached("waiting", record)
    assert [r.id for r in wso2.attempts(record, 1)] == ids[:1]

    line.say(ids[0], "DELIVERED", target_id="17")

    assert [r.id for r in wso2.attempts(record, 2)] == ids
    line.say(ids[1], "rejected", code="HTTP_422", message="no such product")
    line.tail.reached("rejected", record)
    assert line.tail.ledger[ids[0]]["state"] == "delivered"
    line.tail.until(lambda: any(each["id"] == ids[1] for each in line.tail.letters))
    letter = next(each for each in line.tail.letters if each["id"] == ids[1])
    assert letter["why"] == "rejected by the target: HTTP_422: no such product"
    assert line.tail.ledger[ids[0]]["target_id"] == "17"
    line.tail.until(lambda: not {*ids} & {*line.tail.items})  # the tombstone comes last


def test_a_target_can_ask_for_another_attempt(line: Line, wso2: Scripted, record: int) -> None:
    sequence = line.change(record, "first", state="asked")
    delivery = line.id_of(record, sequence, "asked", "asked")
    line.tail.reached("accepted", record)

    line.say(delivery, "retry", attempt=1, retry_after="1")

    first, second = wso2.attempts(record, 2)
    assert second.at - first.at >= 1
    line.tail.until(lambda: line.tail.history[delivery].count("accepted") == 2)
    line.say(delivery, "retry", attempt=1)  # a copy that comes late
    line.say(delivery, "delivered")
    line.tail.reached("delivered", record)
    assert len(wso2.tried(record)) == 2


def test_without_a_word_by_the_deadline_it_is_sent_again_and_then_given_up(
    line: Line, wso2: Scripted, record: int
) -> None:
    sequence = line.change(record, "first", state="hasty")
    delivery = line.id_of(record, sequence, "hasty", "hasty")

    line.tail.reached("dead", record)

    assert [(r.id, r.attempt) for r in wso2.tried(record)] == [(delivery, 1), (delivery, 2)]
    line.say(delivery, "delivered")  # late, and yet it wins
    line.tail.reached("delivered", record)
    line.say(delivery, "rejected")
    line.say(delivery, "retry")
    marker = _delivered(line, next(_records), line.tail.ledger[delivery]["chain"])
    assert line.tail.ledger[delivery]["state"] == "delivered"
    assert line.tail.ledger[marker]["state"] == "delivered"


def _delivered(line: Line, record: int, chain: str) -> str:
    """Deliver a record whose acknowledgement stands behind all that were said so far."""
    sequence = line.change(record, "marker", state="asked")
    delivery = line.id_of(record, sequence, "asked", "asked")
    line.tail.reached("accepted", record)
    for partition in range(PARTITIONS):  # it is moved where it belongs
        body = json.dumps({"id": delivery, "status": "delivered"}).encode()
        line.put(line.topics.responses, chain, body, partition)
    line.tail.reached("delivered", record)
    return delivery


def test_the_newest_replaces_what_waits_where_only_the_latest_counts(
    line: Line, wso2: Scripted, record: int
) -> None:
    sequences = [line.change(record, f"v{n}", state="latest") for n in range(4)]
    ids = [line.id_of(record, sequence, "latest", "latest") for sequence in sequences]
    line.tail.until(lambda: line.tail.ledger.get(ids[2], {}).get("state") == "superseded")
    line.tail.reached("waiting", record)

    line.say(ids[0], "delivered")

    assert [r.id for r in wso2.attempts(record, 2)] == [ids[0], ids[3]]
    assert line.tail.ledger[ids[1]]["state"] == "superseded"
    assert line.tail.ledger[ids[2]]["superseded_by"] == ids[3]


def test_what_cannot_be_read_is_counted_and_nothing_else_is_lost(
    line: Line, wso2: Scripted, record: int
) -> None:
    sequence = line.change(record, "first", state="asked")
    delivery = line.id_of(record, sequence, "asked", "asked")
    line.tail.reached("accepted", record)
    chain = delivery.rsplit("/", 2)[0]

    line.put(line.topics.responses, chain, b"<ack/>")
    line.put(line.topics.responses, chain, b'{"id": "who/knows", "status": "delivered"}')
    line.put(line.topics.events("sale.order"), str(record), b"no event")
    line.put(line.topics.deliveries("asked"), chain, b"no delivery")
    line.say(delivery, "delivered")

    line.tail.reached("delivered", record)
    later = line.change(record, "later", state="asked")
    assert wso2.attempts(record, 2)[-1].id == line.id_of(record, later, "asked", "asked")
    assert line.metric("acknowledgements_unreadable_total") == 1
    assert line.metric("acknowledgements_unknown_total") == 1
    assert line.metric("events_unreadable_total") == 1
    assert line.metric("deliveries_unreadable_total") == 1


def test_acknowledgements_come_over_http(line: Line, acks: str, record: int) -> None:
    sequence = line.change(record, "first", state="asked")
    delivery = line.id_of(record, sequence, "asked", "asked")
    line.tail.reached("accepted", record)

    assert _post(acks, b"[]x") == 400
    assert _post(acks, json.dumps([{"id": delivery, "status": "Delivered"}]).encode()) == 204

    line.tail.reached("delivered", record)


def _post(acks: str, body: bytes) -> int:
    request = Request(f"http://{acks}/acks", body)
    try:
        with urlopen(request, timeout=10) as answer:  # noqa: S310 - our own
            return int(answer.status)
    except HTTPError as error:
        return error.code


def test_while_wso2_is_away_nothing_counts_and_then_it_goes_on(line: Line, wso2: Scripted) -> None:
    records = [next(_records) for _ in range(5)]
    wso2.stop()
    try:
        for record in records:
            line.change(record, "S00042")
        line.tail.until(lambda: line.metric("gate_open") == 0)
        line.tail.until(lambda: "waiting" in line.tail.states(*records))
    finally:
        wso2.start()

    line.tail.reached("accepted", *records)
    assert [r.attempt for record in records for r in wso2.tried(record)] == [1] * 5


def test_while_wso2_does_not_know_us_no_attempt_is_counted(
    line: Line, wso2: Scripted, record: int
) -> None:
    wso2.of(record, *[Unauthorised()] * 3)

    line.change(record, "S00042")

    line.tail.reached("accepted", record)
    assert [r.attempt for r in wso2.tried(record)] == [1, 1, 1, 1]


def test_trace_shows_every_step_from_the_commit_to_the_last_word(
    line: Line, wso2: Scripted, record: int
) -> None:
    wso2.of(record, Refuse(500))
    sequence = line.change(record, "traced", state="asked")
    delivery = line.id_of(record, sequence, "asked", "asked")
    line.tail.reached("accepted", record)
    line.say(delivery, "delivered", target_id="17")
    line.tail.reached("delivered", record)

    (traced,) = _json(line, "trace", "sale.order", str(record))

    assert traced["id"] == delivery
    assert [step["step"] for step in traced["steps"]] == [
        *("committed", "published", "queued"),
        *("sent", "waiting", "sent", "accepted"),
        *("said", "delivered"),
    ]
    steps = {step["step"]: step["about"] for step in traced["steps"]}
    assert steps["committed"].startswith("at 0/")
    assert steps["published"].startswith("src_line.sale.order[")
    assert steps["queued"].startswith("src_line.deliveries.asked[")
    assert steps["said"] == "delivered, its id is 17"
    assert _json(line, "trace", delivery) == [traced]
    text = line.programs.run("trace", delivery).out.read_text()
    assert text.startswith(f"{delivery}  update: delivered\n  {COMMITTED}")


def test_queue_lists_what_waits_and_what_is_dead(line: Line, wso2: Scripted, record: int) -> None:
    dead = next(_records)
    wso2.of(dead, Refuse(422))
    sequence = line.change(record, "first", state="asked")
    line.change(record, "second", state="asked")
    line.change(dead, "dead")
    line.tail.reached("waiting", record)
    line.tail.reached("dead", dead)

    waiting = _json(line, "queue", "--record", f"sale.order/{record}", "--state", "waiting")
    found = _json(line, "queue", "--state", "dead", "--record", f"sale.order/{dead}")

    assert [row["state"] for row in waiting["deliveries"]] == ["waiting"]
    assert waiting["targets"]["asked"]["waiting"] >= 1
    (row,) = found["deliveries"]
    assert (row["target"], row["why"]) == ("fast", "WSO2 answered 422")
    assert found["targets"]["fast"]["dead"] >= 1
    text = line.programs.run("queue", "--target", "asked").out.read_text()
    assert line.id_of(record, sequence, "asked", "asked") in text


def test_what_nobody_knows_ends_with_1_and_a_hint(line: Line) -> None:
    for words in (["trace", "sale.order", "999999"], ["queue", "--record", "sale.order/999999"]):
        program = line.programs.start(*words)
        assert program.wait() == 1
        assert "Traceback" not in program.tail()


def test_law_10_a_worker_refuses_a_domain_that_events_cannot_answer(line: Line) -> None:
    config = line.programs.config.read_text(encoding="utf-8")
    wrong = config.replace('[["state", "=", "sale"]]', '[["state", "=", 5]]')
    wrong = wrong.replace("acks: {", "acks: {}  # {").replace("health: {", "health: {}  # {")
    folder = line.programs.folder / "wrong"
    folder.mkdir()
    with Programs(folder, wrong) as programs:
        worker = programs.start("stream", "--worker", "wrong")

        assert worker.wait() == 2

    said = worker.tail()
    assert "sync.yaml:" in said
    assert 'routes[0].domain[0]: ["state", "=", 5]: selection never is 5. Write a text' in said
    assert "Traceback" not in said


def _json(line: Line, *words: str) -> Any:
    return json.loads(line.programs.run(*words, "--json").out.read_text())
