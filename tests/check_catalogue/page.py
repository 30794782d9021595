"""docs/checks.md, made of the rooms."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Final

from cdc.postgres.catalog import NotOdoo
from cdc.postgres.connect import BadDsn, DatabaseUnreachable, NotPermitted, StatementFailed
from schemas.errors import OdooCdcError
from schemas.kafka_errors import BadKafkaSetting, KafkaAway
from streams.wso2.tls import BadTls
from tests.check_catalogue import (
    of_domains,
    of_mappings,
    of_services,
    of_the_database,
    of_the_file,
)
from tests.check_catalogue.rows import Room, Row

FILE: Final = Path(__file__).parents[2] / "docs" / "checks.md"
_WIDTH: Final = 100
_LONGEST: Final = 500  # characters of a cell
_LONGEST_KEY: Final = 60
_HEAD: Final = """\
# What `check` says

`odoo-cdc check` looks at the file, and where the file is valid at the database, Kafka, WSO2,
and Odoo where values are asked of it. It says everything that it finds at once, and exits with 1
where an error is among it:

    error: sync.yaml:14: routes[0].feilds: unknown key; did you mean "fields"?

Errors are refused by the programs too, or make them fail. Warnings are worth a look: before the
first `odoo-cdc setup` most are what it will do. Below, every finding with an example: what is
written in its section (the other keys are there as they should be), or what is the case; where it
is said, in which words, and what to do. Names that are nearly right get the right one suggested.
"""
_OWN_WORDS: Final = """\
## What a service says itself

Where a service cannot be asked, the finding is the error with the service's own words, among them:

| where | error | remedy |
|---|---|---|"""
_ERRORS: Final = {
    "source.dsn": (BadDsn, DatabaseUnreachable, NotPermitted, StatementFailed, NotOdoo),
    "kafka": (KafkaAway, BadKafkaSetting),
    "wso2": (BadTls,),
}


def rooms() -> list[Room]:
    """Return everything that the page tells, in its order."""
    parts = (of_the_file, of_domains, of_mappings, of_the_database, of_services)
    return [room for part in parts for room in part.rooms()]


def page() -> str:
    """Return the whole page."""
    lines = [_HEAD]
    for room in rooms():
        lines.append(f"## {room.title}\n")
        if room.text:
            lines.append(f"{textwrap.fill(room.text, _WIDTH, break_on_hyphens=False)}\n")
        lines += ["| example | | where | finding | remedy |", "|---|---|---|---|---|"]
        lines += [_row(each) for each in room.rows]
        lines.append("")
    lines.append(_OWN_WORDS)
    for where, errors in _ERRORS.items():
        lines += [f"| `{where}` | {_sentence(each)} | {_text(each.hint)} |" for each in errors]
    lines.append("\nEvery error: [errors.md](errors.md).\n")
    return "\n".join(lines)


def _row(row: Row) -> str:
    found = row.finding
    cause = f"`{_cell(row.cause)}`" if row.written else _text(row.cause)
    where = f"`{_short(found.where, _LONGEST_KEY)}`" if found.where else ""
    return (
        f"| {cause} | {found.level} | {where} | {_text(found.message)} | {_text(found.remedy)} |"
    )


def _sentence(error: type[OdooCdcError]) -> str:
    return _text((error.__doc__ or "").strip().splitlines()[0])


def _text(text: str) -> str:
    """Return a text as Markdown shows it in a table; what stands in backticks is code."""
    parts = _short(text).split("`")
    for place in range(0, len(parts), 2):
        for letter in ("\\", "*", "<", "$"):
            parts[place] = parts[place].replace(letter, f"\\{letter}")
    return _cell("`".join(parts))


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", r"\|")


def _short(text: str, most: int = _LONGEST) -> str:
    return text if len(text) <= most else f"{text[:most]} ..."
