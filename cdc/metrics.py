"""What capture counts, as Prometheus text (exposition format 0.0.4). Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import Any, Final, Literal

PREFIX: Final = "odoo_cdc_capture_"
CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

_HELP: Final = "help"
_KIND: Final = "kind"


def _counter(about: str) -> Any:
    return field(default=0, metadata={_HELP: about, _KIND: "counter"})


def _gauge(about: str) -> Any:
    return field(default=None, metadata={_HELP: about, _KIND: "gauge"})


@dataclass(frozen=True, slots=True)
class Figures:
    """Capture as it stands at one moment; None is not known, and not written.

    Counters count from the start of the process. Sizes are bytes, times seconds, positions LSNs.
    """

    events_total: int = _counter("events published")
    changes_total: int = _counter("changes of rows read that some route selects")
    transactions_total: int = _counter("transactions read")
    reloads_total: int = _counter("files taken while it ran")
    reloads_refused_total: int = _counter("files not taken: the log says why")
    connected: int | None = _gauge("1 while the stream from Postgres is followed")
    loading_tables: int | None = _gauge("tables whose existing rows are still being read")
    loaded_rows: int | None = _gauge("rows read so far of those tables that are begun")
    loading_rows: int | None = _gauge("about how many rows those tables have")
    transaction_rows: int | None = _gauge("changes read so far of the transaction at hand")
    publishing_models: int | None = _gauge("models whose existing documents are being published")
    due_documents: int | None = _gauge("documents put off or to be recovered, at most")
    paused_models: int | None = _gauge("models that wait for a column or table")
    held_models: int | None = _gauge("of those, the ones that the workers keep waiting")
    lag_bytes: int | None = _gauge("WAL that Postgres has sent and that is not durable here")
    lag_seconds: float | None = _gauge("age of the last commit handled, 0 when all is handled")
    wal_held_bytes: int | None = _gauge("WAL that Postgres keeps for the slot")
    wal_hourly_bytes: int | None = _gauge("how much more of it an hour, over the last ten minutes")
    wal_left_seconds: float | None = _gauge("until the slot is lost or dropped, at that rate")
    received_lsn: int | None = _gauge("how far Postgres has sent")
    durable_lsn: int | None = _gauge("how far everything is in Kafka and in the shadow")
    confirmed_lsn: int | None = _gauge("how far Postgres was told that it may forget")
    shadow_bytes: int | None = _gauge("size of the shadow's file")


def text(figures: Figures) -> str:
    """Write the figures as Prometheus reads them."""
    return "".join(f"{line}\n" for line in _lines(figures))


def _lines(figures: Figures) -> Iterator[str]:
    for each in fields(figures):
        value = getattr(figures, each.name)
        if value is None:
            continue
        name = PREFIX + each.name
        kind: Literal["counter", "gauge"] = each.metadata[_KIND]
        yield f"# HELP {name} {each.metadata[_HELP]}"
        yield f"# TYPE {name} {kind}"
        # Never in exponents: an LSN must keep all its digits.
        yield f"{name} {value}" if isinstance(value, int) else f"{name} {value:.3f}"
