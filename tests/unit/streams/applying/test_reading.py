"""target.yaml: what it says, and what is wrong with it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from schemas.config import ConfigError, FileUnreadable
from streams.applying.reading import load

ODOO: Final = """
odoo: {url: http://127.0.0.1:8069, database: branch, user: sync, api_key: "${KEY}"}
"""
ORDERS: Final = """
models:
  purchase.order:
    fields: [partner_id, order_line]
    match: [partner_ref, [name, partner_id]]
    on_leave: cancel
    on_delete: unlink
    refused: archive
    defaults: {notes: synced}
    actions:
      state:
        purchase: button_confirm
        done: {method: button_done, from: [purchase], accept: [locked], context: {quick: true}}
        cancel: button_cancel
  purchase.order.line:
    fields: [product_id]
    emptied: {product_qty: 0}
    create: false
"""
ENV: Final = {"KEY": "a-secret-key"}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "target.yaml"


def test_everything_that_is_left_out_has_a_default(file: Path) -> None:
    file.write_text(f"{ODOO}models: {{res.partner: {{fields: [name]}}}}\n", encoding="utf-8")

    found = load(file, ENV)

    assert found.odoo == {
        "url": "http://127.0.0.1:8069",
        "database": "branch",
        "user": "sync",
        "api_key": "a-secret-key",
    }
    assert (found.lang, found.company, found.timeout) == ("en_US", None, 150.0)
    assert (found.listen, found.token, found.at_once, found.waiting) == (
        "127.0.0.1:8093",
        "",
        4,
        64,
    )
    assert found.state == file.parent / "target"
    partner = found.models["res.partner"]
    assert (partner.fields, partner.create, partner.match) == (frozenset(("name",)), True, ())
    assert (partner.on_leave, partner.on_delete, partner.refused) == (
        "nothing",
        "nothing",
        "reject",
    )


def test_every_call_says_language_company_and_that_nobody_gets_a_mail(file: Path) -> None:
    more = (
        "lang: fr_FR\ncompany: 3\ncontext: {tracking_disable: false, own: 1, tz: Europe/Paris}\n"
    )
    file.write_text(f"{ODOO}{more}models: {{res.partner: {{fields: [name]}}}}\n", encoding="utf-8")

    context = load(file, ENV).context

    assert context["lang"] == "fr_FR"
    assert context["allowed_company_ids"] == [3]
    assert context["tz"] == "UTC"  # moments are UTC, whatever the file says
    assert (context["tracking_disable"], context["own"]) == (False, 1)
    assert context["mail_create_nosubscribe"] is True


def test_actions_are_completed_by_what_is_known_of_odoo(file: Path) -> None:
    file.write_text(ODOO + ORDERS, encoding="utf-8")

    order = load(file, ENV).models["purchase.order"]

    assert order.state_field == "state"
    actions = {action.state: action for action in order.actions}
    assert actions["purchase"].begins == {"draft", "sent"}
    assert actions["done"].begins == {"purchase"}
    assert (actions["done"].accepts, actions["done"].context) == ({"locked"}, {"quick": True})
    assert order.match == (("partner_ref",), ("name", "partner_id"))
    assert (order.on_leave, order.on_delete, order.refused) == ("cancel", "unlink", "archive")
    assert order.defaults == {"notes": "synced"}


def test_a_line_says_what_it_becomes_where_it_cannot_go(file: Path) -> None:
    file.write_text(ODOO + ORDERS, encoding="utf-8")

    line = load(file, ENV).models["purchase.order.line"]

    assert (line.emptied, line.create) == ({"product_qty": 0}, False)


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("", "target.yaml: the file is empty; begin with `odoo:`"),
        ("- a\n", "the file must hold keys with values"),
        (
            "odoo: {url: http://h}\nmodels: {res.partner: {fields: [name]}}\n",
            "target.yaml:1: odoo.database: missing",
        ),
        (f"{ODOO}models: {{}}\n", "models: nothing may be written"),
        (f"{ODOO}models: {{Partner: {{fields: [a]}}}}\n", '"Partner" is no name for a model'),
        (f"{ODOO}models: {{res.partner: {{}}}}\n", "models.res.partner.fields: missing"),
        (
            f"{ODOO}models: {{res.partner: {{fields: [a], matches: [b]}}}}\n",
            'matches: unknown key; did you mean "match"?',
        ),
        (
            f"{ODOO}models: {{res.partner: {{fields: [a], match: name}}}}\n",
            "match: a list of fields is wanted; write [default_code, barcode]",
        ),
        (
            f"{ODOO}models: {{res.partner: {{fields: [a], on_leave: archiv}}}}\n",
            'on_leave: "archiv" is none of nothing, archive, unlink, cancel',
        ),
        (
            f"{ODOO}models: {{res.partner: {{fields: [a], on_leave: cancel}}}}\n",
            "on_leave: no action leads to the state `cancel`",
        ),
        (
            f"{ODOO}models: {{my.order: {{fields: [a], actions: {{state: {{ok: go}}}}}}}}\n",
            "it is not known from which states my.order's go may be called",
        ),
        (
            f"{ODOO}models: {{my.order: {{fields: [a], actions: {{state: {{ok: _go}}}}}}}}\n",
            "this is no method",
        ),
        (
            f"{ODOO}models: {{my.order: {{fields: [a], actions: {{a: {{}}, b: {{}}}}}}}}\n",
            "two fields: a, b",
        ),
        (
            f"{ODOO}listen: 0.0.0.0:8093\nmodels: {{res.partner: {{fields: [a]}}}}\n",
            "can be reached from other hosts, and there is no token; set token",
        ),
        (
            f'{ODOO}listen: ""\nmodels: {{res.partner: {{fields: [a]}}}}\n',
            "listen: the service must listen somewhere",
        ),
        (
            f"{ODOO}system: Branch\nmodels: {{res.partner: {{fields: [a]}}}}\n",
            'system: "Branch" is no name of a source',
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_place(file: Path, text: str, finding: str) -> None:
    file.write_text(text, encoding="utf-8")

    with pytest.raises(ConfigError) as raised:
        load(file, ENV)

    assert finding in str(raised.value)
    assert "docs/target.md" in raised.value.hint
    assert "a-secret-key" not in str(raised.value)


def test_a_file_that_is_not_there_is_named(file: Path) -> None:
    with pytest.raises(FileUnreadable, match=r"target\.yaml cannot be read"):
        load(file, ENV)
