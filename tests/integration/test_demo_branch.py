"""The demo's branch: its target.yaml, and its questions, against an Odoo and its database."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from embedded.demo.branch import odoo as branch
from embedded.demo.branch import questions, target
from embedded.demo.branch.routes import CATEGORY
from streams.applying.checks import findings
from streams.applying.reading import load
from streams.odoo.session import Session
from tests.odoo_client import Odoo, Rpc

if TYPE_CHECKING:
    from embedded.postgres import Postgres
    from tests.fix_services import Database

pytestmark = pytest.mark.integration


@pytest.fixture
def named(odoo_rpc: Odoo) -> Any:
    """The Odoo as the demo hands it out."""
    return SimpleNamespace(
        url=odoo_rpc.url, database=odoo_rpc.database, keys={"admin": odoo_rpc.api_key}
    )


@pytest.fixture
def first(odoo_database: Database) -> str:
    """The connection string of the first Odoo's database."""
    return odoo_database.dsn


def test_its_target_yaml_fits_the_odoo(named: Any, tmp_path: Path) -> None:
    settings = load(target.write(tmp_path, named, "127.0.0.1:1"))

    session = Session(settings.odoo, settings.context, settings.timeout)

    assert findings(settings, session) == []


def test_what_a_branch_that_got_nothing_lacks_is_what_it_must_have(
    odoo_rpc: Odoo, first: str
) -> None:
    before = questions.highest(odoo_rpc.dsn)

    found = questions.ask(first, odoo_rpc.dsn, before)

    kinds = {key.partition(" ")[0] for key in found.comparison.missing}
    assert kinds == {one.kind for one in questions.QUESTIONS}
    assert len(found.comparison.missing) == found.comparison.records
    assert (found.comparison.left, found.comparison.different, found.double) == ([], [], [])
    with psycopg.connect(first) as connection:
        query = (
            "SELECT count(*) FROM product_template t JOIN product_category c ON c.id = t.categ_id"
            " WHERE c.name = %s"
        )
        row = connection.execute(query, [CATEGORY]).fetchone()
    assert row == (found.counts["products"],)


def test_what_bears_a_key_is_compared_and_what_bears_none_is_double(
    odoo_rpc: Odoo, rpc: Rpc, first: str
) -> None:
    before = questions.highest(odoo_rpc.dsn)
    with psycopg.connect(first) as connection:
        row = connection.execute("SELECT name, email FROM res_partner WHERE id = 1").fetchone()
    assert row
    known = rpc("res.partner", "create", {"name": row[0], "email": "other@example.com"})
    unknown = rpc("res.partner", "create", {"name": row[0]})
    name = {"module": "demo", "name": "res_partner_1", "model": "res.partner", "res_id": known}
    data = rpc("ir.model.data", "create", name)

    found = questions.ask(first, odoo_rpc.dsn, before)
    rpc("ir.model.data", "unlink", [data])

    assert found.comparison.different == ["partners demo.res_partner_1"]
    assert found.double == [f"res_partner {unknown}"]


def test_where_the_named_odoo_cannot_be_had_a_stand_in_takes_its_place_and_is_called_one(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ODOO_SRC", str(tmp_path))
    said: list[str] = []

    with ExitStack() as stack:
        stack.callback(postgres.drop_database, branch.DATABASE)
        started = branch.start(stack, postgres, 1, said.append)

        assert branch.title(started) == "stand-in for Odoo"
        assert started.answers()

    assert "cannot be had, a stand-in takes its place" in said[0]
    assert "a stand-in of ours" in said[1]
