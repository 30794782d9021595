"""Stands between a program and its service, and ends the service when the program is gone.

Run as a script by `process.py`, with the standard library alone: `guardian.py OPTIONS -- COMMAND`.
Standard input is the program's leash: a byte there is a signal for the service, its end means
that the program is gone, however it went. The first line on standard output is the service's pid.
The guardian ends only when the service and, on Linux, every process that it left behind has ended;
it exits as the service did (128 + signal when that was killed).

A pipe rather than Linux' parent-death signal alone: that one comes when the *thread* that started
the service ends, and other systems have none.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import os
import select
import shutil
import signal
import sys
import time
from pathlib import Path

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36

CANNOT_RUN = 127
"""As a shell says it: the command could not be started."""


def main(argv: list[str]) -> int:
    """Start the service, watch the leash, return the service's exit status."""
    options = _options(argv)
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    os.set_blocking(woken, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # the leash decides, not a terminal
    _prctl(PR_SET_CHILD_SUBREAPER, 1)
    parent = os.getppid()
    service = _start(options)
    os.write(1, f"{service}\n".encode())
    status = _watch(service, options, woken, parent)
    _end_leftovers()
    return status


def _options(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="guardian")
    parser.add_argument("--uid", type=int, default=-1)
    parser.add_argument("--gid", type=int, default=-1)
    parser.add_argument("--last-signal", type=int, default=int(signal.SIGTERM))
    parser.add_argument("--grace", type=float, default=5.0, help="seconds until SIGKILL")
    parser.add_argument("--remove", type=Path, help="folder that goes when the program is gone")
    parser.add_argument("command", nargs="+")
    return parser.parse_args(argv)


def _start(options: argparse.Namespace) -> int:
    guardian = os.getpid()
    pid = os.fork()
    if pid:
        with contextlib.suppress(OSError):
            os.setpgid(pid, pid)  # in both processes: whoever comes first
        return pid
    try:
        _become_service(options, guardian)
    except OSError as error:
        os.write(2, f"{options.command[0]}: {error.strerror}\n".encode())
    os._exit(CANNOT_RUN)


def _become_service(options: argparse.Namespace, guardian: int) -> None:
    os.setpgid(0, 0)
    os.dup2(2, 1)  # and so lets go of both ends of the guardian's pipes
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    if options.uid >= 0:
        os.setgroups([])
        os.setgid(options.gid)
        os.setuid(options.uid)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD, signal.SIGPIPE):
        signal.signal(number, signal.SIG_DFL)
    # The guardian itself may be killed; it has one thread, so this signal means what it says.
    # A change of user clears it, hence after setuid; the guardian may be gone already, so look.
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != guardian:
        os._exit(CANNOT_RUN)
    os.execvp(options.command[0], options.command)  # noqa: S606 - no shell is wanted


def _prctl(option: int, argument: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, argument, 0, 0, 0)


def _watch(service: int, options: argparse.Namespace, woken: int, parent: int) -> int:
    leash = [0]
    kill_at = float("inf")
    while True:
        status = _reap(service)
        if status is not None:
            break
        if time.monotonic() >= kill_at:
            _signal(service, signal.SIGKILL)
        # What the program forked may hold the leash open after it: look at the parent too.
        ready, _, _ = select.select([*leash, woken], [], [], 0.5 if kill_at < float("inf") else 1)
        if woken in ready:
            with contextlib.suppress(BlockingIOError):
                os.read(woken, 512)
        asked = os.read(0, 64) if 0 in ready else b""
        for number in asked:
            _signal(service, number)
        if leash and ((0 in ready and not asked) or os.getppid() != parent):
            leash = []
            kill_at = time.monotonic() + options.grace
            _signal(service, options.last_signal)
    if not leash and options.remove:
        _end_leftovers()
        shutil.rmtree(options.remove, ignore_errors=True)
    return status


def _signal(service: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(service, number)


def _reap(service: int) -> int | None:
    """Collect what has ended; the service's exit status once it has."""
    status = None
    with contextlib.suppress(ChildProcessError):
        while True:
            pid, raw = os.waitpid(-1, os.WNOHANG)
            if not pid:
                break
            if pid == service:
                code = os.waitstatus_to_exitcode(raw)
                status = code if code >= 0 else 128 - code
    return status


def _end_leftovers() -> None:
    """Kill what the service left behind (on Linux it has become ours), and wait for its end."""
    children = Path(f"/proc/self/task/{os.getpid()}/children")
    with contextlib.suppress(ChildProcessError, FileNotFoundError):
        while True:
            for pid in children.read_text(encoding="ascii").split():
                os.kill(int(pid), signal.SIGKILL)
            os.waitpid(-1, 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
