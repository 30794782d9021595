"""Both sides wrote a record before either heard of the other."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest

from streams.applying.answer import Delivered
from tests.faulty_odoo import FaultyOdoo, Held
from tests.odoo_client import Odoo, Rpc
from tests.target_rig import Branch, settings_of, target_yaml
from tests.waiting import LONG

pytestmark = pytest.mark.integration

PARTNER = "res.partner"
PAST, FUTURE = "2001-01-01T00:00:00Z", "2099-01-01T00:00:00Z"


@pytest.fixture
def branch(odoo_rpc: Odoo, module: str, tmp_path: Path) -> Branch:
    return Branch(settings_of(tmp_path, target_yaml(odoo_rpc, more="system: branch\n")), module)


def conflict(written: str, previous: dict[str, Any] | None, master: str | None = None) -> Any:
    return {"master": master, "written": written, "previous": previous}


@pytest.fixture
def shared(branch: Branch, odoo_rpc: Odoo) -> int:
    """A partner that came from the source, and that another user wrote here since."""
    number = came(branch)
    somebody_writes(odoo_rpc, number)
    return number


def came(branch: Branch) -> int:
    """Deliver a partner; return its id here."""
    answer = branch.deliver(PARTNER, 7, OLD)
    assert isinstance(answer, Delivered)
    assert answer.target_id is not None
    return answer.target_id


def somebody_writes(odoo: Odoo, number: int) -> None:
    """Write a partner as another user than the sync's."""
    written = (
        "UPDATE res_partner SET email = %s, write_date = now() AT TIME ZONE 'UTC',"
        " write_uid = (SELECT id FROM res_users WHERE login = %s) WHERE id = %s"
    )
    with psycopg.connect(odoo.dsn) as connection:
        connection.execute(written, ("ours@example.com", odoo.reader, number))


OLD = {"name": "Azur", "email": "old@example.com"}
THEIRS = {"name": "Azur", "email": "theirs@example.com"}


@pytest.mark.parametrize(
    ("told", "email"),
    [
        pytest.param(conflict(FUTURE, OLD), "theirs@example.com", id="theirs was later"),
        pytest.param(conflict(PAST, OLD), "ours@example.com", id="ours was later"),
        pytest.param(conflict(PAST, None), "ours@example.com", id="nobody knows what it was"),
        pytest.param(
            conflict(PAST, {**OLD, "email": "ours@example.com"}),
            "theirs@example.com",
            id="they knew of ours",
        ),
        pytest.param(conflict(FUTURE, OLD, "branch"), "ours@example.com", id="we are the master"),
        pytest.param(conflict(PAST, OLD, "other"), "theirs@example.com", id="they are"),
    ],
)
def test_one_stands_and_both_are_logged(
    branch: Branch,
    rpc: Rpc,
    shared: int,
    caplog: pytest.LogCaptureFixture,
    told: Any,
    email: str,
) -> None:
    with caplog.at_level(logging.INFO, "streams.applying.conflicts"):
        answer = branch.deliver(PARTNER, 7, THEIRS, conflict=told)

    assert isinstance(answer, Delivered)
    assert rpc.one(PARTNER, shared, "email")["email"] == email
    knew = told["previous"] == {**OLD, "email": "ours@example.com"}
    assert bool(caplog.records) is not knew
    for record in caplog.records:
        said = vars(record)
        assert said["stands"] == ("theirs" if email.startswith("theirs") else "ours")
        assert said["theirs"]["fields"]["email"] == "theirs@example.com"
        assert said["ours"]["fields"]["email"] == "ours@example.com"


@pytest.mark.usefixtures("shared")
def test_what_the_sync_wrote_itself_is_no_conflict(branch: Branch, rpc: Rpc, shared: int) -> None:
    branch.deliver(PARTNER, 7, {**OLD, "name": "Azur 2"})

    branch.deliver(PARTNER, 7, THEIRS, conflict=conflict(PAST, OLD))

    assert rpc.one(PARTNER, shared, "email")["email"] == "theirs@example.com"


def test_what_is_written_between_the_look_and_the_write_is_written_over(
    odoo_rpc: Odoo, module: str, rpc: Rpc, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """RPC knows no condition on a write: docs/configuration.md says what follows of it."""
    proxy = FaultyOdoo(odoo_rpc)
    try:
        settings = settings_of(tmp_path, target_yaml(proxy.odoo, more="system: branch\n"))
        branch = Branch(settings, module)
        number, looks = came(branch), proxy.done.count("read")
        proxy.next_call("read", Held())
        with (
            ThreadPoolExecutor(1) as one,
            caplog.at_level(logging.INFO, "streams.applying.conflicts"),
        ):
            delivered = one.submit(
                branch.deliver, PARTNER, 7, THEIRS, conflict=conflict(PAST, OLD)
            )
            proxy.until(lambda: proxy.done.count("read") > looks)
            somebody_writes(odoo_rpc, number)
            proxy.release()
            assert isinstance(delivered.result(LONG), Delivered)
    finally:
        proxy.close()

    assert rpc.one(PARTNER, number, "email")["email"] == "theirs@example.com"
    assert caplog.records == []
