"""The guardian with small Python programs as its services."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import psutil
import pytest

from embedded.process import GUARDIAN

Start = Callable[..., subprocess.Popen[bytes]]

WAITS = "import signal; print('up', flush=True); signal.pause()"
STUBBORN = "import signal; signal.signal(15, signal.SIG_IGN); " + WAITS
FORKS = (
    "import os, signal\n"
    "pid = os.fork()\n"
    "if pid == 0: os.setsid()\n"
    "else: print('child', pid, flush=True)\n"
    "signal.pause()\n"
)


@pytest.fixture
def guarded() -> Iterator[Start]:
    """Start a guardian over a Python program; what the program prints is on standard error."""
    started: list[subprocess.Popen[bytes]] = []

    def start(program: str, *options: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", program] if " " in program else [program]
        guardian = subprocess.Popen(
            [sys.executable, "-I", "-S", GUARDIAN, *options, "--", *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
        )
        started.append(guardian)
        return guardian

    yield start
    for guardian in started:
        with guardian:
            guardian.kill()


def test_the_first_line_is_the_pid_of_the_service(guarded: Start) -> None:
    guardian = guarded("import os; print(os.getpid(), flush=True)")

    pid = int(line(guardian.stdout))

    assert int(line(guardian.stderr)) == pid


def test_the_exit_status_is_that_of_the_service(guarded: Start) -> None:
    assert guarded("raise SystemExit(7)").wait(10) == 7


def test_a_command_that_does_not_exist_says_so() -> None:
    with subprocess.Popen(
        [sys.executable, "-I", "-S", GUARDIAN, "--", "/nonexistent/program"],
        stdin=subprocess.PIPE,  # held until the end: letting go of it would be a signal
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as guardian:
        assert guardian.wait(10) == 127
        assert guardian.stderr is not None
        assert b"/nonexistent/program: No such file" in guardian.stderr.read()


def test_a_byte_on_the_leash_is_a_signal(guarded: Start) -> None:
    guardian = guarded(WAITS)
    assert line(guardian.stderr) == b"up"

    send(guardian, signal.SIGTERM)

    assert guardian.wait(10) == 128 + signal.SIGTERM


def test_the_end_of_the_leash_ends_the_service_and_removes_its_folder(
    guarded: Start, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    (home / "data").mkdir(parents=True)
    guardian = guarded(WAITS, f"--remove={home}")
    assert line(guardian.stderr) == b"up"

    let_go(guardian)

    assert guardian.wait(10) == 128 + signal.SIGTERM
    assert not home.exists()


def test_a_service_that_ignores_the_last_signal_is_killed_after_the_grace(guarded: Start) -> None:
    guardian = guarded(STUBBORN, "--grace=0.2")
    assert line(guardian.stderr) == b"up"

    let_go(guardian)

    assert guardian.wait(10) == 128 + signal.SIGKILL


@pytest.mark.skipif(sys.platform != "linux", reason="Linux hands orphans to the guardian")
def test_what_left_the_process_group_ends_with_the_service(guarded: Start) -> None:
    guardian = guarded(FORKS)
    child = psutil.Process(int(line(guardian.stderr).split()[1]))

    send(guardian, signal.SIGKILL)

    assert guardian.wait(10) == 128 + signal.SIGKILL
    assert not child.is_running()


@pytest.mark.skipif(sys.platform != "linux", reason="Linux has a parent-death signal")
def test_a_service_does_not_outlive_its_guardian(guarded: Start) -> None:
    guardian = guarded(WAITS)
    assert line(guardian.stderr) == b"up"

    guardian.kill()

    # The service held the other end of this pipe: its end is the service's.
    assert guardian.stderr is not None
    assert guardian.stderr.read() == b""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_root_can_have_the_service_run_as_somebody_else(guarded: Start) -> None:
    guardian = guarded("/usr/bin/id", "--uid=65534", "--gid=65533")

    assert guardian.wait(10) == 0
    said = line(guardian.stderr)
    assert said.startswith(b"uid=65534")
    assert b"gid=65533" in said
    assert b"(root)" not in said


def line(stream: IO[bytes] | None) -> bytes:
    """Read the next line of a guardian's output."""
    assert stream is not None
    return stream.readline().strip()


def send(guardian: subprocess.Popen[bytes], number: signal.Signals) -> None:
    assert guardian.stdin is not None
    guardian.stdin.write(bytes([number]))


def let_go(guardian: subprocess.Popen[bytes]) -> None:
    assert guardian.stdin is not None
    guardian.stdin.close()
