"""`odoo-cdc target` as a program, in front of a stand-in for Odoo's RPC."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.programs import COMMAND
from tests.service_rig import message
from tests.stand_in_odoo import KEY, StandInOdoo
from tests.waiting import LONG

pytestmark = pytest.mark.integration


@dataclass
class Running:
    """The program, and where it listens."""

    process: subprocess.Popen[str]
    url: str

    def get(self, path: str) -> tuple[int, Any]:
        return _asked(urllib.request.Request(self.url + path))  # noqa: S310  ours

    def post(self, body: object) -> tuple[int, Any]:
        data = json.dumps(body).encode()
        return _asked(urllib.request.Request(self.url + "/deliveries", data))  # noqa: S310  ours

    def line(self, action: str) -> str:
        """Return the next line that it logs with this action."""
        assert self.process.stderr is not None
        for line in self.process.stderr:
            if f"action={action}" in line:
                return line
        raise AssertionError(f"it has ended without {action}")

    def end(self, by: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(by)
        return self.process.wait(LONG)


def _asked(request: urllib.request.Request) -> tuple[int, Any]:
    try:
        with urllib.request.urlopen(request, timeout=LONG) as said:  # noqa: S310  ours
            return said.status, _read(said.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, _read(error.read())


def _read(data: bytes) -> Any:
    return json.loads(data) if data.startswith((b"{", b"[")) else data.decode()


@pytest.fixture
def odoo() -> Iterator[StandInOdoo]:
    made = StandInOdoo()
    yield made
    made.close()


@pytest.fixture
def file(odoo: StandInOdoo, tmp_path: Path) -> Path:
    """Give a target.yaml whose key stands in a file."""
    (tmp_path / "key").write_text(KEY)
    settings = {**odoo.settings, "api_key": "${file:key}", "timeout": "5s"}
    path = tmp_path / "target.yaml"
    path.write_text(
        f"odoo: {json.dumps(settings)}\nlisten: 127.0.0.1:0\n"
        "models: {product.template: {fields: [name]}}\n"
    )
    return path


@contextmanager
def started(file: Path) -> Iterator[Running]:
    process = subprocess.Popen(
        [*COMMAND, "target", "--config", str(file)], stderr=subprocess.PIPE, text=True
    )
    try:
        made = Running(process, "")
        found = re.search(r"on port (\d+)", made.line("listening"))
        assert found is not None
        made.url = f"http://127.0.0.1:{found[1]}"
        yield made
    finally:
        process.kill()
        process.wait(LONG)
        assert process.stderr is not None
        process.stderr.close()


def until(true: Callable[[], bool]) -> None:
    """Ask again and again: the program tells nobody."""
    for _ in range(10_000):
        if true():
            return
    raise AssertionError("it did not come")


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_it_listens_knows_its_odoo_and_ends_by_a_signal(file: Path, by: signal.Signals) -> None:
    with started(file) as program:
        until(lambda: program.get("/readyz")[0] == 200)
        answered = program.post({**message(1), "data": {}})
        metrics = program.get("/metrics")[1]
        code = program.end(by)

    assert answered[0] == 400
    assert 'odoo_cdc_target_answers_total{answer="NOT_A_DELIVERY"} 1\n' in metrics
    assert 'odoo_cdc_target_odoo_calls_total{outcome="ok"} 1\n' in metrics
    assert "odoo_cdc_target_remembered 0\n" in metrics
    assert code == 0


def test_a_login_that_is_refused_rejects_nothing_and_another_key_mends_it(
    file: Path, odoo: StandInOdoo
) -> None:
    odoo.key = "a-key-that-was-exchanged"
    with started(file) as program:
        alarm = program.line("alarm")
        refused = program.post(message(1))
        health = program.get("/healthz")
        file.with_name("key").write_text(odoo.key)
        accepted = program.line("login_accepted")
        after = program.get("/healthz")

    assert "alarm=target_login_refused" in alarm
    assert (refused[0], refused[1]["code"]) == (503, "LOGIN_REFUSED")
    assert health[0] == 503
    assert "Odoo does not let the service in" in health[1]["reasons"][0]
    assert accepted
    assert after == (200, {"status": "ok", "reasons": []})


def test_law_10_a_second_service_on_the_same_state_is_refused(file: Path) -> None:
    with started(file):
        second = subprocess.run(
            [*COMMAND, "target", "--config", str(file)],
            capture_output=True,
            text=True,
            timeout=LONG,
            check=False,
        )

    assert second.returncode == 2
    assert "is used by another service" in second.stderr
    assert "hint: Stop the other one" in second.stderr


def test_law_10_an_address_that_is_taken_stops_the_start(file: Path) -> None:
    with started(file) as first:
        port = first.url.rpartition(":")[2]
        other = file.with_name("other.yaml")
        text = file.read_text().replace("127.0.0.1:0", f"127.0.0.1:{port}")
        other.write_text(f"{text}state: ./other\n")
        second = subprocess.run(
            [*COMMAND, "target", "--config", str(other)],
            capture_output=True,
            text=True,
            timeout=LONG,
            check=False,
        )

    assert second.returncode == 3
    assert "hint: Choose another address for `listen:` of target.yaml." in second.stderr


def test_law_10_a_damaged_memory_stops_the_start_and_says_what_to_do(file: Path) -> None:
    state = file.with_name("target")
    state.mkdir()
    (state / "applied.sqlite").write_bytes(b"no database" * 1000)

    said = subprocess.run(
        [*COMMAND, "target", "--config", str(file)],
        capture_output=True,
        text=True,
        timeout=LONG,
        check=False,
    )

    assert said.returncode == 4
    assert "keys still prevent doubles" in said.stderr


def test_an_odoo_that_is_away_is_not_ready_and_answers_retry(
    file: Path, odoo: StandInOdoo
) -> None:
    file.write_text(file.read_text().replace(f":{odoo.port}", ":9"))  # nobody is there
    with started(file) as program:
        until(lambda: "does not answer" in str(program.get("/readyz")[1]))
        answered = program.post(message(1))
        health = program.get("/healthz")

    assert (answered[0], answered[1]["code"]) == (503, "ODOO_AWAY")
    assert health[0] == 200


def test_another_file_counts_from_the_next_delivery_on_and_a_bad_one_never(file: Path) -> None:
    listed = file.read_text()
    other = listed.replace("product.template", "res.partner")
    bad = [listed.replace("fields", "feilds"), listed + "at_once: 7\n"]
    file.write_text(other)

    with started(file) as program:
        before = program.post(message(1))
        said = []
        for text in bad:
            file.write_text(text)
            program.process.send_signal(signal.SIGHUP)
            said.append(program.line("reload"))
        still = program.post(message(1))
        file.write_text(listed)
        program.process.send_signal(signal.SIGHUP)
        taken = program.line("reload")
        after = program.post(message(1))
        metrics = program.get("/metrics")[1]
        code = program.end()

    assert [each[1]["code"] for each in (before, still)] == ["NOT_ALLOWED", "NOT_ALLOWED"]
    assert all("result=refused" in line for line in said)
    assert 'did you mean "fields"' in said[0]
    assert "at_once: 4 cannot become 7" in said[1]
    assert "result=taken" in taken
    assert after[1]["code"] != "NOT_ALLOWED"
    assert 'odoo_cdc_target_reloads_total{result="refused"} 2\n' in metrics
    assert code == 0
