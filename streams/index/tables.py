"""The tables of the file, and rows as they stand there. Pure.

deliveries  id -> what is shown of it, and what each topic said last
words       partition, offset, number in it -> delivery, time, the word as text
reach       topic, partition -> the offset up to which it is read; the topic's own id;
without a topic: when everything was read
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from schemas.position import is_replay
from schemas.state import State
from streams.index.merged import Merged, Told, packed, unpacked
from streams.index.row import Row, Wanted

FORMAT: Final = 3
TABLES: Final = """
CREATE TABLE deliveries (
    id TEXT NOT NULL UNIQUE, target TEXT, route TEXT, model TEXT, record INTEGER,
    state TEXT, since REAL, waits REAL, final INTEGER, unsettled INTEGER,
    partition INTEGER, on_its_way TEXT, entry TEXT, dead TEXT,
    place INTEGER, letter INTEGER, written REAL, superseded_by TEXT, "order" INTEGER, steps TEXT,
    given_up TEXT, queued REAL, accepted REAL, delivered REAL, failed REAL
);
CREATE INDEX unsettled ON deliveries (target, state, final, waits) WHERE unsettled;
CREATE INDEX places ON deliveries (partition, place) WHERE place IS NOT NULL;
CREATE INDEX letters ON deliveries (partition, letter) WHERE letter IS NOT NULL;
CREATE INDEX lately ON deliveries (written) WHERE written IS NOT NULL;
CREATE TABLE words (
    partition INTEGER, place INTEGER, number INTEGER, id TEXT, at REAL, said TEXT,
    PRIMARY KEY (partition, place, number)
) WITHOUT ROWID;
CREATE INDEX words_of ON words (id);
CREATE TABLE reach (
    topic TEXT, partition INTEGER, next INTEGER, topic_id TEXT, PRIMARY KEY (topic, partition)
) WITHOUT ROWID;
"""
TIMES: Final = {  # columns with the time of the latest of some steps
    "queued": (State.QUEUED,),
    "accepted": (State.ACCEPTED,),
    "delivered": (State.DELIVERED,),
    "failed": (State.REJECTED, State.DEAD),
}
_COLUMNS: Final = (
    "id", "target", "route", "model", "record", "state", "since", "waits", "final",
    "unsettled", "partition", "on_its_way", "entry", "dead", "place", "letter", "written",
    "superseded_by", "order", "steps", "given_up", *TIMES,
)  # fmt: skip
_NAMES: Final = ", ".join(f'"{name}"' for name in _COLUMNS)
SELECT: Final = f"SELECT {_NAMES} FROM deliveries"
WRITE: Final = (
    f"INSERT INTO deliveries ({_NAMES}) VALUES ({', '.join('?' * len(_COLUMNS))})"
    " ON CONFLICT (id) DO UPDATE SET "
    + ", ".join(f'"{name}" = excluded."{name}"' for name in _COLUMNS[1:])
)


def where(wanted: Wanted, now: float) -> tuple[str, list[Any]]:
    """Return the condition of rows that are asked for, and its values."""
    parts: list[str] = ["since <= ?"]
    values: list[Any] = [now - wanted.age]
    for name, chosen in (("target", wanted.targets), ("route", wanted.routes)):
        if chosen:
            parts.append(f"{name} IN ({', '.join('?' * len(chosen))})")
            values += sorted(chosen)
    if wanted.states:
        parts.append(f"state IN ({', '.join('?' * len(wanted.states))})")
        values += sorted(state.value for state in wanted.states)
    else:
        parts.append("unsettled")
    if wanted.model:
        parts.append("model = ?")
        values.append(wanted.model)
    if wanted.record is not None:
        parts.append("record = ?")
        values.append(wanted.record)
    return " AND ".join(parts), values


def merged_of(found: Sequence[Any]) -> Merged:
    """Return what a row of `deliveries` holds, its columns in order."""
    values = dict(zip(_COLUMNS, found, strict=True))
    about = {name: values[name] for name in ("id", "target", "route", "model", "record")}
    rows = (values[name] for name in ("on_its_way", "entry", "dead"))
    on_its_way, entry, dead = (unpacked(json.loads(r) if r else None, about) for r in rows)
    return Merged(
        id=values["id"],
        partition=values["partition"],
        on_its_way=on_its_way,
        entry=entry,
        dead=dead,
        place=values["place"],
        letter=values["letter"],
        written=values["written"],
        superseded_by=values["superseded_by"],
        order=values["order"],
        steps=tuple(Told(*each) for each in json.loads(values["steps"] or "[]")),
        given_up=values["given_up"],
    )


def values_of(merged: Merged, row: Row) -> tuple[Any, ...]:
    """Return the columns of a row of `deliveries`; `row` is what is shown."""
    steps = json.dumps(merged.steps, ensure_ascii=False) if merged.steps else None
    return (
        merged.id, row.target, row.route, row.model, row.record,
        row.state.value, row.since, _waits(merged, row), row.final, row.unsettled,
        merged.partition, *map(_text, (merged.on_its_way, merged.entry, merged.dead)),
        merged.place, merged.letter, merged.written, merged.superseded_by, merged.order, steps,
        merged.given_up,
        *(merged.latest(*states) for states in TIMES.values()),
    )  # fmt: skip


def _waits(merged: Merged, row: Row) -> float:
    """Return since when it waits, if it does: of a past event since it was sent once more."""
    queued = merged.latest(State.QUEUED) if is_replay(merged.id) else None
    return row.since if queued is None else queued


def _text(row: Row | None) -> str | None:
    return None if row is None else json.dumps(packed(row), ensure_ascii=False)
