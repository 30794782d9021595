"""What `sample` says of a record with values that Odoo alone knows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from schemas.config import Config, load
from schemas.document import Read
from schemas.event import Event, Mode
from streams.sampling import OdooAway, messages
from tests.documents import event_of, order, shape_of
from tests.stand_in_odoo import Fault, StandInOdoo

SHAPE = shape_of([Read("name"), Read("external_id"), Read("margin", live=True)])


@pytest.fixture
def odoo() -> Iterator[StandInOdoo]:
    made = StandInOdoo()
    made.rows["sale.order", 42] = {"margin": 12.5, "write_date": "2026-11-23 10:00:00"}
    yield made
    made.close()


def config(folder: Path, odoo: StandInOdoo, *fields: str) -> Config:
    route = {"name": "a", "model": "sale.order", "targets": ["shop"], "fields": list(fields)}
    file = {
        "source": {"name": "odoo_a", "dsn": "postgresql:///odoo", "odoo": odoo.settings},
        "kafka": {"bootstrap.servers": "127.0.0.1:9092"},
        "wso2": {"url": "http://127.0.0.1:8290/cdc/v1/messages"},
        "targets": {"shop": {"url": "http://shop.example"}},
        "routes": [route],
    }
    path = folder / "sync.yaml"
    path.write_text(yaml.safe_dump(file))
    return load(path, {})


def event() -> Event:
    image = order(SHAPE, name="S1", write_date="2026-11-23T10:00:00.5Z")
    return event_of(None, image, SHAPE, mode=Mode.SNAPSHOT)


def test_a_sample_has_what_odoo_says(odoo: StandInOdoo, tmp_path: Path) -> None:
    (one,) = messages(config(tmp_path, odoo, "name", "margin"), event())

    assert one.delivery is not None
    assert json.loads(one.delivery.body)["data"]["fields"] == {"name": "S1", "margin": 12.5}


def test_what_odoo_does_not_give_is_the_reason(odoo: StandInOdoo, tmp_path: Path) -> None:
    odoo.faults["sale.order", 42] = Fault("odoo.exceptions.AccessError", "no right")

    (one,) = messages(config(tmp_path, odoo, "margin"), event())

    assert one.delivery is None
    assert "no right" in one.why


def test_law_10_an_odoo_that_is_away_is_a_service_that_is_not_there(
    odoo: StandInOdoo, tmp_path: Path
) -> None:
    made = config(tmp_path, odoo, "margin")
    odoo.stop()

    with pytest.raises(OdooAway, match="refused") as caught:
        messages(made, event())

    assert caught.value.exit_code == 3
    assert messages(config(tmp_path, odoo, "name"), event())[0].delivery is not None
