"""What a program counts, as Prometheus text (exposition format 0.0.4).

Plain numbers in one process and one event loop: no locks, no registry, no labels but the one
that each metric names below.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0, 600.0)

COUNTERS: Final[Mapping[str, tuple[str, str]]] = {  # name -> (its label or "", what it counts)
    "events": ("model", "events read"),
    "events_unreadable": ("topic", "records that are no events, left where they are"),
    "deliveries_unreadable": ("topic", "records that are no deliveries, left where they are"),
    "routes_ignored": ("route", "events by users whom the route ignores"),
    "routes_not_started": ("route", "events older than the fields that the route reads"),
    "dispatched": ("target", "deliveries made from events"),
    "stillborn": ("target", "deliveries that could not be made, dead at birth"),
    "attempts": ("target", "calls to WSO2"),
    "accepted": ("target", "deliveries that WSO2 has taken"),
    "retries": ("target", "attempts that will be repeated"),
    "delivered": ("target", "deliveries that the target has taken"),
    "rejected": ("target", "deliveries that the target has refused"),
    "dead": ("target", "deliveries given up"),
    "superseded": ("target", "deliveries replaced by a newer one while they waited"),
    "copies_dropped": ("target", "later copies of a delivery"),
    "deadlines": ("target", "acknowledgements that did not come in time"),
    "acknowledgements": ("status", "acknowledgements applied"),
    "acknowledgements_refused": ("http_status", "acknowledgements turned away at the intake"),
    "acknowledgements_unknown": ("", "acknowledgements of deliveries that nobody knows"),
    "acknowledgements_unreadable": ("", "records of the responses that are none"),
    "acknowledgements_moved": ("", "acknowledgements produced again to their chain's partition"),
    "commands": ("kind", "commands of operators done, per partition"),
    "reloads": ("result", "files taken or refused while it ran"),
    "commands_unreadable": ("", "records of the commands that are none"),
    "gate_closed": ("reason", "times that sending to WSO2 was halted"),
    "filled": ("target", "deliveries that got their values from Odoo"),
    "moved_on": (
        "target",
        "values left out: their record was written after the event, or is gone",
    ),
    "withheld": ("target", "times that Odoo did not give the values of a delivery"),
    "odoo_away": ("reason", "times that Odoo was asked and was not to be had"),
    "breaker_opened": ("target", "times that sending to a target was halted because it failed"),
}
HISTOGRAMS: Final[Mapping[str, str]] = {
    "latency_accepted": "seconds from the commit to WSO2's 202",
    "latency_delivered": "seconds from the commit to the target's word",
    "send": "seconds of one call to WSO2",
    "odoo": "seconds of asking Odoo for the values of some deliveries",
}


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All that a program counts and measures; `prefix` begins the name of each."""

    prefix: str
    counters: Mapping[str, tuple[str, str]]
    histograms: Mapping[str, str]


WORKER: Final = Catalogue("odoo_cdc_stream_", COUNTERS, HISTOGRAMS)


class Meter(Protocol):
    """Counts what happens."""

    def count(self, name: str, label: str = "", by: int = 1) -> None:
        """Add to a counter."""

    def observe(self, name: str, seconds: float) -> None:
        """Add a duration to a histogram."""


@dataclass(frozen=True, slots=True)
class Gauge:
    """One number as it stands at the time of asking; `labels` are (name, value) pairs."""

    name: str
    help: str
    value: float
    labels: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True)
class _Histogram:
    counts: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS) + 1))
    total: float = 0.0

    def add(self, seconds: float) -> None:
        self.counts[bisect_left(BUCKETS, seconds)] += 1
        self.total += seconds


@dataclass(slots=True)
class Metrics:
    """Counters and histograms of one program, a worker where nothing else is said."""

    catalogue: Catalogue = WORKER
    _counts: dict[str, dict[str, int]] = field(default_factory=dict)
    _histograms: dict[str, _Histogram] = field(default_factory=dict)

    def count(self, name: str, label: str = "", by: int = 1) -> None:
        """Add to a counter; KeyError for a name that the catalogue does not hold."""
        if name not in self.catalogue.counters:
            raise KeyError(name)
        counts = self._counts.setdefault(name, {})
        counts[label] = counts.get(label, 0) + by

    def observe(self, name: str, seconds: float) -> None:
        """Add one duration; a negative one, where clocks differ, counts as none."""
        if name not in self.catalogue.histograms:
            raise KeyError(name)
        self._histograms.setdefault(name, _Histogram()).add(max(0.0, seconds))

    def value(self, name: str, label: str | None = None) -> int:
        """Return a counter, over all labels where none is given."""
        counts = self._counts.get(name, {})
        return sum(counts.values()) if label is None else counts.get(label, 0)

    def text(self, gauges: Iterable[Gauge] = ()) -> str:
        """Write everything, and the gauges given, as Prometheus reads it."""
        known = self.catalogue
        lines: list[str] = []
        for short, (label, about) in known.counters.items():
            name = f"{known.prefix}{short}_total"
            lines += _head(name, about, "counter")
            counts = self._counts.get(short, {} if label else {"": 0})
            lines += [
                _line(name, ((label, value),) if label else (), count)
                for value, count in sorted(counts.items())
            ]
        for short, about in known.histograms.items():
            name = f"{known.prefix}{short}_seconds"
            lines += _head(name, about, "histogram")
            lines += _histogram(name, self._histograms.get(short, _Histogram()))
        lines += _gauges(known.prefix, gauges)
        return "\n".join(lines) + "\n"


def _gauges(prefix: str, gauges: Iterable[Gauge]) -> list[str]:
    lines: list[str] = []
    seen: set[str] = set()
    for gauge in sorted(gauges, key=lambda g: (g.name, g.labels)):
        if gauge.name not in seen:
            seen.add(gauge.name)
            lines += _head(f"{prefix}{gauge.name}", gauge.help, "gauge")
        lines.append(_line(f"{prefix}{gauge.name}", gauge.labels, gauge.value))
    return lines


def _histogram(name: str, histogram: _Histogram) -> list[str]:
    lines, running = [], 0
    for bound, count in zip((*BUCKETS, float("inf")), histogram.counts, strict=True):
        running += count
        text = "+Inf" if bound == float("inf") else f"{bound:g}"
        lines.append(_line(f"{name}_bucket", (("le", text),), running))
    lines.append(_line(f"{name}_sum", (), histogram.total))
    lines.append(_line(f"{name}_count", (), running))
    return lines


def _head(name: str, about: str, kind: str) -> list[str]:
    return [f"# HELP {name} {about}", f"# TYPE {name} {kind}"]


def _line(name: str, labels: Iterable[tuple[str, str]], value: float) -> str:
    inside = ",".join(f'{key}="{_escape(text)}"' for key, text in labels)
    return f"{name}{{{inside}}} {value:g}" if inside else f"{name} {value:g}"


def _escape(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
