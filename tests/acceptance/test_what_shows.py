"""What the programs say, log, serve and keep: no secret, and no value of a row in any log."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, quote_plus
from urllib.request import urlopen

import psycopg
import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from embedded.ports import free_ports
from tests.fix_services import Database
from tests.fix_wso2 import Refuse, Wso2StandIn
from tests.programs import Programs, sync_yaml
from tests.stand_ins import Act, Received

if TYPE_CHECKING:
    from embedded.kafka import Kafka

pytestmark = pytest.mark.acceptance

ROUTES: Final = """
routes:
  - {name: countries, model: res.country, targets: [shop], fields: [name, code]}
"""
ODD: Final = "/@:%+&'\"\\<é>="  # what URLs, JSON, XML, SQL and shells write in another way
TEXTS: Final = {"dsn": ODD, "basic": ODD, "token": "/+=~", "mask": ODD, "api": ODD, "url": "/@:%"}


LOOKS: Final = {  # commands as they are typed -> their exit codes
    ("check",): {1},
    ("status",): {0, 1},
    ("queue",): {0},
    ("trace", "res.country", "1"): {0},
    ("wso2", "generate"): {2},  # a password in a URL is refused
    ("pause", "--target", "shop"): {0},
}
BY_HAND: Final = (
    ("drain", "--target", "shop"),
    ("resume", "--target", "shop"),
    ("retry", "--all-dead"),
    ("replay", "res.country", "--id", "1"),
    ("purge", "res.country", "1"),
)
MISTAKEN: Final = (  # what takes a secret for a name
    ("retry", "--id", "{}"),
    ("pause", "--target", "{}"),
    ("drain", "--target", "{}"),
    ("resume", "--chain", "{}"),
    ("replay", "{}"),
    ("purge", "{}", "1"),
)


class Repeating(Wso2StandIn):
    """WSO2 that refuses everything, and repeats what it was sent in every way it can."""

    def decide(self, scripted: object, request: Received) -> Act:
        said = request.headers.get("Authorization", "")
        body = json.dumps({"was": said, "url": quote_plus(said), "twice": json.dumps(said)})
        return super().decide(Refuse(422, body.encode()), request)


@pytest.fixture
def repeating() -> Iterator[Repeating]:
    service = Repeating()
    yield service
    service.close()


@pytest.fixture
def hidden() -> dict[str, str]:
    """Secrets that nobody has seen before."""
    return {name: f"{secrets.token_hex(6)}{odd}{name}" for name, odd in TEXTS.items()}


def installation(
    folder: Path, database: Database, kafka: Kafka, source: str, parts: dict[str, Any]
) -> Programs:
    folder.joinpath("user").write_text(parts["hidden"]["basic"] + "\n", encoding="utf-8")
    hidden = parts["hidden"]
    text = sync_yaml(
        source=source,
        dsn=f"{database.dsn} password={_quoted(hidden['dsn'])}",
        kafka=kafka.bootstrap,
        targets=["shop"],
        routes=ROUTES,
        target={"url": f"http://us:{quote(hidden['url'], safe='')}@127.0.0.1:9/deliveries"},
        more={
            "wso2": {
                "url": parts["wso2"].url,
                "auth": {"basic": {"user": "us", "password": "${file:user}"}},
            },
            "acks": {"listen": "127.0.0.1:0", "token": hidden["token"]},
            "health": {"listen": f"127.0.0.1:{parts['port']}"},
        },
    )
    extra = {"url": "http://odoo", "database": "d", "user": "u", "api_key": hidden["api"]}
    made = Programs(folder, text)
    lines = made.config.read_text(encoding="utf-8").splitlines()
    source_line = next(line for line in lines if line.startswith("source:"))
    values = json.loads(source_line.partition(":")[2])
    values |= {"mask_key": hidden["mask"], "odoo": extra}
    lines[lines.index(source_line)] = f"source: {json.dumps(values)}"
    made.config.write_text("\n".join(lines), encoding="utf-8")
    return made


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def type_all(programs: Programs, secret: str) -> None:
    """Type every command that ends by itself, and some that take a secret for a name."""
    for command, codes in LOOKS.items():
        both = [programs.start(*command, *form) for form in ((), ("--json",))]
        assert {each.wait() for each in both} <= codes, (command, both[0].tail())
    for command in BY_HAND:
        programs.run(*command, "--json")
    wrong = [programs.start(*(w.format(secret) for w in words)) for words in MISTAKEN]
    assert {each.wait() for each in wrong} == {2}


def test_no_secret_comes_out_of_any_program_or_stands_in_any_topic(  # noqa: PLR0913, PLR0917  fixtures
    odoo_database: Database,
    kafka: Kafka,
    kafka_prefix: str,
    tmp_path: Path,
    repeating: Repeating,
    hidden: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ODOO_CDC_LOG_LEVEL", "DEBUG")
    (port,) = free_ports(1)
    parts = {"hidden": hidden, "wso2": repeating, "port": port}
    with installation(tmp_path, odoo_database, kafka, kafka_prefix, parts) as programs:
        programs.run("setup")
        programs.run("capture", "--until-caught-up", "--health", "")
        worker = programs.start("stream", "--worker", "one", "--log-format", "json")
        repeating.received(3)
        letters = _letters(kafka, kafka_prefix)
        for path in ("metrics", "readyz"):
            with urlopen(f"http://127.0.0.1:{port}/{path}", timeout=5) as answer:
                (tmp_path / f"{path}.out").write_bytes(answer.read())
        type_all(programs, hidden["token"])
        assert worker.stop() == 0
        (tmp_path / "dsn.yaml").write_text(
            programs.config.read_text().replace("password=", "pass word="), encoding="utf-8"
        )
        programs.config = tmp_path / "dsn.yaml"
        programs.start("check").wait()

    outputs = [p for p in tmp_path.iterdir() if p.suffix in {".out", ".log"}]
    shown = "\n".join(path.read_text(encoding="utf-8", errors="replace") for path in outputs)
    kept = _everything(kafka, kafka_prefix)
    assert letters
    assert any(b"***" in letter for letter in letters)  # it was repeated, and was hidden
    for name, secret in hidden.items():
        core = secret[:12]  # its letters and digits are the same in every form but base64
        assert core not in shown, name
        assert core.encode() not in kept, name
    header = base64.b64encode(f"us:{hidden['basic']}".encode())
    assert header.decode() not in shown
    assert header not in kept


def _letters(kafka: Kafka, source: str) -> list[bytes]:
    consumer = _reading(kafka, [f"{source}.dead"])
    found: list[bytes] = []
    while not found:
        found += [message.value() or b"" for message in consumer.consume(10, 1.0)]
    consumer.close()
    return found


def _everything(kafka: Kafka, source: str) -> bytes:
    """Return all that stands in the source's topics."""
    probe = _reading(kafka, [])
    topics = [name for name in probe.list_topics(timeout=10).topics if name.startswith(source)]
    probe.close()
    consumer = _reading(kafka, topics)
    found = b""
    left = {(topic, number) for topic in topics for number in range(4)}
    while left:
        for message in consumer.consume(500, 1.0):
            if message.error() is not None:
                left.discard((message.topic(), message.partition()))
            else:
                found += (message.key() or b"") + (message.value() or b"")
    consumer.close()
    return found


