"""A service as a child process: started, probed, stopped, killed, restarted, never left behind."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

from embedded import folders
from embedded.errors import NotStarted
from embedded.users import User

GUARDIAN = Path(__file__).with_name("guardian.py")
TAIL_LINES = 25
PORT_TAKEN = "address already in use"


class Service(ABC):
    """One service and its folder; subclasses say what runs and how it answers.

    `home` holds `log.txt` and the service's own files. It is removed by `close`, or, when this
    program is killed, by the guardian, unless `keep` is true.
    """

    name: ClassVar[str]
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM
    abandon_signal: ClassVar[signal.Signals] = signal.SIGKILL
    """Ends a service whose data goes as well."""
    start_timeout: ClassVar[float] = 60.0
    stop_grace: ClassVar[float] = 20.0
    user: User | None = None

    def __init__(self, home: Path | None = None, *, keep: bool | None = None) -> None:
        """Take a folder of the caller's, kept unless told otherwise, or a temporary one."""
        self.keep = home is not None if keep is None else keep
        self.home = folders.data(self.name) if home is None else home.absolute()
        self.home.mkdir(parents=True, exist_ok=True)
        self.log = self.home / "log.txt"
        self.pid = 0
        self._log_start = 0
        self._guardian: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def choose_ports(self) -> None:
        """Take free ports; they stay the service's own when it starts again."""

    @abstractmethod
    def command(self) -> list[str]:
        """Prepare the folder and return what to run; called before every start."""

    @abstractmethod
    def answers(self) -> bool:
        """Ask the running service whether it can be used."""

    def environment(self) -> dict[str, str]:
        """Return the environment of the service."""
        return dict(os.environ)

    @property
    def running(self) -> bool:
        """Whether the service's process lives."""
        return self._guardian is not None and self._guardian.poll() is None

    def first_launch(self) -> Self:
        """Start on free ports, on others when somebody was faster; close what does not start."""
        try:
            for last in (False, False, True):
                self.choose_ports()
                try:
                    self.launch()
                    break
                except NotStarted:
                    if last or PORT_TAKEN not in self.said().lower():
                        raise
        except BaseException:
            self.close()
            raise
        return self

    def launch(self) -> None:
        """Start the service and wait until it answers.

        Raises NotStarted with the end of the log.
        """
        if self.running:
            return
        self._let_go()  # of one that ended by itself
        self._spawn()
        try:
            self._wait_until_ready()
        except BaseException:
            self.kill()
            raise

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal to the service's process group, SIGSTOP and SIGCONT for instance."""
        if self._guardian and self._guardian.stdin:
            with contextlib.suppress(BrokenPipeError):
                self._guardian.stdin.write(bytes([number]))

    def stop(self) -> None:
        """End the service in order, with SIGKILL when that takes over `stop_grace` seconds."""
        self._end(self.stop_signal)

    def kill(self) -> None:
        """End every process of the service with SIGKILL; its data stays as it is."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """Start again on the same data and port; a running service is stopped first."""
        self.stop()
        self.launch()

    def close(self) -> None:
        """Stop the service and remove its folder, unless that is to be kept."""
        if self.keep:
            self.stop()
            return
        self._end(self.abandon_signal)
        shutil.rmtree(self.home, ignore_errors=True)

    def __enter__(self) -> Self:
        """Hand out the service itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it."""
        self.close()

    def said(self) -> str:
        """Return what the service has logged since its last start."""
        with contextlib.suppress(FileNotFoundError):
            return self.log.read_bytes()[self._log_start :].decode(errors="replace")
        return ""

    def tail(self) -> str:
        """Return the last lines of that."""
        return "\n".join(self.said().splitlines()[-TAIL_LINES:])

    def _spawn(self) -> None:
        last = self.stop_signal if self.keep else self.abandon_signal
        options = [f"--last-signal={int(last)}"]
        if self.user:
            options += [f"--uid={self.user.uid}", f"--gid={self.user.gid}"]
        if not self.keep:
            options.append(f"--remove={self.home}")
        command = self.command()
        with self.log.open("ab") as log:
            self._log_start = log.tell()
            self._guardian = subprocess.Popen(
                [sys.executable, "-I", "-S", str(GUARDIAN), *options, "--", *command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                bufsize=0,
                cwd=self.home,
                env=self.environment(),
                start_new_session=True,
            )
        said = self._guardian.stdout
        self.pid = int((said.readline() if said else b"") or 0)

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + self.start_timeout
        while not self.answers():
            if self._guardian is None or self._guardian.poll() is not None:
                raise NotStarted(f"{self.name} ended while starting:\n{self.tail()}")
            if time.monotonic() > deadline:
                raise NotStarted(
                    f"{self.name} did not answer within {self.start_timeout:.0f} s:\n{self.tail()}"
                )
            time.sleep(0.03)

    def _end(self, number: signal.Signals) -> None:
        if self._guardian is None:
            return
        self.send_signal(number)
        if number != signal.SIGKILL:
            self.send_signal(signal.SIGCONT)  # a stopped process would not see it
            try:
                self._guardian.wait(self.stop_grace)
            except subprocess.TimeoutExpired:
                self.send_signal(signal.SIGKILL)
        self._let_go()

    def _let_go(self) -> None:
        if self._guardian is None:
            return
        self._guardian.wait()
        for pipe in (self._guardian.stdin, self._guardian.stdout):
            if pipe:
                pipe.close()
        self._guardian = None
        self.pid = 0
