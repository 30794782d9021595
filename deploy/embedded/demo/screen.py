"""What people see: a live picture in a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any, Final, Protocol, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from embedded.demo.figures import Figures
from embedded.demo.load import Load
from embedded.demo.programs import Program
from embedded.demo.stage import Stage

TOLD: Final = 6
"""Lines of what was said last."""

PLAIN_PAUSE: Final = 3.0
"""Seconds between two plain lines."""


class Screen(Protocol):
    """Shows what is said, and how things stand."""

    def __enter__(self) -> Self:
        """Begin."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End."""

    def say(self, line: str) -> None:
        """Tell one thing."""

    def download(self, name: str, here: int, of_all: int) -> None:
        """Show how far a download is."""

    def show(self, stage: Stage, load: Load, figures: Figures) -> None:
        """Show how things stand."""


class Rates:
    """Changes a second of counters, over the last seconds."""

    def __init__(self, window: float = 5.0) -> None:
        """Look back over `window` seconds."""
        self._window = window
        self._seen: dict[str, deque[tuple[float, int]]] = {}

    def of(self, name: str, value: int, now: float) -> float:
        """Note a counter's value; return its rate."""
        seen = self._seen.setdefault(name, deque())
        seen.append((now, value))
        while now - seen[0][0] > self._window:
            seen.popleft()
        then, before = seen[0]
        return (value - before) / (now - then) if now > then else 0.0


class Plain:
    """A line now and then."""

    def __init__(self, write: Callable[[str], None]) -> None:
        """Write lines with `write`."""
        self._write = write
        self._begun = time.monotonic()
        self._shown = 0.0
        self._rates = Rates()

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End."""

    def say(self, line: str) -> None:
        """Write it."""
        self._write(f"{time.monotonic() - self._begun:6.1f} s  {line}")

    def download(self, name: str, here: int, of_all: int) -> None:
        """Write the first and the last step."""
        if here in {1, of_all}:
            self.say(f"{name}: {here} of {of_all} jars")

    def show(self, stage: Stage, load: Load, figures: Figures) -> None:
        """Write one line, not too often."""
        now = time.monotonic()
        rows = counters(load, figures)
        rates = {name: self._rates.of(name, count, now) for name, count in rows}
        if now - self._shown < PLAIN_PAUSE:
            return
        self._shown = now
        line = ", ".join(f"{name} {count}" for name, count in rows)
        rate = f"{rates['commits']:.0f} commits/s"
        self.say(f"{rate}: {line}, {standing(figures)}{_away(stage)}")


class Pictures:
    """A live picture."""

    def __init__(self, console: Console) -> None:
        """Draw on this terminal."""
        self._console = console
        self._told: deque[str] = deque(maxlen=TOLD)
        self._progress = Progress(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), console=console
        )
        self._tasks: dict[str, Any] = {}
        self._live = Live(console=console, refresh_per_second=4)
        self._rates = Rates()
        self._begun = time.monotonic()

    def __enter__(self) -> Self:
        """Begin."""
        self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave the last picture where it is."""
        self._live.stop()

    def say(self, line: str) -> None:
        """Add it below the picture."""
        self._told.extend(
            f"{time.monotonic() - self._begun:6.1f} s  {x}" for x in line.split("\n")
        )
        if not self._live.renderable or not self._tasks.get("shown"):
            self._live.update(Group(self._progress, _lines(self._told)))

    def download(self, name: str, here: int, of_all: int) -> None:
        """Move a bar on."""
        if name not in self._tasks:
            self._tasks[name] = self._progress.add_task(name, total=of_all)
        self._progress.update(self._tasks[name], completed=here)
        self._live.update(self._progress)

    def show(self, stage: Stage, load: Load, figures: Figures) -> None:
        """Draw the picture."""
        self._tasks["shown"] = True
        now = time.monotonic()
        flow = _table("", "so far", "per second")
        for name, count in counters(load, figures):
            flow.add_row(name, f"{count:,}", f"{self._rates.of(name, count, now):,.1f}")
        states = _table("process", "state", "pid", "restarts")
        for service in stage.services:
            state = Text("runs", "green") if service.running else Text("away", "red")
            restarts = str(service.restarts) if isinstance(service, Program) else ""
            states.add_row(service.name, state, str(service.pid or ""), restarts)
        both = Table.grid(padding=(0, 4))
        both.add_row(flow, states)
        self._live.update(
            Group(Panel(both, title="odoo-cdc demo"), standing(figures), _lines(self._told))
        )


def counters(load: Load, figures: Figures) -> list[tuple[str, int]]:
    """Return what is counted, in the order of the data.

    A delivery ends as taken, superseded or dead. Each answer of the webshop is an acknowledgement,
    those to a retry and to a duplicate too.
    """
    return [
        ("commits", load.commits),
        ("events", figures.events),
        ("deliveries", figures.deliveries),
        ("taken by the webshop", figures.shop.get("accepted", 0)),
        ("superseded", figures.superseded),
        ("dead", figures.dead),
        ("acknowledgements", figures.acknowledgements),
        ("retries", figures.retries),
        ("duplicates", figures.shop.get("duplicates", 0)),
    ]


def standing(figures: Figures) -> str:
    """Say in one line what is on its way, and how long it takes."""
    latency = figures.shop.get("latency_ms", {})
    p50, p99 = latency.get("recent_p50"), latency.get("recent_p99")
    fast = f"commit to webshop p50 {p50:.0f} ms, p99 {p99:.0f} ms" if p50 is not None else ""
    behind = "" if figures.behind is None else f"WAL behind {figures.behind:,} bytes"
    return ", ".join(filter(None, (_waiting(figures), behind, fast)))


def _waiting(figures: Figures) -> str:
    if figures.waiting is not None:
        return f"waiting {figures.waiting}"
    last = figures.last_waiting
    return "" if last is None else f"waiting {last} when the worker was last asked"


def choose(console: Console, write: Callable[[str], None]) -> Screen:
    """Return a live picture where there is a terminal, plain lines elsewhere."""
    return Pictures(console) if console.is_terminal else Plain(write)


def _away(stage: Stage) -> str:
    away = [service.name for service in stage.services if not service.running]
    return f", away: {', '.join(away)}" if away else ""


def _table(*names: str) -> Table:
    table = Table(box=None, pad_edge=False)
    for place, name in enumerate(names):
        table.add_column(name, justify="left" if place == 0 else "right")
    return table


def _lines(lines: Iterable[str]) -> RenderableType:
    return Text("\n".join(lines), "dim")