def _reading(kafka: Kafka, topics: list[str]) -> Consumer:
    consumer = Consumer(
        {
            "bootstrap.servers": kafka.bootstrap,
            "group.id": f"test-{secrets.token_hex(4)}",
            "enable.partition.eof": True,
        }
    )
    places = [TopicPartition(t, number, OFFSET_BEGINNING) for t in topics for number in range(4)]
    consumer.assign(places)
    return consumer


@pytest.mark.parametrize(
    ("form", "level"),
    [
        pytest.param("console", "", id="console, by default"),
        pytest.param("json", "DEBUG", id="json, at debug level"),
        pytest.param("console", "DEBUG", id="console, at debug level", marks=pytest.mark.slow),
        pytest.param("json", "", id="json, by default", marks=pytest.mark.slow),
    ],
)
def test_law_8_values_of_rows_are_in_no_log(  # noqa: PLR0913, PLR0917  fixtures
    odoo_database: Database,
    kafka: Kafka,
    kafka_prefix: str,
    tmp_path: Path,
    wso2: Wso2StandIn,
    monkeypatch: pytest.MonkeyPatch,
    level: str,
    form: str,
) -> None:
    monkeypatch.setenv("ODOO_CDC_LOG_LEVEL", level or "INFO")
    mark = f"recognised{secrets.token_hex(6)}"
    text = sync_yaml(
        source=kafka_prefix,
        dsn=odoo_database.dsn,
        kafka=kafka.bootstrap,
        wso2=wso2.url,
        targets=["shop"],
        routes=ROUTES,
    )
    wso2.next(Refuse(503, mark.encode()), Refuse(422, mark.encode()))
    with Programs(tmp_path, text) as programs:
        programs.run("setup")
        with psycopg.connect(odoo_database.dsn, autocommit=True) as connection:
            connection.execute(
                "UPDATE res_country SET name = jsonb_build_object('en_US', %s::text)", [mark]
            )
        programs.run("capture", "--until-caught-up", "--log-format", form)
        worker = programs.start("stream", "--worker", "one", "--log-format", form)
        requests = wso2.received(4)
        assert worker.stop() == 0

    assert mark.encode() in b"".join(request.body for request in requests)
    logs = list(tmp_path.glob("*.log"))
    assert len(logs) == 3
    for log in logs:
        assert mark not in log.read_text(encoding="utf-8"), log.name
