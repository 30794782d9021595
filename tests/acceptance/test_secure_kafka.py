"""Every program and a Kafka that wants TLS, a certificate or a user: let in, or told why not."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any, Final

import pytest

from tests.fix_certificates import Authority
from tests.fix_installation import Installation
from tests.fix_secure_kafka import SCRAM, SecureKafka
from tests.fix_wso2 import Wso2StandIn
from tests.programs import Programs

pytestmark = pytest.mark.acceptance

Ways = dict[str, Callable[[SecureKafka], dict[str, str]]]


def text_of(kafka: SecureKafka) -> dict[str, str]:
    """Return a client's certificate as text."""
    texts = {"ca": kafka.authority.ca, "certificate": kafka.client.cert, "key": kafka.client.key}
    return {
        "bootstrap.servers": kafka.broker.address("MUTUAL"),
        "security.protocol": "ssl",
        **{f"ssl.{what}.pem": path.read_text() for what, path in texts.items()},
    }


LET_IN: Final[Ways] = {
    "tls": lambda kafka: kafka.tls(),
    "a client's certificate": lambda kafka: kafka.mutual(kafka.client),
    "a client's certificate as text": text_of,
    "plain": lambda kafka: kafka.sasl("PLAIN"),
    "scram 256": lambda kafka: kafka.sasl(SCRAM[0]),
    "scram 512": lambda kafka: kafka.sasl(SCRAM[1]),
}


# Of each kind the one that takes the longest way; the others are tried with `make test-long`.
OFTEN: Final = frozenset({"a client's certificate as text", "scram 512", "a wrong password"})


def cases(named: Iterable[tuple[str, tuple[Any, ...]]]) -> list[Any]:
    """Return the cases by name, those that are tried often without a mark."""
    slow = pytest.mark.slow
    return [
        pytest.param(*values, id=name, marks=() if name in OFTEN else slow)
        for name, values in named
    ]


def said(programs: Programs, command: str, *options: str) -> Any:
    return json.loads(programs.run(command, "--json", *options).out.read_text())


@pytest.mark.parametrize("way", cases((name, (way,)) for name, way in LET_IN.items()))
def test_every_program_is_let_in_and_a_change_in_postgres_reaches_wso2(
    way: Callable[[SecureKafka], dict[str, str]],
    secure_kafka: SecureKafka,
    installation: Installation,
    wso2: Wso2StandIn,
) -> None:
    installation.use(way(secure_kafka))
    programs = installation.programs

    programs.run("setup")
    check = programs.start("check", "--json")
    check.wait()
    programs.run("capture", "--until-caught-up")
    worker = programs.start("stream", "--worker", "one")
    worker.until_said("action=assigned")
    wso2.received(1)
    held = said(programs, "pause", "--target", "shop")
    status = said(programs, "status")

    found = json.loads(check.out.read_text())["findings"]
    assert [each for each in found if each["where"].startswith(("kafka", "topics"))] == []
    assert held
    assert status["stream"]["workers"]
    assert worker.stop() == 0


def wrong_ca(kafka: SecureKafka, stranger: Authority) -> dict[str, str]:
    return kafka.tls(stranger.ca)


def no_certificate(kafka: SecureKafka, _: Authority) -> dict[str, str]:
    return kafka.mutual(None)


def foreign_certificate(kafka: SecureKafka, stranger: Authority) -> dict[str, str]:
    return kafka.mutual(stranger.issue("client"))


def wrong_password(kafka: SecureKafka, _: Authority) -> dict[str, str]:
    return kafka.sasl(SCRAM[1], password="wr0ng/p@ssword")


def no_tls(kafka: SecureKafka, _: Authority) -> dict[str, str]:
    return {"bootstrap.servers": kafka.broker.address("TLS")}


def no_listener(kafka: SecureKafka, _: Authority) -> dict[str, str]:
    return kafka.tls() | kafka.open_address()


TURNED_AWAY: Final = {
    "another CA": (wrong_ca, "certificate", "ssl.ca.location"),
    "no certificate": (no_certificate, "certificate", "ssl.certificate.location"),
    "a foreign certificate": (foreign_certificate, "certificate", "ssl.certificate.location"),
    "a wrong password": (wrong_password, "Authentication failed", "sasl.password"),
    "no TLS": (no_tls, "Kafka does not answer", "security.protocol"),
    "TLS where there is none": (no_listener, "SSL connection closed by peer", "security.protocol"),
}
COMMANDS: Final = (
    ("setup",),
    ("capture",),
    ("stream", "--worker", "one"),
    ("status",),
    ("pause", "--target", "shop"),
    ("queue",),
)
BY_HAND: Final = (
    ("retry", "--all-dead"),
    ("drain", "--target", "shop"),
    ("resume", "--target", "shop"),
    ("replay", "res.country", "--id", "1"),
    ("purge", "res.country", "1"),
    ("trace", "res.country", "1"),
)


@pytest.mark.parametrize(("way", "words", "remedy"), cases(TURNED_AWAY.items()))
def test_law_10_who_is_not_let_in_is_told_why_and_what_to_do(
    way: Callable[[SecureKafka, Authority], dict[str, str]],
    words: str,
    remedy: str,
    secure_kafka: SecureKafka,
    stranger: Authority,
    installation: Installation,
) -> None:
    installation.use(secure_kafka.open_address())
    installation.programs.run("setup")
    installation.use(way(secure_kafka, stranger))

    started = [installation.programs.start(*command) for command in COMMANDS]
    check = installation.programs.start("check", "--json")

    for command, program in zip(COMMANDS, started, strict=True):
        assert program.wait() == 3, (command, program.tail())
        told = program.tail() + program.out.read_text()  # `status` prints it with all the rest
        assert words in told, command
        assert remedy in told, command
        assert "wr0ng" not in told
    assert check.wait() == 1
    (finding,) = [
        f for f in json.loads(check.out.read_text())["findings"] if f["where"] == "kafka"
    ]
    assert words in finding["message"]
    assert remedy in finding["remedy"]
    assert finding["line"]


@pytest.mark.slow
@pytest.mark.parametrize("case", ["a wrong password", "another CA"])
def test_law_10_who_does_something_by_hand_is_told_as_well(
    case: str, secure_kafka: SecureKafka, stranger: Authority, installation: Installation
) -> None:
    way, words, remedy = TURNED_AWAY[case]
    installation.use(way(secure_kafka, stranger))

    started = [installation.programs.start(*command) for command in BY_HAND]

    for command, program in zip(BY_HAND, started, strict=True):
        assert program.wait() == 3, (command, program.tail())
        assert words in program.tail(), command
        assert remedy in program.tail(), command
        assert "wr0ng" not in program.tail() + program.out.read_text()
