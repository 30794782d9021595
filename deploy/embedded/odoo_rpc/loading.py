"""`load`: rows of text become records, found again by their external ids; all of them or none.

Columns are paths: `name`, `partner_id/id` (external id), `partner_id/.id` (database id), `id` and
`.id` of the record itself, `order_line/...` of its lines. A row whose own columns are all empty
continues the record above with one more line. Lines that no row names stay as they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import psycopg

from embedded.odoo_rpc import constraints, names
from embedded.odoo_rpc.environment import Env
from embedded.odoo_rpc.faults import Fault
from embedded.odoo_rpc.importing import Columns, Importer, Problem, tree
from embedded.odoo_rpc.model import Model, Values

Path = tuple[str, ...]


class Record(NamedTuple):
    """The rows of one record: first and last, counted from 0."""

    first: int
    last: int
    rows: list[list[Any]]


def load(env: Env, model: Model, fields: Sequence[str], data: Sequence[list[Any]]) -> Values:
    """Return `{ids, messages, nextrow}`; `ids` is False where a message is an error.

    Whatever goes wrong with a row is a message, what the database refuses too; only an unknown
    column is raised, as ValueError.
    """
    paths = [tuple(each.split("/")) for each in fields]
    columns = tree(model, paths)
    ids: list[int] = []
    messages: list[Values] = []
    with env.cursor.connection.transaction() as whole:
        for number, record in enumerate(_records(model, paths, data)):
            found, problems = _load_one(env, model, columns, record)
            ids.append(found)
            messages += [_message(number, record, problem) for problem in problems]
        if messages:
            raise psycopg.Rollback(whole)
    return {"ids": False if messages else ids, "messages": messages, "nextrow": 0}


def _records(model: Model, paths: Sequence[Path], data: Sequence[list[Any]]) -> Iterator[Record]:
    lines = [
        place
        for place, path in enumerate(paths)
        if path[0] in model.declared.fields and model.field(path[0]).type == "one2many"
    ]
    own = [place for place in range(len(paths)) if place not in lines]
    start = 0
    while start < len(data):
        end = start + 1
        while end < len(data) and not _any(data[end], own) and _any(data[end], lines):
            end += 1
        yield Record(start, end - 1, [list(row) for row in data[start:end]])
        start = end


def _any(row: Sequence[Any], places: Sequence[int]) -> bool:
    return any(row[place] for place in places)


def _load_one(
    env: Env, model: Model, columns: Columns, record: Record
) -> tuple[int, list[Problem]]:
    importer = Importer(env)
    values = importer.values(model, columns, record.rows)
    if importer.problems:
        return 0, importer.problems
    try:
        with env.cursor.connection.transaction():
            return _save(env, model, values), []
    except psycopg.Error as error:
        return 0, [_refused(error, env.user.id)]
    except (Fault, ValueError, TypeError) as error:
        return 0, [Problem("", "", str(error))]


def _save(env: Env, model: Model, values: Values) -> int:
    """Write or create a record. An unknown external id creates one, whatever `.id` says."""
    name, number = values.pop("id", None), values.pop(".id", None)
    if name is not None:
        found = names.look_up(env, name)
        number = found.number if found and found.exists else None
    if number:
        model.write(env, [number], values)
    else:
        number = model.create(env, values)
    if name is not None:
        names.give(env, name, model.name, number)
    return int(number)


def _refused(error: psycopg.Error, user: int) -> Problem:
    missing = constraints.missing_field(error)
    if missing:
        name, label = missing
        return Problem(name, "", f"Missing required value for the field '{label}' ({name})")
    fault = constraints.fault(error, user)
    # Postgres' own words where it could not serialise: clients know them again.
    return Problem("", "", str(fault) if fault else f"{error.diag.message_primary}\n")


def _message(number: int, record: Record, problem: Problem) -> Values:
    found: Values = {
        "rows": {"from": record.first, "to": record.last},
        "record": number,
        "type": "error",
        "message": problem.message,
    }
    if problem.field:
        found["field"] = problem.field
    if problem.label:
        found["field_name"] = problem.label
    return found
