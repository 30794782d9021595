"""What people see: a live picture in a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from types import TracebackType
from typing import Any, Final, Protocol, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from embedded.demo.branch.odoo import title
from embedded.demo.figures import Figures, Side
from embedded.demo.load import Load
from embedded.demo.programs import Program
from embedded.demo.stage import Stage

TOLD: Final = 6
"""Lines of what was said last."""

TITLE: Final = "odoo-cdc demo"
WIDE: Final = 110
"""Columns in which there is room for every process."""

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
        parts = [f"{rates['commits']:.0f} commits/s", _said(rows)]
        for name, side in sides(stage, figures):
            parts.append(f"{name} {_said(of_target(side))}, {standing(side)}")
        parts.append(f"{_behind(figures)}{_away(stage)}")
        self.say("; ".join(filter(None, parts)))


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
        shown = sides(stage, figures)
        tables = Group(self._flow(load, figures, now), Text(), self._targets(shown, now))
        lines = [f"{name}: {standing(side)}" for name, side in shown]
        if self._console.width >= WIDE:
            both = Table.grid(padding=(0, 4))
            both.add_row(tables, _states(stage))
            panel = Panel(both, title=TITLE)
        else:
            panel = Panel(tables, title=TITLE)
            lines.append(f"{len(stage.services)} processes{_away(stage)}")
        how = Text("\n".join([*lines, _behind(figures)]))
        self._live.update(Group(panel, how, _lines(self._told)))

    def _flow(self, load: Load, figures: Figures, now: float) -> Table:
        table = _table("", "so far", "per second")
        for name, count in counters(load, figures):
            table.add_row(name, f"{count:,}", f"{self._rates.of(name, count, now):,.1f}")
        return table

    def _targets(self, shown: Sequence[tuple[str, Side]], now: float) -> Table:
        """Draw the targets side by side; a second line of a name says what the branch's is."""
        titles = [name.replace(" (", "\n(") for name, _ in shown]
        table = _table("", *(x for name in titles for x in (name, "per second")))
        for rows in zip(*(of_target(side) for _, side in shown), strict=True):
            cells = []
            for (name, _), (row, count) in zip(shown, rows, strict=True):
                rate = self._rates.of(f"{name} {row}", count, now)
                cells += [f"{count:,}", f"{rate:,.1f}"]
            table.add_row(rows[0][0], *cells)
        return table


def counters(load: Load, figures: Figures) -> list[tuple[str, int]]:
    """Return what is counted before it is known where it goes, in the order of the data."""
    return [
        ("commits", load.commits),
        ("events", figures.events),
        ("records in the branch", figures.kept),
    ]


def sides(stage: Stage, figures: Figures) -> list[tuple[str, Side]]:
    """Return the targets by the names that people know them by."""
    return [
        ("webshop", figures.webshop),
        (f"branch ({title(stage.branch)})", figures.branch),
    ]


def of_target(side: Side) -> list[tuple[str, int]]:
    """Return what is counted of a target, in the order of the data.

    A delivery ends as taken, superseded or dead. Each answer of a target is an acknowledgement,
    those to a retry and to a duplicate too.
    """
    return [
        ("deliveries", side.deliveries),
        ("taken", side.taken),
        ("superseded", side.superseded),
        ("dead", side.dead),
        ("acknowledgements", side.acknowledgements),
        ("retries", side.retries),
        ("duplicates", side.duplicates),
    ]


def standing(side: Side) -> str:
    """Say in one line what is on its way to a target, and how long it takes."""
    p50, p99 = side.latency.get("recent_p50"), side.latency.get("recent_p99")
    fast = "" if p50 is None else f"from the commit p50 {p50:.0f} ms, p99 {p99:.0f} ms"
    return ", ".join(filter(None, (_waiting(side), fast)))


def _behind(figures: Figures) -> str:
    return "" if figures.behind is None else f"WAL behind {figures.behind:,} bytes"


def _said(rows: Iterable[tuple[str, int]]) -> str:
    return ", ".join(f"{name} {count}" for name, count in rows)


def _waiting(side: Side) -> str:
    if side.waiting is not None:
        return f"waiting {side.waiting}"
    last = side.last_waiting
    return "" if last is None else f"waiting {last} when the worker was last asked"


def choose(console: Console, write: Callable[[str], None]) -> Screen:
    """Return a live picture where there is a terminal, plain lines elsewhere."""
    return Pictures(console) if console.is_terminal else Plain(write)


def _states(stage: Stage) -> Table:
    table = _table("process", "state", "pid", "restarts")
    for service in stage.services:
        state = Text("runs", "green") if service.running else Text("away", "red")
        restarts = str(service.restarts) if isinstance(service, Program) else ""
        table.add_row(service.name, state, str(service.pid or ""), restarts)
    return table


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
