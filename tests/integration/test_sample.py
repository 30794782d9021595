"""`odoo-cdc sample`: what is shown for a record is what the pipeline sends for it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from cdc.__main__ import main
from schemas.config import load
from streams.routing.dispatch import dispatch
from streams.routing.routes import Routes
from tests.fix_services import Database
from tests.kafka_reading import events
from tests.programs import sync_yaml

if TYPE_CHECKING:
    from embedded.kafka import Kafka

pytestmark = pytest.mark.integration

ROUTES = """
routes:
  - name: orders
    model: sale.order
    domain: [["state", "!=", "draft"], ["partner_id", "!=", false]]
    targets: [shop, erp]
    map:
      name: name
      xid: external_id
      customer: {ref: partner_id}
      country: partner_id.country_id.code
      note: {path: note, default: "-"}
      lines:
        each: order_line
        map: {product: product_id.default_code, qty: product_uom_qty, taxes: tax_id.name}
  - {name: brief, model: sale.order, targets: [erp], fields: [name], initial_load: false}
"""
Asked = Callable[..., tuple[int, str, str]]


@pytest.fixture
def file(odoo_database: Database, kafka: Kafka, kafka_prefix: str, tmp_path: Path) -> Path:
    path = tmp_path / "sync.yaml"
    text = sync_yaml(
        source=kafka_prefix,
        dsn=odoo_database.dsn,
        kafka=kafka.bootstrap,
        targets=["shop", "erp"],
        routes=ROUTES,
    )
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def asked(capsys: pytest.CaptureFixture[str], file: Path) -> Asked:
    """Type the command; give its exit code, and what it prints."""

    def ask(*words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main(["sample", "-c", str(file), *words])
        said = capsys.readouterr()
        return code, said.out, said.err

    return ask


def orders(database: Database, *, drafts: bool) -> list[int]:
    with psycopg.connect(database.dsn) as connection:
        found = connection.execute(
            "SELECT id FROM sale_order WHERE (state = 'draft') = %s ORDER BY id", (drafts,)
        )
        return [int(row[0]) for row in found]


def test_law_3_a_sample_is_what_the_first_load_sends(
    asked: Asked, file: Path, odoo_database: Database, kafka: Kafka, kafka_prefix: str
) -> None:
    assert main(["setup", "-c", str(file)]) == 0
    assert main(["capture", "-c", str(file), "--until-caught-up"]) == 0
    routes = Routes.of_config(load(file))
    sent: dict[tuple[int, str, str], Any] = {}
    for _, event in events(kafka.bootstrap, kafka_prefix, ["sale.order"]):
        for delivery in dispatch(event, routes).deliveries:
            message = json.loads(delivery.body)
            sent[event.id, delivery.route, delivery.target] = message["data"]["fields"]
    chosen = orders(odoo_database, drafts=False)[:10]
    assert len(chosen) == 10

    for record in chosen:
        code, out, _ = asked("sale.order", str(record), "--route", "orders", "--json")
        assert code == 0
        for each in json.loads(out):
            message = each["message"]
            assert message["data"]["fields"] == sent[record, "orders", each["target"]]
            assert message["data"]["record"]["operation"] == "create"
            assert message["sequence"].startswith("00000000-")  # of no event ever published
    assert any(fields["lines"] for fields in sent.values())


def test_messages_are_lines_and_what_is_about_them_is_beside(
    asked: Asked, odoo_database: Database
) -> None:
    record = orders(odoo_database, drafts=False)[0]

    code, out, err = asked("sale.order", str(record))

    lines = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert [each["data"]["routing"]["target"] for each in lines] == ["shop", "erp", "erp"]
    assert err.splitlines() == ["orders -> shop:", "orders -> erp:", "brief -> erp:"]


def test_a_record_that_does_not_match_is_told_which_terms_it_does_not_meet(
    asked: Asked, odoo_database: Database
) -> None:
    record = orders(odoo_database, drafts=True)[0]

    code, out, err = asked("sale.order", str(record), "--route", "orders", "--target", "shop")

    assert (code, out) == (1, "")
    assert 'orders -> shop: nothing is sent: it does not meet ["state", "!=", "draft"]\n' in err
    assert f"nothing is sent of sale.order {record}" in err


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("sale.order", "999999"), 1, "there is no sale.order 999999"),
        (("sale.ordr", "1"), 2, 'Did you mean "sale.order"?'),
        (("sale.order", "1", "--route", "ordrs"), 2, 'no route "ordrs", did you mean "orders"?'),
        (("sale.order", "1", "--target", "shp"), 2, 'no target "shp", did you mean "shop"?'),
    ],
    ids=["record", "model", "route", "target"],
)
def test_law_10_what_is_not_there_is_said(
    asked: Asked, words: tuple[str, ...], code: int, says: str
) -> None:
    ended, out, err = asked(*words)

    assert (ended, out) == (code, "")
    assert says in err


HALF = """\
decimals: number
targets:
  shop: {url: "http://shop.example/in"}
  erp: {url: nowhere}
routes:
  - {name: half, model: sale.order, targets: [shop], map: {total: amount_total, state: state}}
  - {name: wrong, model: sale.order, targets: [erp], fields: [nmae]}
  - {name: unfit, model: sale.order, targets: [shop], fields: [nmae]}
  - {name: other, model: res.prtner, targets: [shop], fields: [name]}
"""


@pytest.fixture
def half(capsys: pytest.CaptureFixture[str], odoo_database: Database, tmp_path: Path) -> Asked:
    """Type the command with a file that is not done, no broker named."""
    path = tmp_path / "half.yaml"
    source = json.dumps({"name": "odoo_a", "dsn": odoo_database.dsn})
    path.write_text(f"source: {source}\n{HALF}", encoding="utf-8")

    def ask(*words: str) -> tuple[int, str, str]:
        code = main(["sample", "-c", str(path), *words])
        said = capsys.readouterr()
        return code, said.out, said.err

    return ask


def test_of_a_half_written_file_the_route_that_is_named_must_be_right(
    half: Asked, odoo_database: Database
) -> None:
    record = orders(odoo_database, drafts=False)[0]

    code, out, err = half("sale.order", str(record), "--route", "half", "--json")

    (each,) = json.loads(out)
    assert code == 0
    assert (each["route"], each["target"]) == ("half", "shop")
    assert isinstance(each["message"]["data"]["fields"]["total"], float)  # by `decimals`
    (line,) = err.splitlines()
    assert "in kafka, wso2, targets;" in line


@pytest.mark.parametrize(
    ("words", "says"),
    [
        pytest.param((), "kafka.bootstrap.servers: missing", id="without a route all of it"),
        pytest.param(("--route", "wrong"), "targets.erp.url: this is no URL", id="its target"),
        pytest.param(("--route", "unfit"), "routes[2].fields[0]: sale.order has no", id="itself"),
        pytest.param(("--route", "hlf"), 'did you mean "half"?', id="no such route"),
        pytest.param(("--route", "other"), 'sale.order has no route "other"', id="of a model"),
    ],
)
def test_law_10_what_a_sample_needs_is_said(
    half: Asked, words: tuple[str, ...], says: str
) -> None:
    code, out, err = half("sale.order", "1", *words)

    assert (code, out) == (2, "")
    assert says in err
