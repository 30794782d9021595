"""Another sync.yaml for programs that run: by SIGHUP and on request, whole or not at all."""

from __future__ import annotations

import json
import signal
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.request import urlopen

import psycopg
import pytest

from schemas.config import load
from streams.queries.status import report
from tests.fix_services import Database
from tests.fix_wso2 import HoldResponse, Wso2StandIn
from tests.programs import COMMAND, Program, Programs, said, until
from tests.streaming import MODEL, Line, Scripted
from tests.traffic import Traffic

if TYPE_CHECKING:
    from embedded.kafka import Kafka

pytestmark = pytest.mark.acceptance

PATIENCE: Final = 90.0  # seconds until a test gives up; none waits that long
TAKEN: Final = "the file is in force"
COUNTRIES: Final = 7  # that the database begins with
OLD: Final = "fields: [name, code]"
NEW: Final = "map: {title: name, short: code}"
RENAMED: Final = (
    "UPDATE res_country SET name = jsonb_build_object('en_US', %s::text) WHERE id = %s"
)
ROUTES: Final = f"""
routes:
  - name: countries
    model: res.country
    domain: [["code", "!=", "??"]]
    targets: [shop]
    {OLD}
    initial_load: false
"""


def metric(port: int, name: str) -> float:
    with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=PATIENCE) as answer:
        lines = answer.read().decode().splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name))


def write(programs: Programs, change: Callable[[str], str]) -> None:
    """Replace the file, as an editor does."""
    new = programs.config.with_suffix(".new")
    new.write_text(change(programs.config.read_text(encoding="utf-8")), encoding="utf-8")
    new.rename(programs.config)


def sent(wso2: Wso2StandIn) -> list[tuple[int, int, dict[str, Any]]]:
    """Return what was sent, in order: the country, its number, the fields."""
    found = []
    for request in wso2.taken():
        fields = request.json["data"]["fields"]
        number = int(fields.get("name") or fields.get("title"))
        found.append((request.json["data"]["record"]["id"], number, fields))
    return found


def start(programs: Programs) -> Program:
    """Start both programs, and wait until every change makes an event of its own."""
    program = programs.start("run")
    until(lambda: said(program, "action=loaded") and said(program, "action=assigned"), program)
    return program


def take(programs: Programs, program: Program, old: str, new: str) -> None:
    """Change the file, and wait until both programs go by it."""
    before = said(program, TAKEN)
    write(programs, lambda text: text.replace(old, new))
    program.process.send_signal(signal.SIGHUP)
    until(lambda: said(program, TAKEN) == before + 2, program)


def chains(wso2: Wso2StandIn) -> dict[int, list[int]]:
    """Return the numbers that were sent of each country, in order."""
    found: dict[int, list[int]] = defaultdict(list)
    for country, number, _ in sent(wso2):
        found[country].append(number)
    return found


