"""docs/domains.md says what the code does: its examples are read, its refusals are said."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest
import yaml

from schemas.config import load
from schemas.domain import Context, check, parse
from tests.check_catalogue.of_domains import PAGE, refusal, refused
from tests.recorded import MODELS

_BLOCK: Final = re.compile(r"(?ms)^ *```yaml\n(.*?)^ *```$")
REST: Final = """
kafka: {bootstrap.servers: "127.0.0.1:9092"}
wso2: {url: "http://127.0.0.1:8290/cdc"}
targets: {webshop: {url: "http://shop.example/in"}}
routes: [{name: orders, model: sale.order, targets: [webshop], fields: [name]}]
"""
REFUSED: Final = [pytest.param(*each, id=each.written) for each in refused()]


@pytest.mark.parametrize(("model", "written", "says", "remedy"), REFUSED)
def test_what_the_page_says_is_refused(model: str, written: str, says: str, remedy: str) -> None:
    message, hint = refusal(model, written)

    assert message == says or message.endswith(f": {says}")  # the term itself is left out there
    assert hint == remedy


def test_the_page_has_all_these_rows() -> None:
    table = PAGE.partition("## What is refused")[2]

    assert len(REFUSED) == table.count("\n| `")


def test_the_examples_are_read(tmp_path: Path) -> None:
    domain, source = (yaml.safe_load(text) for text in _BLOCK.findall(PAGE))
    file = tmp_path / "sync.yaml"
    file.write_text(yaml.safe_dump(source) + REST, encoding="utf-8")

    context = load(file, {"SOURCE_DSN": "postgresql:///odoo"}).source.context

    assert not check(parse(domain["domain"]), MODELS, "sale.order", Context())
    assert context.names_of("crm.tag") == ("name",)
    assert context.filter_of("sale.order.line", "tax_id").archived
    assert context.defaults_of("res.partner", "trust") == {"*": "normal"}
