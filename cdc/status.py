"""How far capture is, seen from outside: from Postgres, and from the shadow on this host."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any, Final

from cdc import wal
from cdc.notes import ABOUT, PROGRESS, RESENDING
from cdc.postgres import publication, slot
from cdc.postgres.connect import Session
from cdc.postgres.facts import Facts, gather
from cdc.postgres.publication import PublicationState
from cdc.postgres.refusals import RECOVER
from cdc.postgres.slot import SlotState
from cdc.reading import Reading
from cdc.resending.job import DOCUMENTS, LOOKED, OF, REACHED, Job
from cdc.shadow.look import Seen, look
from schemas.config import Config
from schemas.errors import ServiceUnavailable
from schemas.position import format_lsn, parse_lsn

PAUSED: Final = (
    "Bring it back as it was; or leave the field out of the routes, or, where it is gone, give it"
    " a `default` wherever they send it, then SIGHUP to capture"
)
_HALF: Final = 0.5
_MEGABYTE: Final = 1 << 20


def report(config: Config) -> dict[str, Any]:
    """Return how far capture is; `unavailable` says why Postgres could not be asked.

    Sizes are bytes, times seconds. `lag_seconds` is the age of what is durable, 0 where nothing
    is left to do, None where this host has no shadow to ask.
    """
    seen = look(config.state / "capture")
    try:
        with Session.connect(config.source.dsn, "odoo-cdc-status") as session:
            facts = gather(session)
            state = slot.look(session, config.source.slot)
            published = publication.look(session, config.source.publication)
    except ServiceUnavailable as error:
        return {**_of_shadow(seen), "unavailable": str(error), "warnings": []}
    stop_at = config.source.stop_at_wal
    growing = growth(seen, state, time.time())
    return {
        **_of_slot(state),
        "lag_seconds": _age(seen, state, time.time()),
        "wal_keep_bytes": facts.max_slot_wal_keep_size,
        "wal_stop_bytes": stop_at or None,
        "wal_hourly_bytes": growing and round(growing.hourly),
        "wal_left_seconds": growing and growing.seconds_to(wal.room(state, stop_at)),
        **_of_shadow(seen),
        "warnings": [
            *warnings(facts, state),
            *wal.warnings(state, stop_at, growing),
            *(_lifted(published) if config.source.publish == "columns" else ()),
            *_waits(seen),
            *_paused(seen),
            *_left_out(seen),
        ],
    }


def warnings(facts: Facts, state: SlotState) -> Iterator[str]:
    """Say what will be lost if nothing is done: from half of what Postgres keeps."""
    name = f'the replication slot "{state.name}"'
    if not state.exists:
        yield f"{name} is not there: `odoo-cdc setup` makes it before the first start"
        return
    if state.lost:
        yield f"{name} is lost. {RECOVER}"
        return
    if state.active_pid is None:
        yield "capture is not running: Postgres keeps all WAL for it"
    held, keep = state.wal_held or 0, facts.max_slot_wal_keep_size
    if keep is not None and held > keep * _HALF:
        yield (
            f"{name} holds {held // _MEGABYTE} of the {keep // _MEGABYTE} MiB of WAL that"
            " Postgres keeps (max_slot_wal_keep_size); beyond that it is lost"
        )
    elif state.wal_status in {"extended", "unreserved"}:
        yield f"{name} holds {held // _MEGABYTE} MiB of WAL ({state.wal_status})"
    oldest = facts.oldest_write
    if oldest is not None and (oldest.seconds or 0) > 600:  # noqa: PLR2004  seconds
        yield (
            f"a write transaction of {oldest.name} is open for {oldest.seconds:.0f} s: what it"
            " has written is published when it ends, and WAL is kept till then"
        )


def _lifted(published: PublicationState) -> Iterator[str]:
    if whole := [name for name, table in published.tables.items() if not table.listed]:
        yield (
            f"no column lists for {', '.join(whole)}: all their columns leave the database. When"
            " the upgrade of Odoo is over, `odoo-cdc setup` puts the lists back"
        )


def growth(seen: Seen | None, state: SlotState, now: float) -> wal.Growth | None:
    """Return what was written since the last commit of the shadow, as so much an hour.

    While capture goes on that was a moment ago: then nobody knows, and nothing need be known.
    """
    note = seen.notes.get(PROGRESS, {}) if seen else {}
    if "at" not in note or state.confirmed_flush_lsn is None or state.lag is None:
        return None
    end = state.confirmed_flush_lsn + state.lag
    return wal.Growth.between((note["at"], note["lsn"]), (now, end))


def _waits(seen: Seen | None) -> Iterator[str]:
    held = ", ".join((seen.notes.get(PROGRESS, {}) if seen else {}).get("held", ()))
    if held:
        yield (
            f"documents of {held} wait for the workers: is `odoo-cdc stream` running, and"
            " are WSO2 and the targets there?"
        )


def _left_out(seen: Seen | None) -> Iterator[str]:
    absent = (seen.notes.get(PROGRESS, {}) if seen else {}).get("absent", ())
    if absent:
        yield (
            f"the stream leaves out {', '.join(absent)}: what shows them waits, and nothing of it"
            " is lost. capture's log and `odoo-cdc check` say why"
        )


def _paused(seen: Seen | None) -> Iterator[str]:
    paused = (seen.notes.get(PROGRESS, {}) if seen else {}).get("paused", {})
    for model, why in paused.items():
        yield f"documents of {model} wait, and nothing of them is lost: {why}. {PAUSED}"


def _of_slot(state: SlotState) -> dict[str, Any]:
    return {
        "slot": state.name,
        "slot_state": "lost" if state.lost else state.wal_status or "missing",
        "running": state.active_pid is not None,
        "lag_bytes": state.lag,
        "wal_held_bytes": state.wal_held,
        "confirmed_lsn": state.confirmed_flush_lsn and format_lsn(state.confirmed_flush_lsn),
    }


def _of_shadow(seen: Seen | None) -> dict[str, Any]:
    if seen is None:
        return {
            "shadow_bytes": None,
            "generation": None,
            "loading": [],
            "reading": {},
            "transaction": None,
            "publishing": [],
            "reading_again": [],
            "left_out": [],
            "paused": {},
            "due": {},
            "held": [],
            "resends": [],
        }
    about, progress = seen.notes.get(ABOUT, {}), seen.notes.get(PROGRESS, {})
    return {
        "shadow_bytes": seen.size,
        "generation": about.get("generation"),
        "loading": sorted(progress.get("frontiers", ())),
        "reading": dict(_reading(progress)),
        "transaction": transaction_of(progress),
        "publishing": sorted(progress.get("published", ())),
        "reading_again": sorted(progress.get("doubted", ())),
        "left_out": sorted(progress.get("absent", ())),
        "paused": progress.get("paused", {}),
        "due": progress.get("due", {}),
        "held": sorted(progress.get("held", ())),
        "resends": list(_resends(seen.notes.get(RESENDING, {}))),
    }


def _reading(progress: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give how far each table is that is being read; about how many rows it has is an estimate."""
    for table, note in sorted(progress.get("reading", {}).items()):
        read = Reading.from_json(note)
        left = read.seconds_left
        yield (
            table,
            {
                "rows": read.rows,
                "of": read.of,
                "per_second": read.rate or None,
                "left_seconds": None if left is None else round(left, 1),
            },
        )


def transaction_of(progress: Mapping[str, Any]) -> dict[str, Any] | None:
    """Give where the stream was a moment ago in a transaction that takes long."""
    found: dict[str, Any] | None = progress.get("transaction")
    if found is None or progress["lsn"] >= parse_lsn(found["commit_lsn"]):
        return None  # it is published
    return found


def _resends(note: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Give a row for each resend under way, in the order in which they were asked for."""
    for job in map(Job.from_json, note.get("jobs", ())):
        yield {
            "id": job.id,
            "model": job.request.model,
            "since": job.when,
            "by": job.by,
            **{name: job.progress.get(name, 0) for name in (OF, REACHED, LOOKED, DOCUMENTS)},
            "waits": note.get("waits", {}).get(job.id, ""),
        }


def _age(seen: Seen | None, state: SlotState, now: float) -> float | None:
    if not state.lag:
        return 0.0
    at = seen.notes.get(PROGRESS, {}).get("at") if seen else None
    return None if at is None else round(max(0.0, now - at), 1)