def test_laws_1_to_4_hold_while_files_are_taken_under_traffic(
    programs: Programs, odoo_database: Database, wso2: Wso2StandIn, health: int
) -> None:
    program = start(programs)
    with Traffic(odoo_database.dsn, RENAMED) as traffic:
        until(lambda: len(wso2.taken()) > COUNTRIES, program)
        for old, new, key in ((OLD, NEW, "title"), (NEW, OLD, "name"), (OLD, NEW, "title")):
            take(programs, program, old, new)
            until(lambda key=key: key in sent(wso2)[-1][2], program)  # type: ignore[misc]
        left, code = next(iter(traffic.records.items()))
        take(programs, program, '"??"', f'"{code}"')
        at = len(wso2.taken())
        until(lambda: len(wso2.taken()) > at + 3 * COUNTRIES, program)
    named = dict(traffic.named)
    all_of_left = named.pop(left)
    until(lambda: {c: n for c, n in chains(wso2).items() if c != left} == named, program)

    gone = chains(wso2)[left]
    assert gone == all_of_left[: len(gone)]
    assert len(gone) < len(all_of_left)
    ids = [request.id for request in wso2.taken()]
    assert len(ids) == len(set(ids)), "sent twice"
    for country in named:
        forms = ["title" in fields for each, _, fields in sent(wso2) if each == country]
        assert sum(one is not other for one, other in pairwise(forms)) <= 3, "files mixed"
    assert said(program, "action=started") == 2
    assert metric(health, "odoo_cdc_stream_reloads_total") == 4
    assert metric(health + 10, "odoo_cdc_capture_reloads_total ") == 4
    changes = sum(map(len, named.values())) + len(all_of_left)
    assert metric(health + 10, "odoo_cdc_capture_events_total ") == changes
    assert program.stop() == 0


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        pytest.param("fields:", "feilds:", "feilds", id="a broken file"),
        pytest.param('"name": "src', '"name": "other', "source.name", id="another source"),
        pytest.param("model: res.country", "model: res.partner", "setup", id="another model"),
    ],
)
def test_law_10_a_file_that_cannot_be_taken_changes_nothing_and_says_why(  # noqa: PLR0913, PLR0917
    programs: Programs,
    odoo_database: Database,
    wso2: Wso2StandIn,
    health: int,
    old: str,
    new: str,
    why: str,
) -> None:
    program = start(programs)
    with Traffic(odoo_database.dsn, RENAMED) as traffic:
        before = programs.config.read_text(encoding="utf-8")
        write(programs, lambda text: text.replace(old, new).replace('"??"', '"nowhere"'))
        program.process.send_signal(signal.SIGHUP)
        until(lambda: said(program, "action=reload result=refused") == 2, program)

        at = len(wso2.taken())
        until(lambda: len(wso2.taken()) > at + 2 * COUNTRIES, program)
        assert why in program.tail()
        assert said(program, "hint: ") == 2
        assert metric(health, 'odoo_cdc_stream_reloads_total{result="refused"}') == 1
        assert metric(health + 10, "odoo_cdc_capture_reloads_refused_total ") == 1
        write(programs, lambda _: before)
        take(programs, program, OLD, NEW)
        until(lambda: "title" in sent(wso2)[-1][2], program)

    until(lambda: chains(wso2) == traffic.named, program)
    assert said(program, "action=started") == 2
    assert len({request.id for request in wso2.taken()}) == len(wso2.taken())


def loaded(wso2: Wso2StandIn) -> list[int]:
    """Return the records that were sent because they were there, in order."""
    said = [request.json["data"] for request in wso2.taken()]
    return [each["record"]["id"] for each in said if each["routing"]["mode"] == "snapshot"]


def test_law_1_a_first_load_goes_on_through_one_file_after_the_other(
    programs: Programs, odoo_database: Database, wso2: Wso2StandIn
) -> None:
    with psycopg.connect(odoo_database.dsn, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO res_country (name)"
            " SELECT jsonb_build_object('en_US', 'Many ' || n) FROM generate_series(1, 1500) n"
        )
        there = [row for (row,) in connection.execute("SELECT id FROM res_country ORDER BY id")]
    write(programs, lambda text: text.replace("initial_load: false", "initial_load: true"))

    program = programs.start("run")
    until(lambda: said(program, "action=following"), program)
    while not said(program, "action=published"):
        before = said(program, TAKEN)
        program.process.send_signal(signal.SIGHUP)
        until(lambda before=before: said(program, TAKEN) > before, program)  # type: ignore[misc]
    until(lambda: len(loaded(wso2)) >= len(there), program)

    assert said(program, TAKEN) > 4, "it was too short for files in between"
    assert sorted(loaded(wso2)) == there, "each one once"
    assert said(program, "action=started") == 2


@pytest.fixture
def scripted() -> Iterator[Scripted]:
    service = Scripted()
    yield service
    service.close()


