"""The Odoo-shaped database tells the truth about itself."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cdc.postgres.catalog import load_models
from cdc.postgres.connect import Session
from embedded.odoo import OPENED, SMALL, create
from schemas.document import Read
from schemas.fields import Kind, Models
from schemas.shaping import build
from tests.fix_services import Database
from tests.odoo_dump import dump
from tests.oracle import QUESTIONS, Oracle

pytestmark = pytest.mark.integration


@pytest.fixture
def session(odoo_database: Database) -> Iterator[Session]:
    with Session.connect(odoo_database.dsn, "odoo-cdc-test") as opened:
        yield opened


@pytest.fixture
def models(session: Session) -> Models:
    return load_models(session)


def test_every_column_has_its_field_and_every_stored_field_its_column(
    session: Session, models: Models
) -> None:
    columns = {
        (table, column)
        for table, column in session.rows(
            "SELECT table_name::text, column_name::text FROM information_schema.columns"
            " WHERE table_schema = 'public'"
        )
    }
    fields = [
        (model, field) for model in models.by_name.values() for field in model.fields.values()
    ]

    described = {(m.table, f.name) for m, f in fields if f.stored and not f.is_many}
    pairs = {(f.table, column) for _, f in fields if f.table for column in (f.column1, f.column2)}
    assert described | pairs == columns


def test_what_is_said_to_be_stored_is_stored(session: Session, models: Models) -> None:
    said = session.rows(
        "SELECT model, name FROM ir_model_fields WHERE store AND ttype NOT IN ('one2many')"
    )

    without = {(m, n) for m, n in said if not models.model(m).field(n).stored}

    # Odoo keeps images as attachments and calls them stored.
    assert without == {
        ("product.product", "image_variant_1920"),
        ("product.template", "image_1920"),
        ("res.partner", "image_1920"),
    }


@pytest.mark.parametrize(
    ("model", "name", "kind"),
    [
        ("product.template", "name", Kind.TRANSLATED),
        ("product.product", "standard_price", Kind.COMPANY),
        ("sale.order", "amount_total", Kind.NUMERIC),
        ("sale.order.line", "price_tax", Kind.FLOAT),
        ("sale.order.line", "analytic_distribution", Kind.JSON),
        ("sale.order", "validity_date", Kind.DATE),
        ("res.company", "logo_web", Kind.BINARY),
        ("res.partner", "comment", Kind.TEXT),
    ],
)
def test_fields_have_their_kind(models: Models, model: str, name: str, kind: Kind) -> None:
    assert models.model(model).field(name).kind is kind


@pytest.mark.parametrize(
    ("model", "path"),
    [
        ("sale.order", "order_line.product_id.name"),  # through _inherits
        ("sale.order", "partner_id.country_code"),  # through a related field
        ("sale.order.line", "currency_id.name"),
        ("product.template", "taxes_id.name"),
        ("product.product", "taxes_id.name"),
        ("res.partner", "category_id.partner_ids.name"),
        ("res.partner", "message_ids.body"),  # by an integer and a model's name
        ("res.users", "country_id.code"),
        ("sale.order", "order_line.order_partner_id.name"),  # related and stored
    ],
)
def test_paths_lead_to_columns(models: Models, model: str, path: str) -> None:
    assert build(models, model, [Read(path)]).model == model


def test_every_state_of_an_order_is_there(session: Session) -> None:
    states = session.rows("SELECT DISTINCT state FROM sale_order ORDER BY 1")

    assert states == [("cancel",), ("draft",), ("sale",), ("sent",)]


def test_every_question_of_the_oracle_has_an_answer(odoo_database: Database) -> None:
    with Oracle(odoo_database.dsn, "src") as oracle:
        answers = oracle.ask()

    assert [q.route for q in QUESTIONS if not answers[q.route]] == []


def test_the_same_seed_gives_the_same_rows(database: Database, odoo_database: Database) -> None:
    create(database.dsn, seed=1, size=SMALL)

    assert dump(database.dsn) == dump(odoo_database.dsn)


def test_an_odoo_that_nobody_has_worked_with_has_what_every_one_has(database: Database) -> None:
    create(database.dsn, seed=1, size=OPENED)

    rows = dump(database.dsn)
    assert [len(rows[name]) for name in ("res_company", "res_users", "res_country")] == [2, 3, 7]
    for table in ("product_template", "sale_order", "purchase_order"):
        assert rows[table] == []
    assert rows["ir_sequence_002"] == ["(1,f)"]  # its first purchase order will be P00001


def test_another_seed_gives_other_rows(database: Database, odoo_database: Database) -> None:
    create(database.dsn, seed=2, size=SMALL)

    assert dump(database.dsn)["res_partner"] != dump(odoo_database.dsn)["res_partner"]
