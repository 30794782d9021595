"""What `failover: true` needs of the server and of its standbys. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cdc.postgres.facts import Facts
from cdc.postgres.slot import FAILOVER, SlotState
from cdc.todo import NoFailover
from schemas.finding import Finding

_WHERE: Final = "source.failover"


def findings(facts: Facts, state: SlotState) -> Iterator[Finding]:
    """Return what of it is missing, as far as the primary shows."""
    if facts.version < FAILOVER:
        server = f"Postgres {facts.version // 10000}"
        yield _error(f"{server} synchronises no slots to standbys", NoFailover.hint)
        return
    if state.exists and not state.failover:
        message = f'the replication slot "{state.name}" is not synchronised to standbys'
        yield _warning(message, "stop capture, then run `odoo-cdc setup`")
    if not facts.standby_slots:
        yield _warning(
            "no standby reads through a physical replication slot: none can take our slot over",
            "on the standby set primary_slot_name to a physical slot of the primary that is its"
            " own, name the database in primary_conninfo (dbname=...), and set"
            " hot_standby_feedback = on and sync_replication_slots = on",
        )
    elif not facts.waits_for:
        names = ", ".join(facts.standby_slots)
        yield _warning(
            "synchronized_standby_slots is empty: capture may publish what the standby does not"
            " have when it takes over, and would then refuse to follow it",
            f"ALTER SYSTEM SET synchronized_standby_slots = '{names}', those of the standbys that"
            " may take over; then SELECT pg_reload_conf()",
        )


def _error(message: str, remedy: str) -> Finding:
    return Finding("error", _WHERE, None, message, remedy)


def _warning(message: str, remedy: str) -> Finding:
    return Finding("warning", _WHERE, None, message, remedy)
