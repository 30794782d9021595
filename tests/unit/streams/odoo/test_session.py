"""Sessions that write: every trouble told apart, against a stand-in that speaks Odoo's RPC."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from schemas.from_files import FromFiles
from streams.odoo.port import Away, Conflict, Gone, LoginRefused, Refused, Trouble, Unclear
from streams.odoo.session import Session
from tests.stand_in_odoo import KEY, Fault, StandInOdoo
from tests.stand_ins import Answer, Close, Hold

CONTEXT = {"lang": "fr_FR", "bin_size": False}


@pytest.fixture
def odoo() -> Iterator[StandInOdoo]:
    made = StandInOdoo()
    made.rows["res.partner", 7] = {"name": "Azur"}
    yield made
    made.close()


def session(odoo: StandInOdoo, timeout: float = 10.0) -> Session:
    return Session(odoo.settings, CONTEXT, timeout)


def read(made: Session, **options: Any) -> Any:
    return made.call("res.partner", "read", [7], fields=["name"], **options)


def test_a_call_says_its_context_over_that_of_the_session(odoo: StandInOdoo) -> None:
    made = session(odoo)

    rows = read(made, context={"lang": "de_DE"})

    assert rows == [{"id": 7, "name": "Azur"}]
    (*_, options) = odoo.requests[-1].json["params"]["args"]
    assert options["context"] == {"lang": "de_DE", "bin_size": False}
    assert made.user == 7


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("odoo.exceptions.UserError", Refused),
        ("odoo.exceptions.ValidationError", Refused),
        ("odoo.exceptions.AccessError", Refused),
        ("builtins.ValueError", Refused),
        ("builtins.AttributeError", Refused),
        ("psycopg2.errors.NumericValueOutOfRange", Refused),
        ("odoo.exceptions.MissingError", Gone),
        ("psycopg2.errors.SerializationFailure", Conflict),
        ("psycopg2.errors.DeadlockDetected", Conflict),
        ("psycopg2.errors.LockNotAvailable", Conflict),
        ("psycopg2.OperationalError", Away),
        ("psycopg2.InterfaceError", Away),
        ("psycopg2.errors.AdminShutdown", Away),
        ("psycopg2.pool.PoolError", Away),
        ("werkzeug.exceptions.ServiceUnavailable", Away),
        ("odoo.exceptions.AccessDenied", LoginRefused),
        ("odoo.http.SessionExpiredException", LoginRefused),
    ],
)
def test_errors_of_odoo_are_told_apart(odoo: StandInOdoo, name: str, kind: type[Trouble]) -> None:
    odoo.faults["res.partner", 7] = Fault(name, "first line\nField: Name (name)")

    with pytest.raises(Trouble) as raised:
        read(session(odoo))

    assert type(raised.value) is kind
    assert str(raised.value) == "first line Field: Name (name)"
    if isinstance(raised.value, Refused):
        assert raised.value.kind == name.rpartition(".")[2]


@pytest.mark.parametrize(
    ("act", "kind", "says"),
    [
        pytest.param(Close(), Unclear, "Remote", id="connection closed"),
        pytest.param(Answer(502, b"bad gateway"), Unclear, "HTTP 502", id="502"),
        pytest.param(Answer(504, b"timeout"), Unclear, "HTTP 504", id="504"),
        pytest.param(Answer(503, b"later"), Away, "HTTP 503", id="503"),
        pytest.param(Answer(429, b"slowly"), Away, "HTTP 429", id="429"),
        pytest.param(Answer(404, b"no such host"), Away, "HTTP 404", id="404"),
        pytest.param(Answer(200, b"<html>"), Unclear, "none of Odoo's RPC", id="a page"),
        pytest.param(Answer(200, b"[]"), Unclear, "none of Odoo's RPC", id="other json"),
    ],
)
def test_what_was_not_answered_may_have_been_done_unless_it_cannot(
    odoo: StandInOdoo, act: object, kind: type[Trouble], says: str
) -> None:
    made = session(odoo)
    read(made)
    odoo.next(act)

    with pytest.raises(Trouble, match=says) as raised:
        read(made)

    assert type(raised.value) is kind
    assert read(made)  # it goes on


def test_no_answer_in_time_is_unclear(odoo: StandInOdoo) -> None:
    made = session(odoo, timeout=0.2)
    read(made)
    odoo.next(Hold(Answer()))

    with pytest.raises(Unclear, match="no answer in time"):
        read(made)


def test_nobody_at_the_address_did_nothing() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        made = Session({"url": url, "database": "d", "user": "u", "api_key": "k"}, {})

        with pytest.raises(Away, match="refused"):
            made.call("res.partner", "read", [7])


def test_odoo_that_went_away_did_nothing(odoo: StandInOdoo) -> None:
    made = session(odoo)
    read(made)
    odoo.stop()

    with pytest.raises(Away, match="refused"):
        read(made)


def test_a_database_that_is_not_there_is_no_wrong_login(odoo: StandInOdoo) -> None:
    odoo.database_is_there = False

    with pytest.raises(Away, match="does not exist"):
        read(session(odoo))


def test_a_wrong_key_is_told_apart_at_the_login_and_later(odoo: StandInOdoo) -> None:
    made = session(odoo)
    read(made)
    odoo.key = "another-key"

    for each in (made, session(odoo)):
        with pytest.raises(LoginRefused):
            read(each)


def test_a_key_that_is_exchanged_in_its_file_is_taken_without_a_word(odoo: StandInOdoo) -> None:
    keys = [KEY]
    key = FromFiles(KEY, "odoo.api_key", lambda: keys[0])
    made = Session(odoo.settings | {"api_key": key}, CONTEXT)
    read(made)
    odoo.key = keys[0] = "a-newer-key"

    assert read(made) == [{"id": 7, "name": "Azur"}]


def test_what_odoo_says_is_cut_and_never_a_traceback(odoo: StandInOdoo) -> None:
    odoo.faults["res.partner", 7] = Fault("odoo.exceptions.UserError", "x" * 5000)

    with pytest.raises(Refused) as raised:
        read(session(odoo))

    assert len(str(raised.value)) == 600
    assert "debug" not in json.dumps(str(raised.value))
