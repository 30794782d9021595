"""Whole commands in processes of their own, forked from one that has loaded the modules already.

A command that is started this way is there after milliseconds, and all else about it is real: it
has its own connections and files, hears signals, can be killed, and has an exit code.
`python -m tests.warm` is the process that forks: it reads a request a line.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[1]
SOON_ENDED: Final = 30.0  # seconds; one that was killed is gone at once
SOON: Final = 0.2  # seconds between two looks at the publication, which are else 5
LATE: Final = ("streams.worker.production", "streams.worker.serve", "streams.target.production")
"""What commands load only as they run."""


@dataclass(slots=True)
class Forked:
    """A running command, as far as tests use what subprocess.Popen gives."""

    pid: int
    _warm: Warm
    _code: int | None = field(default=None, init=False)

    @property
    def returncode(self) -> int | None:
        """Its exit code, as far as anybody has looked."""
        return self._code

    def poll(self) -> int | None:
        """Return its exit code, None while it runs; a signal's number is negative."""
        if self._code is None:
            self._code = self._warm.ask(code=self.pid)
        return self._code

    def wait(self, timeout: float = SOON_ENDED) -> int:
        """Wait until it ends."""
        if self.poll() is None:
            handle = os.pidfd_open(self.pid)  # whoever forked it reaps it only when asked
            try:
                if not select.select([handle], [], [], timeout)[0]:
                    raise subprocess.TimeoutExpired("a forked command", timeout)
            finally:
                os.close(handle)
        code = self.poll()
        assert code is not None
        return code

    def send_signal(self, number: signal.Signals) -> None:
        """Send it a signal, where it runs."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it as a power cut would."""
        self.send_signal(signal.SIGKILL)


class Warm:
    """The process that forks."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.warm"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._asking = threading.Lock()

    def close(self) -> None:
        """End it, and what still runs of it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

    def start(
        self,
        words: Sequence[str],
        out: Path,
        log: Path,
        *,
        fault: tuple[str, int] | None = None,
        hurried: bool = False,
    ) -> Forked:
        """Start a command; `fault` is a point of `tests.faulty` and the number of times there.

        A `hurried` one looks at the publication every 0.2 s.
        """
        for each in (out, log):
            each.touch()
        made = {"out": str(out), "log": str(log), "environment": dict(os.environ)}
        return Forked(self.ask(words=list(words), fault=fault, hurried=hurried, **made), self)

    def ask(self, **request: Any) -> Any:
        """Ask the process for something."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with self._asking:
            print(json.dumps(request), file=self._process.stdin, flush=True)
            return json.loads(self._process.stdout.readline())


@cache
def shared() -> Warm:
    """Return the one that all tests of this process fork from."""
    warm = Warm()
    atexit.register(warm.close)
    return warm


def serve() -> None:
    """Fork commands until nobody asks any more."""
    for entry in entry_points(group="odoo_cdc.commands"):
        entry.load()
    for name in (*LATE, "tests.faulty"):
        import_module(name)
    assert threading.active_count() == 1, "a thread would be missing in each child"
    gc.freeze()  # or the first collection of a child would copy all of it

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C is for who asks
    running: set[int] = set()
    for line in sys.stdin:
        request = json.loads(line)
        if "code" in request:
            answer = _code(request["code"])
            running -= {request["code"]} if answer is not None else set()
        else:
            answer = _fork(request)
            running.add(answer)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
    for pid in running:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _code(pid: int) -> int | None:
    ended, status = os.waitpid(pid, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if ended else None


def _fork(request: dict[str, Any]) -> int:
    pid = os.fork()
    if pid:
        return pid
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.clear()
    os.environ.update(request["environment"])
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for stream, name in ((1, "out"), (2, "log")):
        os.dup2(os.open(request[name], os.O_WRONLY | os.O_APPEND), stream)
    # Out of everything, as a program of its own ends: it waits for threads, and may hang for them.
    sys.exit(_run(request["words"], request["fault"], hurried=request["hurried"]))


def _run(words: list[str], fault: tuple[str, int] | None, *, hurried: bool) -> int:
    from cdc.__main__ import main  # noqa: PLC0415 - in the child
    from cdc.postgres import watch  # noqa: PLC0415 - likewise
    from tests import faulty  # noqa: PLC0415 - likewise

    if hurried:
        watch._LOOK = SOON  # noqa: SLF001  a table that was left out is missed sooner
    if fault is not None:
        point, number = fault
        faulty.POINTS[point](faulty.Countdown(number))
    return main(words)


if __name__ == "__main__":
    serve()
