"""What a client sees when the way to Odoo fails, and what of its call is done by then."""

from __future__ import annotations

import http.client
import urllib.error
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import odoorpc
import pytest

from tests.faulty_odoo import (
    BAD_GATEWAY,
    FaultyOdoo,
    Held,
    Lost,
    Through,
    conflict,
    session_lost,
)
from tests.odoo_client import Odoo, Rpc
from tests.stand_ins import Close

pytestmark = pytest.mark.integration

NAME = ["id", "name"]
CUT_OFF = (OSError, http.client.HTTPException)


@pytest.fixture
def faulty(odoo_rpc: Odoo) -> Iterator[FaultyOdoo]:
    proxy = FaultyOdoo(odoo_rpc)
    yield proxy
    proxy.close()


@pytest.fixture
def client(faulty: FaultyOdoo) -> Rpc:
    return faulty.odoo.client()


def test_without_faults_everything_goes_through(
    faulty: FaultyOdoo, client: Rpc, rpc: Rpc, module: str
) -> None:
    made = client.loaded("res.partner", NAME, [f"{module}.p", "One"])

    assert rpc.one("res.partner", made[0], "name")["name"] == "One"
    assert faulty.calls[-1] == ("res.partner", "load")


def test_a_connection_that_closes_before_the_call_has_done_nothing(
    faulty: FaultyOdoo, client: Rpc, rpc: Rpc, module: str
) -> None:
    faulty.next_call("load", Close())

    with pytest.raises(CUT_OFF):
        client.load("res.partner", NAME, [f"{module}.p", "One"])

    assert rpc.named(module) == {}


@pytest.mark.parametrize("then", [Close(), BAD_GATEWAY], ids=["closed", "502"])
def test_an_answer_that_is_lost_comes_after_the_commit(
    faulty: FaultyOdoo, client: Rpc, rpc: Rpc, module: str, then: Close
) -> None:
    faulty.next_call("load", Lost(then))

    with pytest.raises(CUT_OFF):
        client.load("res.partner", NAME, [f"{module}.p", "One"])

    first = rpc.named(module)["p"]
    assert client.loaded("res.partner", NAME, [f"{module}.p", "One"]) == [first[1]]


def test_a_bad_gateway_is_an_error_of_http(
    faulty: FaultyOdoo, client: Rpc, rpc: Rpc, module: str
) -> None:
    faulty.next_call("load", BAD_GATEWAY)

    with pytest.raises(urllib.error.HTTPError) as caught:
        client.load("res.partner", NAME, [f"{module}.p", "One"])

    assert caught.value.code == 502
    caught.value.close()
    assert rpc.named(module) == {}


def test_an_answer_that_is_held_is_too_late(
    faulty: FaultyOdoo, client: Rpc, rpc: Rpc, module: str
) -> None:
    client.odoo.config["timeout"] = 0.3
    faulty.next_call("load", Held())

    with pytest.raises(TimeoutError):
        client.load("res.partner", NAME, [f"{module}.p", "One"])

    faulty.until(lambda: "load" in faulty.done)
    faulty.release()
    assert "p" in rpc.named(module)


def test_an_answer_that_is_held_comes_when_it_is_let_go(
    faulty: FaultyOdoo, client: Rpc, rpc: Rpc, module: str
) -> None:
    faulty.next_call("load", Held())

    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(client.loaded, "res.partner", NAME, [f"{module}.p", "One"])
        faulty.until(lambda: "load" in faulty.done)
        assert not answer.done()
        faulty.release()

        assert answer.result() == [rpc.named(module)["p"][1]]


@pytest.mark.parametrize(
    ("fault", "name"),
    [
        (conflict(), "psycopg2.errors.SerializationFailure"),
        (session_lost(), "odoo.http.SessionExpiredException"),
    ],
    ids=["conflict", "session lost"],
)
def test_errors_of_the_server_have_their_names(
    faulty: FaultyOdoo, client: Rpc, fault: Through, name: str
) -> None:
    faulty.next_call("write", fault)

    assert client.refused("res.partner", "write", [1], {"ref": "x"}).name == name


def test_a_login_fails_too(faulty: FaultyOdoo) -> None:
    faulty.next_call("login", session_lost())

    with pytest.raises(odoorpc.error.RPCError):
        faulty.odoo.client()
