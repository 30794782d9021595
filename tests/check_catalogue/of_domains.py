"""What is said of domains: the rows of docs/domains.md, and what has no example there."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Final, NamedTuple

from schemas.domain import BadDomain, Context, check, parse
from tests.check_catalogue.rows import Case, Room, rows
from tests.recorded import MODELS

PAGE: Final = (Path(__file__).parents[2] / "docs" / "domains.md").read_text(encoding="utf-8")
_ROW: Final = re.compile(
    r"^\| `(?P<model>[^`]+)` \| `(?P<written>.+?)` \| (?P<says>.+) \| (?P<remedy>.+) \|$",
    re.MULTILINE,
)


class Refused(NamedTuple):
    """One row of the page."""

    model: str
    written: str
    says: str
    remedy: str


def refused() -> list[Refused]:
    """Return the rows of docs/domains.md."""
    return [
        Refused(*(each[name].replace(r"\|", "|") for name in Refused._fields))
        for each in _ROW.finditer(PAGE)
    ]


def refusal(model: str, written: str) -> tuple[str, str]:
    """Return what is said of a domain, and the remedy."""
    value: Any = written if "(" in written else json.loads(written)
    try:
        domain = parse(value)
    except BadDomain as error:
        return str(error), error.hint
    [fault] = check(domain, MODELS, model, Context())
    return fault.message, fault.remedy


def _domain(written: str, words: str = "") -> Case:
    return Case("routes", f"domain: {written}", words=words)


_TERM: Final = '["state", "=", "sale"]'
_LEVELS: Final = 51  # one more than are read
_JOINED: Final = ", ".join(['"&", "|"'] * _LEVELS + [_TERM] * (2 * _LEVELS + 1))
# As a text: YAML would be too deep.
_ANY: Final = f"{'[(`order_line.order_id`, `any`, ' * _LEVELS}[]{')]' * _LEVELS}".replace("`", "'")

CASES: Final = (
    _domain("5"),
    _domain("\"[('state', '=', 'sale']\""),
    _domain('["xor", ["state", "=", "sale"]]'),
    _domain('["!"]'),
    _domain('["|"]'),
    _domain(f"[{_JOINED}]", "102 of `&` and `|`, one in the other"),
    _domain(f'"{_ANY}"', "51 of `any`, one in the other"),
    _domain('[["partner id", "=", 7]]'),
    _domain('[["state", "soundex", "sale"]]'),
    _domain('[["id", "not in", 7]]'),
    _domain('[["state", "=", {sale: true}]]'),
    _domain('[["name", "ilike", 5.5]]'),
    _domain('[["name", "=like", "S\\\\"]]'),
    _domain('[["tag_ids", "child_of", 7]]'),
    _domain('[["state", "child_of", 7]]'),
    _domain('[["id", "child_of", true]]'),
    _domain('[["partner_id.x_tag_ids", "child_of", 7]]'),
    _domain('[["partner_id.x_account", "=", "x"]]'),
    _domain('[["x_extra", "=", "x"]]'),
    _domain('[["x_ordered.month_number", "=", 3]]'),
    _domain('[["x_margin", ">", 0]]'),
)


def rooms() -> list[Room]:
    """Return what docs/domains.md has no example of."""
    text = "Besides those of [domains.md](domains.md#what-is-refused), of `sale.order` likewise."
    return [Room("Domains", text, rows(CASES))]
