"""The demo as people run it: everything, killed on the way, and nothing is missing."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.programs import ROOT

pytestmark = [pytest.mark.acceptance, pytest.mark.slow]

LONG = 300.0  # seconds; on two busy cores it takes two minutes


def start(*options: str, folder: Path) -> subprocess.Popen[str]:
    """Start the demo with the stand-in; what it leaves behind would be in `folder`."""
    surroundings = {name: value for name, value in os.environ.items() if name != "ODOO_SRC"}
    return subprocess.Popen(
        [sys.executable, "-m", "cdc", "demo", *options],
        cwd=ROOT,
        env={**surroundings, "TMPDIR": str(folder)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def folder() -> Iterator[Path]:
    """A temporary folder that Postgres' own user reaches too."""
    made = Path(tempfile.mkdtemp(prefix="odoo-cdc-test-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made, ignore_errors=True)


def test_law_1_nothing_is_lost_when_everything_is_killed_once(folder: Path) -> None:
    demo = start("--once", "--json", folder=folder)
    try:
        out, err = demo.communicate(timeout=LONG)
    finally:
        demo.kill()

    assert demo.returncode == 0, out[-3000:] + err[-3000:]
    lines = err.splitlines()
    for killed in ("capture", "the branch's target service", "the stream worker", "WSO2"):
        assert any(f"kill -9 {killed}" in line for line in lines)
    summary = json.loads(out)
    assert lines[-1].startswith(f"Passed: the webshop holds all {summary['records']:,} records")
    assert summary["deliveries"] == summary["delivered"] + summary["superseded"]
    assert summary["records"] > 2_000
    assert (summary["lost"], summary["different"], summary["out_of_order"]) == (0, 0, 0)
    assert 0 < summary["latency_ms"]["p50"] <= summary["latency_ms"]["p99"]
    branch = summary["branch"]
    assert branch["odoo"] == "stand-in for Odoo"
    assert (branch["lost"], branch["different"], branch["double"]) == (0, 0, 0)
    assert (branch["dead"], branch["rejected"]) == (0, 0)
    assert branch["products"] > 140
    assert branch["purchase_orders"] > 230
    assert branch["purchase_order_lines"] > branch["purchase_orders"]
    assert branch["purchase_orders_cancelled"] > 0
    assert 0 < branch["latency_ms"]["p50"] <= branch["latency_ms"]["p99"]
    assert "Traceback" not in out + err
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 0), (signal.SIGTERM, 0)], ids=["ctrl-c", "terminated"]
)
def test_the_demo_ends_in_order_and_leaves_nothing(
    folder: Path, number: signal.Signals, code: int
) -> None:
    demo = start(folder=folder)
    try:
        out = _until(demo, "everything runs in")
        demo.send_signal(number)
        rest, err = demo.communicate(timeout=60)
    finally:
        demo.kill()

    assert demo.returncode == code, out + rest + err
    assert "Traceback" not in out + rest + err
    assert list(folder.iterdir()) == []


def test_a_demo_that_is_killed_leaves_nothing_either(folder: Path) -> None:
    demo = start(folder=folder)
    _until(demo, "everything runs in")

    demo.kill()
    demo.communicate()

    deadline = time.monotonic() + 60
    while list(folder.iterdir()):
        assert time.monotonic() < deadline, list(folder.rglob("*"))
        time.sleep(0.1)


def _until(demo: subprocess.Popen[str], words: str) -> str:
    """Read its lines up to the one with these words."""
    assert demo.stdout
    seen = ""
    patience = threading.Timer(LONG, demo.kill)
    patience.start()
    try:
        for line in demo.stdout:
            seen += line
            if words in line:
                return seen
    finally:
        patience.cancel()
    raise AssertionError(f"it ended before it said {words!r}:\n{seen}\n{demo.communicate()[1]}")