@pytest.fixture
def other() -> Iterator[Scripted]:
    service = Scripted()
    yield service
    service.close()


@pytest.fixture
def line(kafka: Kafka, kafka_prefix: str, scripted: Scripted, tmp_path: Path) -> Iterator[Line]:
    route = f"{{name: orders, model: {MODEL}, targets: [shop], fields: [name]}}"
    config = {"wso2": scripted.url, "targets": ["shop"], "routes": f"routes:\n  - {route}"}
    with Line(tmp_path, kafka.bootstrap, kafka_prefix, config) as made:
        workers = [made.worker("one"), made.worker("two")]
        for worker in workers:
            worker.until_said('"action": "assigned"')
        yield made


def reload(line: Line, code: int = 0) -> dict[str, Any]:
    """Ask the workers; return what they have said."""
    asked = line.programs.start("reload", "--json")
    assert asked.wait() == code, asked.tail()
    told: dict[str, Any] = json.loads(asked.out.read_text(encoding="utf-8"))
    return told


def test_every_worker_takes_its_file_on_request_and_says_which_it_has(
    line: Line, scripted: Scripted, other: Scripted
) -> None:
    scripted.of(3, HoldResponse())
    line.change(3, "held")
    scripted.attempts(3, 1)
    write(line.programs, lambda text: text.replace("fields: [name]", "map: {title: name}"))
    write(line.programs, lambda text: text.replace(scripted.url, other.url))

    told = reload(line)

    name = load(line.programs.config).fingerprint
    assert told["silent"] == []
    files = {worker: each["config"] for worker, each in told["workers"].items()}
    assert files == {"one": name, "two": name}
    assert sorted(n for each in told["workers"].values() for n in each["partitions"]) == [
        *range(4)
    ]
    scripted.release()
    line.tail.reached("accepted", 3)
    for record in range(11, 19):
        line.change(record, "new")
        (request,) = other.attempts(record, 1)
        assert request.json["data"]["fields"] == {"title": "new"}
    assert [r.json["data"]["fields"] for r in scripted.tried(3)] == [{"name": "held"}]
    assert other.tried(3) == []
    line.tail.until(lambda: report(load(line.programs.config))["files"] == files)


def test_a_worker_that_refuses_its_file_says_why_and_goes_on(
    line: Line, scripted: Scripted
) -> None:
    before = load(line.programs.config).fingerprint
    write(line.programs, lambda text: text.replace("fields: [name]", "feilds: [name]"))

    asked = line.programs.start("reload", "--json")
    assert asked.wait() == 2, "who asks reads the file too"
    write(line.programs, lambda text: text.replace("feilds: [name]", "fields: [amount_total]"))
    told = reload(line, 1)

    assert {each["config"] for each in told["workers"].values()} == {before}
    assert all("no event shows" in each["why"] for each in told["workers"].values())
    line.change(1, "still")
    (request,) = scripted.attempts(1, 1)
    assert request.json["data"]["fields"] == {"name": "still"}


@pytest.mark.parametrize("command", ["stream", "capture", "run"])
def test_a_hangup_at_any_moment_kills_no_program(programs: Programs, command: str) -> None:
    ready = "action=assigned" if command == "stream" else "action=following"
    former = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does; a program inherits it
    program = programs.start(command, launcher=("env", *COMMAND))  # a forked one inherits nothing
    signal.signal(signal.SIGHUP, former)

    deadline = time.monotonic() + PATIENCE
    while not (said(program, ready) and said(program, TAKEN)):
        program.process.send_signal(signal.SIGHUP)
        assert program.process.poll() is None, program.tail()
        assert time.monotonic() < deadline, program.tail()
        time.sleep(0.02)
    program.process.send_signal(signal.SIGTERM)
    while program.process.poll() is None:
        program.process.send_signal(signal.SIGHUP)
        assert time.monotonic() < deadline, program.tail()
        time.sleep(0.002)

    assert program.process.returncode == 0, program.tail()
