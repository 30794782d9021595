"""Calls to Odoo by odoorpc, against a stand-in that speaks its RPC over HTTP."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from schemas.config import load
from schemas.from_files import FromFiles
from streams.filling.reads import Ask, Away, Faulty, Records
from streams.odoo.checks import findings
from streams.odoo.client import Client
from streams.odoo.reader import Reader
from tests.stand_in_odoo import KEY, Fault, StandInOdoo
from tests.stand_ins import Answer, Close, Hold

ASK = Ask("res.partner", (7, 8), ("image_1920", "write_date"))


@pytest.fixture
def odoo() -> Iterator[StandInOdoo]:
    made = StandInOdoo()
    made.rows["res.partner", 7] = {"image_1920": "aW1n", "write_date": "2026-11-23 10:00:00"}
    yield made
    made.close()


def client(odoo: StandInOdoo, timeout: float = 10.0) -> Client:
    return Client(odoo.settings, "en_US", timeout)


def test_records_come_by_id_and_those_that_are_gone_do_not(odoo: StandInOdoo) -> None:
    answer = client(odoo).read(ASK)

    row = {"id": 7, "image_1920": "aW1n", "write_date": "2026-11-23 10:00:00"}
    assert answer == Records({7: row})


def test_one_login_is_enough_for_many_reads(odoo: StandInOdoo) -> None:
    made = client(odoo)

    made.read(ASK)
    made.read(ASK)

    assert odoo.said.logins == 1
    assert odoo.said.calls == [("res.partner", [7, 8], ["image_1920", "write_date"])] * 2


@pytest.mark.parametrize(
    ("act", "says"),
    [
        pytest.param(Close(), "Remote", id="connection closed"),
        pytest.param(Answer(502, b"bad gateway"), "HTTP 502", id="502"),
        pytest.param(Answer(404, b"no such host"), "HTTP 404", id="404"),
        pytest.param(Answer(200, b"<html>maintenance</html>"), "none of Odoo's RPC", id="a page"),
        pytest.param(Answer(200, b"[]"), "none of Odoo's RPC", id="other json"),
        pytest.param(Answer(200, b'{"error": {"code": 1}}'), "none of Odoo's", id="half an error"),
    ],
)
def test_what_stands_for_all_records_is_odoo_being_away(
    odoo: StandInOdoo, act: object, says: str
) -> None:
    made = client(odoo)
    made.read(ASK)
    odoo.next(act)

    away = made.read(ASK)

    assert isinstance(away, Away)
    assert says in away.why
    assert not away.unauthorised
    assert isinstance(made.read(ASK), Records)


def test_no_answer_in_time_is_odoo_being_away(odoo: StandInOdoo) -> None:
    made = client(odoo, timeout=0.2)
    made.read(ASK)
    odoo.next(Hold(Answer()))

    assert made.read(ASK) == Away("no answer in time")


def test_nobody_at_the_address_is_odoo_being_away() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        settings = {"url": url, "database": "d", "user": "u", "api_key": "k"}

        away = Client(settings, "en_US").read(ASK)

    assert isinstance(away, Away)
    assert "refused" in away.why


def test_a_database_that_is_not_there_is_odoo_being_away(odoo: StandInOdoo) -> None:
    odoo.database_is_there = False

    away = client(odoo).read(ASK)

    assert isinstance(away, Away)
    assert "does not exist" in away.why
    assert not away.unauthorised


def test_a_key_that_is_not_taken_is_told_apart_at_the_login_and_later(odoo: StandInOdoo) -> None:
    made = client(odoo)
    made.read(ASK)
    odoo.key = "another"

    later, again = made.read(ASK), made.read(ASK)

    assert all(isinstance(each, Away) and each.unauthorised for each in (later, again))


def test_a_key_that_is_exchanged_in_its_file_is_used_with_the_next_login(
    odoo: StandInOdoo,
) -> None:
    key = FromFiles(KEY, "source.odoo.api_key", lambda: "a-newer-key")
    made = Client(odoo.settings | {"api_key": key}, "en_US")
    odoo.key = "a-newer-key"

    assert isinstance(made.read(ASK), Records)


def test_law_7_what_odoo_answers_for_these_records_is_a_fault_of_theirs(odoo: StandInOdoo) -> None:
    odoo.faults["res.partner", 8] = Fault("odoo.exceptions.AccessError", "no right\nto read 8")

    assert client(odoo).read(ASK) == Faulty("no right")


async def test_the_event_loop_goes_on_while_odoo_is_asked(odoo: StandInOdoo) -> None:
    odoo.next(Hold(Answer()))
    reader = Reader(odoo.settings, "en_US", longest=0.3)

    asked = asyncio.create_task(reader.read(ASK))
    await asyncio.sleep(0)

    assert not asked.done()
    assert await asked == Away("no answer in time")
    assert isinstance(await reader.read(ASK), Records)


async def test_law_10_without_source_odoo_drafts_wait_and_it_is_said_why() -> None:
    away = await Reader({}, "en_US").read(ASK)

    assert away == Away("source.odoo is not set in sync.yaml", unauthorised=True)


# --- check


def findings_of(folder: Path, odoo: dict[str, str]) -> list[tuple[str, str]]:
    source: dict[str, object] = {"name": "odoo_a", "dsn": "postgresql:///odoo"}
    file = {
        "source": source | ({"odoo": odoo} if odoo else {}),
        "kafka": {"bootstrap.servers": "127.0.0.1:9092"},
        "wso2": {"url": "http://127.0.0.1:8290/cdc/v1/messages"},
        "targets": {"shop": {"url": "http://shop.example"}},
        "routes": [{"name": "a", "model": "sale.order", "targets": ["shop"], "fields": ["name"]}],
    }
    path = folder / "sync.yaml"
    path.write_text(yaml.safe_dump(file))
    return [(each.where, each.remedy) for each in findings(load(path, {}))]


def test_check_logs_in_where_there_is_an_odoo_to_ask(odoo: StandInOdoo, tmp_path: Path) -> None:
    assert findings_of(tmp_path, odoo.settings) == []
    assert odoo.said.logins == 1
    assert findings_of(tmp_path, {}) == []


def test_law_10_check_says_what_to_correct(odoo: StandInOdoo, tmp_path: Path) -> None:
    [(where, remedy)] = findings_of(tmp_path, odoo.settings | {"api_key": "wrong-key"})
    odoo.stop()
    [(place, start)] = findings_of(tmp_path, odoo.settings)

    assert (where, place) == ("source.odoo.api_key", "source.odoo.url")
    assert "API key" in remedy
    assert "start Odoo" in start
