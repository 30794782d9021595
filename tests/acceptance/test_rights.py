"""The rights in Kafka that docs/security.md lists: enough for every program."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from confluent_kafka import admin

from tests.fix_secure_kafka import SCRAM, SecureKafka
from tests.fix_wso2 import Wso2StandIn
from tests.programs import ROOT
from tests.waiting import LONG

pytestmark = pytest.mark.acceptance

PAGE: Final = ROOT / "docs" / "security.md"
_ROW: Final = re.compile(r"\| (\w+) \| (topic|group) \| `([^`]+)` \| ([\w, ]+) \|")
_WORDS: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")
_KINDS: Final = {"topic": admin.ResourceType.TOPIC, "group": admin.ResourceType.GROUP}
USERS: Final = ("setup", "capture", "stream", "people")


def rights(source: str) -> Iterator[admin.AclBinding]:
    """Give what the page lists, for a source, one model and one target."""
    for user, kind, name, operations in _ROW.findall(PAGE.read_text(encoding="utf-8")):
        real = name.replace("odoo_a", source)
        real = real.replace("<model>", "res.country").replace("<target>", "shop")
        pattern = "PREFIXED" if real.endswith("*") else "LITERAL"
        for operation in operations.split(", "):
            yield admin.AclBinding(
                _KINDS[kind],
                real.removesuffix("*"),
                admin.ResourcePatternType[pattern],
                f"User:{user}",
                "*",
                admin.AclOperation[_WORDS.sub("_", operation).upper()],
                admin.AclPermissionType.ALLOW,
            )


@pytest.fixture
def as_user(secure_kafka: SecureKafka, kafka_prefix: str) -> Any:
    """Give the users their rights; return how each of them connects."""
    for user in USERS:
        secure_kafka.set_password(user, f"secret-of-{user}")
    client = admin.AdminClient(secure_kafka.open_address())
    for future in client.create_acls(list(rights(kafka_prefix))).values():
        future.result(LONG)

    def settings(user: str) -> dict[str, str]:
        return secure_kafka.sasl(SCRAM[1], user, f"secret-of-{user}")

    return settings


def test_every_program_does_its_work_with_the_rights_of_the_page(
    as_user: Any, installation: Any, wso2: Wso2StandIn
) -> None:
    programs = installation.programs

    installation.use(as_user("setup"))
    programs.run("setup")
    programs.run("setup")
    installation.use(as_user("capture"))
    capture = programs.start("capture")
    installation.use(as_user("stream"), after=capture)
    worker = programs.start("stream", "--worker", "one")
    worker.until_said("action=assigned")
    wso2.received(1, timeout=60)
    installation.use(as_user("people"), after=worker)
    for command in (
        ("status",),
        ("queue",),
        ("trace", "res.country", "1"),
        ("pause", "--target", "shop"),
        ("resume", "--target", "shop"),
        ("retry", "--target", "shop", "--dry-run"),
        ("replay", "res.country", "--from", "2026-01-01T00:00Z", "--dry-run"),
        ("resend", "res.country", "--id", "1"),
        ("shadow-run", "--until-caught-up"),
        ("purge", "res.country", "1"),
    ):
        program = programs.start(*command)
        assert program.wait() in {0, 1}, (command, program.tail())
    check = programs.start("check")
    check.wait()

    assert "kafka:" not in check.out.read_text()
    assert capture.stop() == 0
    assert worker.stop() == 0
    assert "authorization" not in (capture.tail() + worker.tail()).lower()


@pytest.mark.parametrize("command", [("capture",), ("stream", "--worker", "one"), ("status",)])
def test_law_10_who_lacks_the_rights_is_sent_to_the_page(
    command: tuple[str, ...], secure_kafka: SecureKafka, installation: Any
) -> None:
    installation.use(secure_kafka.open_address())
    installation.programs.run("setup")
    installation.use(secure_kafka.sasl(SCRAM[1], "nobody"))

    program = installation.programs.start(*command)

    assert program.wait() == 3, program.tail()
    assert "docs/security.md" in program.tail() + program.out.read_text()


def test_the_page_has_rights_for_every_user() -> None:
    assert {str(right.principal) for right in rights("s")} == {f"User:{user}" for user in USERS}
    assert Path(PAGE).is_file()
