"""The JSON Schema of sync.yaml: it takes what the reader takes, and knows no other key."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from cdc.__main__ import main
from schemas.config import ConfigError, json_schema, load
from tests.programs import ROOT

EXAMPLES = sorted((ROOT / "docs" / "examples").glob("*.yaml"))
SCHEMA = json_schema()
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
ENV = {"SOURCE_DSN": "postgresql:///odoo", "KAFKA": "kafka:9092", "ACK_TOKEN": "t" * 20}
SMALL = """
source: {name: odoo_a, dsn: "postgresql:///odoo"}
kafka: {bootstrap.servers: "a:1", linger.ms: 5, log.queue: true}
wso2: {url: "http://wso2/cdc", auth: {bearer: abc}, tls: {}}
targets:
  shop: {url: "http://shop/x", retry: [30s, 5m], window: "22:00-06:00 UTC", auth: {}, tls: {}}
routes:
  - name: orders
    model: sale.order
    domain: "[('state', '=', 'sale')]"
    targets: [shop]
    ignore_writes_by: []
    map:
      number: name
      status: {path: state, table: {sale: ok}, else: null}
      email: {path: partner_id.email, mask: redact, default: "-"}
      lines: {each: order_line, domain: [["qty", ">", 0]], map: {sku: {ref: product_id}}}
      match: {match: {vat: partner_id.vat, a: {value: 1}}, follow: false}
"""


def errors(text: str) -> list[str]:
    return [error.json_path for error in VALIDATOR.iter_errors(yaml.safe_load(text))]


def test_it_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_check_prints_it_and_reads_no_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "-c", "not-there.yaml", "--json-schema"]) == 0

    assert json.loads(capsys.readouterr().out) == SCHEMA


@pytest.mark.parametrize("path", EXAMPLES, ids=[path.name for path in EXAMPLES])
def test_it_takes_the_examples(path: Path) -> None:
    assert errors(path.read_text(encoding="utf-8")) == []


def test_it_takes_what_the_reader_takes(tmp_path: Path) -> None:
    path = tmp_path / "sync.yaml"
    path.write_text(SMALL, encoding="utf-8")

    assert load(path, ENV).routes[0].name == "orders"
    assert errors(SMALL) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("name: odoo_a", "name: Odoo-A"),
        ("name: odoo_a, ", ""),
        ('kafka: {bootstrap.servers: "a:1", linger.ms: 5, log.queue: true}\n', ""),
        ('source: {name: odoo_a, dsn: "postgresql:///odoo"}', "source:"),
        ("    targets: [shop]\n", ""),
        ("[30s, 5m]", "[30, 5m]"),
        ("http://shop/x", "shop/x"),
        ("mask: redact", "mask: redcat"),
        ("linger.ms: 5", "group.id: mine"),
        ("linger.ms: 5", "ssl.keystore.location: x"),
        ("linger.ms: 5", "ssl.ca.locaton: x"),
        ("linger.ms: 5", "sasl.oauthbearer.config: x"),
        ("linger.ms: 5", "enable.ssl.certificate.verification: false"),
        ("linger.ms: 5", "https.ca.location: x"),
        ("  shop: {", "  Shop: {"),
        ("{ref: product_id}", "{rf: product_id}"),
        ("number: name", "number: 5"),
        (", map: {sku: {ref: product_id}}", ""),
        ("bearer: abc", "bearre: abc"),
        ("model: sale.order", "model: Sale Order"),
        ("[('state', '=', 'sale')]\"", '[]"\n    active_test: maybe'),
        ("retry: [30s, 5m]", "history: newest"),
    ],
)
def test_both_refuse_the_same(tmp_path: Path, old: str, new: str) -> None:
    assert SMALL.count(old) == 1
    path = tmp_path / "sync.yaml"
    path.write_text(SMALL.replace(old, new), encoding="utf-8")

    with pytest.raises(ConfigError):
        load(path, ENV)
    assert errors(SMALL.replace(old, new))


def test_it_takes_every_key_of_tls_and_sasl_that_the_reader_takes(tmp_path: Path) -> None:
    security = """
  security.protocol: sasl_ssl
  sasl.mechanism: PLAIN
  sasl.username: app
  sasl.password: 12345678
  ssl.ca.location: ca.pem
  ssl.certificate.location: cert.pem
  ssl.key.location: key.pem
  ssl.key.password: of the key
  ssl.endpoint.identification.algorithm: https
"""
    text = SMALL.replace(
        'kafka: {bootstrap.servers: "a:1", linger.ms: 5, log.queue: true}\n',
        f'kafka:\n  bootstrap.servers: "a:1"{security}',
    )
    path = tmp_path / "sync.yaml"
    path.write_text(text, encoding="utf-8")

    assert load(path, ENV).kafka["ssl.endpoint.identification.algorithm"] == "https"
    assert errors(text) == []
    for key in ("sasl.mechanism", "ssl.ca.location", "ssl.key.password"):
        assert errors(text.replace(f"  {key}:", f"  {key}x:")) == ["$.kafka"]


def test_every_key_that_is_misspelt_is_refused_by_both(tmp_path: Path) -> None:
    """But for Kafka's, which are librdkafka's, and names that users give."""
    path = tmp_path / "sync.yaml"
    tried = 0
    for values in _misspelt(yaml.safe_load(SMALL)):
        text = yaml.safe_dump(values)
        path.write_text(text, encoding="utf-8")
        with pytest.raises(ConfigError):
            load(path, ENV)
        assert errors(text), text
        tried += 1
    assert tried > 30


def _misspelt(values: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Give copies of a file with one key each that nobody knows."""
    for place in _places(values, ()):
        changed = copy.deepcopy(values)
        inside = changed
        for step in place[:-1]:
            inside = inside[step]
        inside[f"{place[-1]}x"] = inside.pop(place[-1])
        yield changed


def _places(value: Any, at: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    if isinstance(value, dict):
        free = at[-1:] in {("kafka",), ("targets",), ("map",), ("match",), ("table",)}
        for key, inside in value.items():
            if not free:
                yield (*at, key)
            yield from _places(inside, (*at, key))
    elif isinstance(value, list):
        for number, inside in enumerate(value):
            yield from _places(inside, (*at, number))
