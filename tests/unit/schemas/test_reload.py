from __future__ import annotations

from pathlib import Path

import pytest

from schemas.config import Config, load
from schemas.reload import CannotChange, read_again, standing

FILE = """\
source: {name: odoo_a, dsn: "postgresql:///odoo"}
state: ./state
health: {listen: "127.0.0.1:8092"}
kafka: {bootstrap.servers: "127.0.0.1:9092", sasl.password: "${file:word}"}
topics: {partitions: 8}
wso2: {url: "http://127.0.0.1:8290/cdc", timeout: 10s, auth: {bearer: first-token}}
acks: {listen: "127.0.0.1:8091", token: a-token}
decimals: string
targets:
  shop: {url: "http://shop/deliveries", retry: [1s], ack_timeout: 2m}
  odoo_b: {url: "http://odoo/deliveries"}
routes:
  - name: orders
    model: sale.order
    domain: [["state", "=", "sale"]]
    targets: [shop]
    fields: [name]
  - {name: products, model: product.template, targets: [odoo_b], fields: [name]}
"""

STANDS = [
    ("name: odoo_a", "name: odoo_z", "source.name"),
    ("dsn:", "slot: other, dsn:", "source.slot"),
    ("dsn:", "publication: other, dsn:", "source.publication"),
    ("./state", "./elsewhere", "state"),
    ("127.0.0.1:8092", "127.0.0.1:8093", "health.listen"),
    ("127.0.0.1:8091", "127.0.0.1:8094", "acks.listen"),
    ("127.0.0.1:9092", "127.0.0.1:9093", "kafka.bootstrap.servers"),
    ("kafka: {", "kafka: {security.protocol: ssl, ", "kafka.security.protocol"),
    ("partitions: 8", "partitions: 9", "topics.partitions"),
    ("targets:\n", 'targets:\n  more: {url: "http://more/"}\n', "targets"),
    ("model: product.template", "model: res.partner", "routes[1].model"),
]
CHANGES = [
    ("postgresql:///odoo", "postgresql:///odoo?user=other"),
    ('"state", "=", "sale"', '"state", "=", "done"'),
    ("fields: [name]", "fields: [name, active]"),
    ("name: products", "name: articles"),
    (
        "routes:\n",
        "routes:\n  - {name: more, model: sale.order, targets: [odoo_b], fields: [name]}\n",
    ),
    ("retry: [1s]", 'retry: [2s], window: "22:00-06:00 UTC", history: all'),
    ("timeout: 10s", "timeout: 20s, concurrency: 4"),
    ("first-token", "second-token"),
    ("a-token", "another-token"),
    ("decimals: string", "decimals: number"),
    ("partitions: 8", "partitions: 8, retention: 3d"),
]


@pytest.fixture
def old(tmp_path: Path) -> Config:
    (tmp_path / "word").write_text("a secret", encoding="utf-8")
    return changed(tmp_path, "", "")


def changed(folder: Path, text: str, by: str) -> Config:
    path = folder / "sync.yaml"
    path.write_text(FILE.replace(text, by, 1) if text else FILE, encoding="utf-8")
    return load(path)


@pytest.mark.parametrize(("text", "by", "key"), STANDS, ids=[key for *_, key in STANDS])
def test_what_stands_is_refused_by_its_key_with_a_remedy(
    old: Config, tmp_path: Path, text: str, by: str, key: str
) -> None:
    found = standing(old, changed(tmp_path, text, by))

    assert key in [each.where for each in found]
    assert all(each.remedy and each.level == "error" for each in found)


@pytest.mark.parametrize(("text", "by"), CHANGES, ids=[by[:30] for _, by in CHANGES])
def test_everything_else_may_change(old: Config, tmp_path: Path, text: str, by: str) -> None:
    new = changed(tmp_path, text, by)

    assert new.fingerprint != old.fingerprint
    assert standing(old, new) == []


def test_a_model_without_a_route_and_a_target_that_is_gone_are_refused(
    old: Config, tmp_path: Path
) -> None:
    path = tmp_path / "sync.yaml"
    text = "\n".join(line for line in FILE.splitlines() if "odoo_b" not in line)
    path.write_text(text, encoding="utf-8")

    messages = [each.message for each in standing(old, load(path))]

    assert messages == [
        "running workers read the send queue of odoo_b",
        "running workers read product.template, of which no route is left",
    ]


def test_a_secret_that_was_rotated_in_its_file_is_no_other_connection(
    old: Config, tmp_path: Path
) -> None:
    (tmp_path / "word").write_text("another secret", encoding="utf-8")

    assert standing(old, load(tmp_path / "sync.yaml")) == []


def test_all_that_stands_is_said_at_once_with_its_lines(old: Config, tmp_path: Path) -> None:
    path = changed(tmp_path, "name: odoo_a", "name: odoo_z").path
    path.write_text(path.read_text(encoding="utf-8").replace("./state", "./x"), encoding="utf-8")

    with pytest.raises(CannotChange) as caught:
        read_again(path, old)

    first, *_, last = str(caught.value).splitlines()
    assert first.startswith(f"{path}:1: source.name: odoo_a cannot become odoo_z")
    assert last.startswith(f"{path}:2: state: ")
    assert "reload" in caught.value.hint


def test_no_message_holds_a_value_of_kafka(old: Config, tmp_path: Path) -> None:
    new = changed(tmp_path, '"${file:word}"', "plain-secret")

    (found,) = standing(old, new)

    assert found.where == "kafka.sasl.password"
    assert "plain-secret" not in found.text("sync.yaml")
