"""The programs of odoo-cdc as subprocesses, and a sync.yaml for them."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from tests.waiting import LONG
from tests.warm import Forked, shared

# Where it is set every program would compile all of its modules at every start.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

ROOT: Final = Path(__file__).parents[1]
COMMAND: Final = (sys.executable, "-m", "cdc")
FAULTY: Final = (sys.executable, "-m", "tests.faulty")  # and a point, and how often
_TICK: Final = os.sysconf("SC_CLK_TCK")
_PEAK: Final = re.compile(r"^VmHWM:\s+(\d+) kB$", re.MULTILINE)
_OWN: Final = re.compile(r"^RssAnon:\s+(\d+) kB$", re.MULTILINE)


def sync_yaml(**parts: Any) -> str:
    """Return the text of a sync.yaml: `source`, `dsn`, `kafka`, `wso2`, `targets`, `routes`.

    `targets` are names; each takes WSO2's 202 as final and gets every delivery. `routes` is the
    whole section as text. `target` adds to what each target says, `more` to the file.
    """
    target = {
        "url": "http://127.0.0.1:9/deliveries",
        "acknowledge": "accepted",
        "history": "all",
        "retry": ["1s", "1s", "2s"],
    } | parts.get("target", {})
    values: dict[str, Any] = {
        "source": {"name": parts["source"], "dsn": parts["dsn"]},
        "state": "./state",
        "kafka": {"bootstrap.servers": parts["kafka"], "session.timeout.ms": 6000},
        "topics": {"partitions": 4, "replication": 1},
        "wso2": {"url": parts.get("wso2", "http://127.0.0.1:9/cdc"), "timeout": "5s"},
        "acks": {"listen": ""},
        "targets": dict.fromkeys(parts["targets"], target),
    } | parts.get("more", {})
    lines = [f"{key}: {json.dumps(value)}" for key, value in values.items()]  # JSON is YAML
    return "\n".join([*lines, parts["routes"]])


@dataclass(frozen=True, slots=True)
class Spent:
    """What a process took: `cpu` in seconds, of all its threads, memory in bytes.

    `peak` counts the pages of mapped files too, which the kernel takes back when it needs them;
    `own` is the largest sample of what it cannot take back.
    """

    cpu: float
    peak: int
    own: int


def until(condition: Callable[[], Any], program: Program) -> None:
    """Wait until the condition holds, the program running."""
    deadline = time.monotonic() + LONG
    while not condition():
        assert program.process.poll() is None, program.tail()
        assert time.monotonic() < deadline, f"it did not happen:\n{program.tail()}"
        time.sleep(0.05)


def said(program: Program, text: str) -> int:
    """Return how often a program has said something."""
    return program.log.read_text(encoding="utf-8").count(text)


@dataclass(slots=True)
class Program:
    """A running command; its output is in files."""

    process: subprocess.Popen[bytes] | Forked
    out: Path
    log: Path
    spent: Spent = field(default_factory=lambda: Spent(0.0, 0, 0))

    def wait(self, timeout: float = LONG) -> int:
        """Wait until it ends; return its exit code, and keep what it had spent till then."""
        deadline = time.monotonic() + timeout
        while True:
            self.look()
            try:
                return self.process.wait(0.05)
            except subprocess.TimeoutExpired:
                assert time.monotonic() < deadline, f"it runs still:\n{self.tail()}"

    def until_said(self, text: str, timeout: float = LONG) -> None:
        """Wait until its log has a text; AssertionError where it ends before."""
        deadline = time.monotonic() + timeout
        while text not in self.tail():
            assert self.process.poll() is None, self.tail()
            assert time.monotonic() < deadline, self.tail()
            time.sleep(0.05)

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """Ask it to finish what is in hand."""
        self.process.send_signal(signal.SIGTERM)
        return self.wait()

    def tail(self) -> str:
        """Return the end of what it logged."""
        return self.log.read_text(errors="replace")[-3000:]

    def look(self) -> None:
        """Note in `spent` what it took so far: of an ended process the kernel knows nothing."""
        try:
            status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
            stat = Path(f"/proc/{self.process.pid}/stat").read_text(encoding="ascii")
        except OSError:
            return
        peak, own = _PEAK.search(status), _OWN.search(status)
        user, system = stat.rpartition(")")[2].split()[11:13]
        if peak and own:
            self.spent = Spent(
                (int(user) + int(system)) / _TICK,
                int(peak[1]) * 1024,
                max(self.spent.own, int(own[1]) * 1024),
            )


def _opened(words: Sequence[str], out: Path, log: Path) -> subprocess.Popen[bytes]:
    with out.open("wb") as to_out, log.open("wb") as to_log:
        return subprocess.Popen(
            words, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=to_out, stderr=to_log
        )


class Programs:
    """The commands of one sync.yaml; what still runs at the end is killed."""

    def __init__(self, folder: Path, config: str, *, cold: bool = False) -> None:
        """Have them in processes of their own, forked unless they are to begin `cold`.

        What a cold one takes is all its own.
        """
        self._cold = cold
        self.folder = folder
        self.config = folder / "sync.yaml"
        self.config.write_text(config, encoding="utf-8")
        self._started: list[Program] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for program in self._started:
            if program.process.poll() is None:
                program.kill()

    def start(self, command: str, *options: str, launcher: tuple[str, ...] = COMMAND) -> Program:
        """Start a command; `launcher` is another way to run it, one with faults for instance."""
        number = len(self._started)
        out, log = (self.folder / f"{number}-{command}.{kind}" for kind in ("out", "log"))
        words = [command, "-c", str(self.config), *options]
        process: subprocess.Popen[bytes] | Forked
        if launcher == COMMAND and not self._cold:
            process = shared().start(words, out, log)
        elif launcher[:-2] == FAULTY:
            fault = launcher[-2], int(launcher[-1])
            process = shared().start(words, out, log, fault=fault)
        else:
            process = _opened([*launcher, *words], out, log)
        program = Program(process, out, log)
        self._started.append(program)
        return program

    def run(self, command: str, *options: str, timeout: float = LONG) -> Program:
        """Run a command to its end; AssertionError with its log where it failed."""
        program = self.start(command, *options)
        code = program.wait(timeout)
        assert code == 0, f"{command} ended with {code}:\n{program.tail()}"
        return program

    def caught_up(self, timeout: float = LONG) -> Program:
        """Publish everything that is committed so far."""
        return self.run("capture", "--until-caught-up", timeout=timeout)
