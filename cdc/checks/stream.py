"""Publication and slot: what `setup` still has to do, and what went away behind capture. Pure.

`captured` says that capture has a shadow: then a slot or publication that is not there is no
first start but a loss.
"""

from __future__ import annotations

from collections.abc import Iterator

from cdc.postgres.facts import Facts
from cdc.postgres.publication import OPERATIONS, PublicationState, missing, named
from cdc.postgres.publishing import PublicationUnfit
from cdc.postgres.refusals import PublicationMissing, SlotLost, SlotMissing
from cdc.postgres.slot import SlotState
from cdc.selection import Selection
from cdc.todo import SlotOlder, SlotUnfit, unfit
from schemas.finding import Finding, Level

_SETUP = "run `odoo-cdc setup`"
_MEGABYTE = 1 << 20


def of_publication(
    selection: Selection,
    state: PublicationState,
    slot: SlotState,
    *,
    captured: bool,
    lists: bool = False,
) -> Iterator[Finding]:
    """Compare the publication with what the routes need; `lists`: with the columns, not more."""
    level: Level = "error" if captured else "warning"
    name = f'the publication "{state.name}"'
    if not state.exists:
        if slot.exists:
            message = f'{name} is not there, the replication slot "{slot.name}" is'
            yield _publication("error", message, SlotOlder.hint)
        else:
            remedy = _remedy(PublicationMissing, captured=captured)
            yield _publication(level, f"{name} is not there", remedy)
        return
    if state.all_tables:
        yield _publication("error", f"{name} is for all tables", PublicationUnfit.hint)
        return
    if lacking := missing(state, selection.columns):
        yield _publication(level, f"{name} lacks {named(lacking)}", _SETUP)
    if filtered := [n for n, t in sorted(state.tables.items()) if t.row_filter]:
        message = f"{name} has row filters for {', '.join(filtered)}"
        yield _publication("error", message, f"{_SETUP}: it publishes every row")
    yield from _of_lists(name, selection, state) if lists else _of_whole(name, state)
    unpublished = sorted(OPERATIONS - state.operations)
    if unpublished:
        yield _publication("error", f"{name} leaves out {', '.join(unpublished)}", _SETUP)
    if state.schemas:
        message = f"{name} carries whole schemas: {', '.join(state.schemas)}"
        yield _publication("warning", message, _SETUP)


def _of_whole(name: str, state: PublicationState) -> Iterator[Finding]:
    if listed := [n for n, t in sorted(state.tables.items()) if t.listed]:
        message = f"{name} has column lists for {', '.join(listed)}"
        remedy = f"{_SETUP}: it publishes whole tables; or write publish: columns"
        yield _publication("error", message, remedy)


def _of_lists(name: str, selection: Selection, state: PublicationState) -> Iterator[Finding]:
    wanted = selection.columns
    there = {table: state.tables[table] for table in sorted(wanted) if table in state.tables}
    if whole := [table for table, published in there.items() if not published.listed]:
        yield _publication(
            "warning",
            f"{name} has no column lists for {', '.join(whole)}: all their columns leave the"
            " database, and what no route selects is dropped as it is read",
            f"{_SETUP}; where they are lifted for an upgrade of Odoo, after that",
        )
    more = {
        table: sorted(beyond)
        for table, published in there.items()
        if published.listed and (beyond := set(published.attnames).difference(wanted[table]))
    }
    if more:
        message = f"{name} lists columns that no route selects: {named(more)}"
        yield _publication("warning", message, _SETUP)


def of_slot(facts: Facts, state: SlotState, *, captured: bool) -> Iterator[Finding]:
    """Say whether capture can read from the slot, and for how long still."""
    name = f'the replication slot "{state.name}"'
    if not state.exists:
        level: Level = "error" if captured else "warning"
        yield _slot(level, f"{name} is not there", _remedy(SlotMissing, captured=captured))
    elif state.lost:
        why = f" ({state.invalidation_reason})" if state.invalidation_reason else ""
        yield _slot("error", f"{name} is lost{why}", SlotLost.hint)
    elif why := unfit(state, facts.database):
        yield _slot("error", f"{name}: {why}", SlotUnfit.hint)
    elif state.wal_status in {"extended", "unreserved"}:
        left = (
            ""
            if state.safe_wal_size is None
            else f"; {state.safe_wal_size // _MEGABYTE} MiB more and it is lost"
        )
        held = (state.wal_held or 0) // _MEGABYTE
        yield _slot(
            "warning",
            f"{name} holds {held} MiB of WAL, more than the server wants to keep"
            f" ({state.wal_status}){left}",
            "start capture, or see in `odoo-cdc status` what it waits for",
        )


def _remedy(error: type[PublicationMissing | SlotMissing], *, captured: bool) -> str:
    return error.hint if captured else _SETUP


def _publication(level: Level, message: str, remedy: str) -> Finding:
    return Finding(level, "source.publication", None, message, remedy)


def _slot(level: Level, message: str, remedy: str) -> Finding:
    return Finding(level, "source.slot", None, message, remedy)
