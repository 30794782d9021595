from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from schemas.config import Config, load
from schemas.document import Read
from streams.routing.sample import messages
from tests.documents import event_of, record, shape_of
from tests.programs import sync_yaml

SHAPE = shape_of([Read(path) for path in ("name", "ref", "active")], "res.partner")
MINE = '["name", "=", "Ann"], ["ref", "!=", false]'
ARCHIVED = "it is archived, and the route says `active_test: true`"


def config_of(folder: Path, domain: str, *, active_test: bool) -> Config:
    routes = f"""
routes:
  - name: partners
    model: res.partner
    domain: {domain}
    active_test: {str(active_test).lower()}
    targets: [shop]
    fields: [name]
"""
    file = folder / "sync.yaml"
    text = sync_yaml(
        source="odoo_a", dsn="dbname=odoo", kafka="127.0.0.1:9092", targets=["shop"], routes=routes
    )
    file.write_text(text, encoding="utf-8")
    return load(file)


def why(config: Config, **values: Any) -> str:
    """Return why nothing is sent of a partner with these values; empty where it is sent."""
    event = event_of(None, record(SHAPE, 42, **values), SHAPE)
    (found,) = messages(config, replace(event, model="res.partner"))
    assert (found.delivery is None) == bool(found.why)
    return found.why


@pytest.mark.parametrize(
    ("domain", "values", "expected"),
    [
        pytest.param(MINE, {"name": "Ann", "ref": "A1", "active": False}, ARCHIVED, id="archived"),
        pytest.param(MINE, {"name": "Ann", "ref": "A1", "active": None}, ARCHIVED, id="null"),
        pytest.param(
            MINE,
            {"name": "Ben", "ref": "A1", "active": False},
            f'{ARCHIVED}; it does not meet ["name", "=", "Ann"]',
            id="archived and another name",
        ),
        pytest.param(
            MINE,
            {"name": "Ben", "ref": None, "active": True},
            'it does not meet ["name", "=", "Ann"] and ["ref", "!=", false]',
            id="two terms",
        ),
        pytest.param("", {"active": False}, ARCHIVED, id="archived, of all records"),
        pytest.param(
            f'["active", "=", false], {MINE}',
            {"name": "Ben", "ref": "A1", "active": False},
            'it does not meet ["name", "=", "Ann"]',
            id="a term names active",
        ),
        pytest.param(MINE, {"name": "Ann", "ref": "A1", "active": True}, "", id="matches"),
    ],
)
def test_what_is_not_sent_says_whether_it_is_archived_or_which_terms_it_does_not_meet(
    tmp_path: Path, domain: str, values: dict[str, Any], expected: str
) -> None:
    config = config_of(tmp_path, f"[{domain}]", active_test=True)

    assert why(config, **values) == expected


def test_an_archived_record_is_one_like_any_other_where_the_route_does_not_leave_it_out(
    tmp_path: Path,
) -> None:
    config = config_of(tmp_path, f"[{MINE}]", active_test=False)

    assert why(config, name="Ann", ref="A1", active=False) == ""
