"""target.yaml held against an Odoo: what is not there, not allowed, not possible."""

from __future__ import annotations

from pathlib import Path

import pytest

from schemas.finding import Finding
from streams.applying.checks import findings
from streams.applying.settings import Settings
from streams.odoo.session import Session
from tests.odoo_client import Odoo, Rpc
from tests.target_rig import settings_of, target_yaml

pytestmark = pytest.mark.integration


def check(settings: Settings) -> list[Finding]:
    return findings(settings, Session(settings.odoo, settings.context, settings.timeout))


def said(folder: Path, text: str) -> list[str]:
    return [each.text("target.yaml") for each in check(settings_of(folder, text))]


def test_a_file_that_fits_is_sound_and_nothing_is_written(
    odoo_rpc: Odoo, rpc: Rpc, tmp_path: Path
) -> None:
    before = rpc("ir.model.data", "search_count", [])

    assert said(tmp_path, target_yaml(odoo_rpc)) == []
    assert rpc("ir.model.data", "search_count", []) == before


@pytest.mark.parametrize(
    ("models", "finding"),
    [
        pytest.param(
            "res.partnr: {fields: [name]}",
            "models.res.partnr: Odoo does not show res.partnr",
            id="a model that is not there",
        ),
        pytest.param(
            "res.partner: {fields: [name, emial]}",
            'there is no field "emial" here; did you mean "email"?',
            id="a field that is not there",
        ),
        pytest.param(
            "res.partner: {fields: [name], match: [[reff, name]]}",
            'models.res.partner.match: there is no field "reff" here; did you mean "ref"?',
            id="a rule's field that is not there",
        ),
        pytest.param(
            "res.partner: {fields: [name], match: [parent_id.reff]}",
            'there is no field "reff" here',
            id="a field at the end of a path",
        ),
        pytest.param(
            "purchase.order: {fields: [order_line]}",
            "order_line holds records of purchase.order.line, which models does not list",
            id="lines whose model is not listed",
        ),
        pytest.param(
            "purchase.order: {fields: [partner_ref], on_leave: archive}",
            "purchase.order has no field `active`: its records cannot be archived",
            id="no archive",
        ),
        pytest.param(
            "purchase.order: {fields: [notes], on_delete: unlink, refused: archive}",
            "models.purchase.order.refused: purchase.order has no field `active`",
            id="no archive to fall back to",
        ),
        pytest.param(
            "purchase.order: {fields: [notes], actions: {stat: {purchase: button_confirm}}}",
            'there is no field "stat" here; did you mean "state"?',
            id="a state field that is not there",
        ),
        pytest.param(
            "purchase.order: {fields: [notes], actions: {state: {purchased: button_confirm}}}",
            '"purchased" is no state of purchase.order; draft, sent',
            id="a state that is not there",
        ),
        pytest.param(
            "purchase.order: {fields: [notes],"
            " actions: {state: {purchase: {method: button_confrim, from: [draft]}}}}",
            "button_confrim",
            id="a method that is not there",
        ),
        pytest.param(
            "res.partner: {fields: [name], defaults: {is_company: maybe}}",
            "defaults.is_company: is_company: true or false is wanted",
            id="a default that does not fit",
        ),
        pytest.param(
            "res.partner: {fields: [name], defaults: {parent_id: 7}}",
            "a relation is wanted",
            id="an id as a default",
        ),
    ],
)
def test_what_does_not_fit_is_said(
    odoo_rpc: Odoo, tmp_path: Path, models: str, finding: str
) -> None:
    found = said(tmp_path, target_yaml(odoo_rpc, models=f"models: {{{models}}}\n"))

    assert any(finding in each for each in found), found


def test_a_user_who_may_not_write_is_told_what_is_missing(odoo_rpc: Odoo, tmp_path: Path) -> None:
    models = "models: {res.partner: {fields: [name], on_delete: unlink}}\n"

    found = said(tmp_path, target_yaml(odoo_rpc, models=models, reader=True))

    assert any("may not" in each and "external ids (ir.model.data)" in each for each in found)
    assert any("may not change or create or delete res.partner" in each for each in found)


@pytest.mark.parametrize(
    ("more", "finding"),
    [
        ("lang: nl_BE\n", 'the language "nl_BE" is not active'),
        ("company: 99\n", "Odoo refuses what every call says"),
    ],
)
def test_a_language_or_company_that_is_not_there_is_said(
    odoo_rpc: Odoo, tmp_path: Path, more: str, finding: str
) -> None:
    found = said(tmp_path, target_yaml(odoo_rpc, more=more))

    assert any(finding in each for each in found), found


def test_a_wrong_key_and_a_wrong_address_are_told_apart(odoo_rpc: Odoo, tmp_path: Path) -> None:
    wrong = odoo_rpc._replace(api_key="none-of-its-keys")
    nowhere = odoo_rpc._replace(url="http://127.0.0.1:9")

    (key,) = said(tmp_path, target_yaml(wrong))
    (address,) = said(tmp_path, target_yaml(nowhere))

    assert "odoo.api_key: Odoo does not let admin in" in key
    assert "odoo.url: Odoo does not answer at http://127.0.0.1:9" in address
