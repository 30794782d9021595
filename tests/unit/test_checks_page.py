"""docs/checks.md is what the code says, and it leaves out no message that `check` can print."""

from __future__ import annotations

from typing import Final

import pytest

from schemas.finding import Fault, Finding
from tests.check_catalogue.of_domains import refusal, refused
from tests.check_catalogue.page import FILE, page, rooms
from tests.check_catalogue.source import files, makers, missing, passed_on

_HELPER: Final = "makes findings of what it is given; its callers are looked at"
_ERROR: Final = "says what an error says; where it is raised is looked at"
PASSED_ON: Final = {
    ("cdc/checks/__init__.py", "_of_error"): "a service's own words: the page's last table",
    ("cdc/checks/failover.py", "_error"): _HELPER,
    ("cdc/checks/failover.py", "_warning"): _HELPER,
    ("cdc/checks/kafka.py", "findings"): _ERROR,
    ("cdc/checks/routes.py", "_of_route"): _ERROR,
    ("cdc/checks/server.py", "_error"): _HELPER,
    ("cdc/checks/server.py", "_warning"): _HELPER,
    ("cdc/checks/stream.py", "_publication"): _HELPER,
    ("cdc/checks/stream.py", "_slot"): _HELPER,
    ("cdc/checks/tables.py", "_error"): _HELPER,
    ("schemas/config/context.py", "_filters"): _ERROR,
    ("schemas/config/reader.py", "_target"): "a window's fault, which is looked at",
    ("schemas/config/routes.py", "_domain"): _ERROR,
    ("schemas/config/routes.py", "_parsed"): "a mapping's faults, which are looked at",
    ("schemas/config/section.py", "_note"): _HELPER,
    ("schemas/config/section.py", "error"): _HELPER,
    ("schemas/config/section.py", "warning"): _HELPER,
    ("schemas/config/yaml_lines.py", "_found"): _HELPER,
    ("schemas/config/yaml_lines.py", "_scalar"): _ERROR,
    ("schemas/domain/check.py", "_fault"): _ERROR,
    ("schemas/domain/check.py", "_of_compiling"): _ERROR,
    ("schemas/domain/check.py", "check"): _ERROR,
    ("schemas/domain/values.py", "_bad"): _HELPER,
    ("schemas/domain/values.py", "refuse"): "a table's words: the domain of JSON shows them",
    ("schemas/folder.py", "_error"): _HELPER,
    ("schemas/mapping/check.py", "_live"): _ERROR,
    ("schemas/mapping/check.py", "_resolved"): _ERROR,
    ("schemas/mapping/parse.py", "_domain"): _ERROR,
    ("schemas/mapping/parse.py", "_fault"): _HELPER,
    ("streams/wso2/checks.py", "_finding"): _HELPER,
    ("streams/wso2/checks.py", "findings"): "BadTls: the page's last table",
    ("streams/wso2/checks.py", "of_flow"): "why we are not let in, which is looked at",
    ("streams/wso2/tls.py", "_of_verification"): "a table of OpenSSL's codes: all have a row",
}
ELSEWHERE: Final = {  # what `check` never prints
    "schemas/reload.py": "why a running program cannot take another file",
    "streams/routing/routes.py": "of the events that workers read",
    "streams/applying/checks.py": "of target.yaml, not of sync.yaml",
    "streams/target/reloading.py": "likewise",
}


@pytest.fixture(scope="module")
def findings() -> list[Finding | Fault]:
    """Every finding of the page, and what docs/domains.md shows."""
    domains = [Fault(*refusal(each.model, each.written)) for each in refused()]
    return [*(row.finding for room in rooms() for row in room.rows), *domains]


def test_the_page_is_what_the_code_says() -> None:
    assert FILE.read_text(encoding="utf-8") == page(), "run `python -m tests.check_catalogue`"


def test_every_finding_has_a_remedy(findings: list[Finding | Fault]) -> None:
    assert [each for each in findings if not each.remedy] == []


def test_every_message_of_the_source_has_a_row(findings: list[Finding | Fault]) -> None:
    assert [str(each) for each in missing(findings)] == []


@pytest.mark.parametrize(
    ("text", "file"),
    [
        ("unknown key", "schemas/config/section.py"),
        ('the publication "p" is for all tables', "cdc/checks/stream.py"),
        ("the database has no model", "schemas/fields.py"),
        ('"maybe"', ""),
    ],
    ids=["of the file", "of facts", "of an error", "of nothing"],
)
def test_a_message_without_its_rows_is_found(
    text: str, file: str, findings: list[Finding | Fault]
) -> None:
    fewer = [each for each in findings if not each.message.startswith(text)]

    assert {each.place.file for each in missing(fewer)} >= ({file} if file else set())
    assert bool(missing(fewer)) is bool(file)


def test_what_passes_on_others_messages_is_known_with_its_reason() -> None:
    assert passed_on() == set(PASSED_ON)


def test_every_module_that_makes_findings_is_looked_at() -> None:
    assert makers() - set(files()) == set(ELSEWHERE)
