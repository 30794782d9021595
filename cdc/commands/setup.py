"""`odoo-cdc setup`: publication, slot and topics, made or mended; again it does nothing."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from typing import Final

from cdc.checks import companies
from cdc.checks.routes import logins
from cdc.kafka_admin import Admin
from cdc.postgres import grants, publication, publishing, rights, slot
from cdc.postgres.catalog import load_models
from cdc.postgres.connect import NotPermitted, Session
from cdc.selection import Selection, select
from cdc.todo import (
    Step,
    Todo,
    Waiting,
    change,
    do,
    lift,
    look,
    publish,
    refuse_no_failover,
    refuse_older,
)
from schemas.config import Config, load
from schemas.errors import BadUsage

HELP: Final = "make or mend publication, slot and topics"
EXAMPLE: Final = "odoo-cdc setup --dry-run"


_AFTERWARDS: Final = (
    "until then all columns of the published tables leave the database, and capture drops what no"
    " route selects. Upgrade Odoo's modules, then run `odoo-cdc setup`: it puts the lists back"
)


class NothingToSetUp(BadUsage):
    """The file has no routes: there is nothing to set up."""

    hint = "Add a route to `routes:`, then `odoo-cdc check`."


class RoleWithoutScript(BadUsage):
    """--role is for --sql alone: setup works as the role of source.dsn."""

    hint = "`odoo-cdc setup --sql --role NAME` prints what a DBA runs for it."


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--dry-run", action="store_true", help="list what would be done, and stop")
    what.add_argument(
        "--sql",
        action="store_true",
        help="print what is missing as a DBA would run it, with who may, and stop",
    )
    parser.add_argument(
        "--for-upgrade",
        action="store_true",
        help="publish whole tables until the next setup: Odoo could not change the type of a"
        " listed column",
    )
    parser.add_argument(
        "--role",
        metavar="NAME",
        help="with --sql: for this role, which may not be there yet, instead of source.dsn's own",
    )


def run(args: argparse.Namespace) -> int:
    """Do what is to be done, or list it."""
    config = load(args.config)
    if not config.routes:
        raise NothingToSetUp
    if args.role and not args.sql:
        raise RoleWithoutScript
    with Session.connect(config.source.dsn, "odoo-cdc-setup") as session:
        if args.for_upgrade:
            return _lift(config, session, args)
        if args.sql:
            _print_sql(_sql(config, session, args.role), as_json=args.json)
            return 0
        selection = select(config, load_models(session))
        admin = Admin(config.kafka)
        todo = look(config, session, selection, admin)
        if not args.dry_run:
            do(todo, config, session, admin, Waiting(_say))
    _report(todo.steps(), args)
    _note_kept(todo)
    return 0


def _lift(config: Config, session: Session, args: argparse.Namespace) -> int:
    """Lift the column lists, and say what to do afterwards; nothing else is looked at."""
    name = config.source.publication
    found = publication.look(session, name)
    todo = lift(found)
    if args.sql:
        role = args.role or session.one("SELECT current_user::text")[0]
        _print_sql(_script(session, role, {}, _in_full(todo, name)), as_json=args.json)
        return 0
    if todo.statements and not args.dry_run:
        change(session, name, todo)
    if todo.statements or args.json:
        _report(todo.steps(), args)
    else:
        said = "has no column lists" if found.exists else "is not there"
        print(f'there is nothing to lift: the publication "{name}" {said}')
    if found.exists and config.source.publish == "columns":
        _say(_AFTERWARDS)
    return 0


def _note_kept(todo: Todo) -> None:
    if todo.kept:
        names = ", ".join(todo.kept)
        text = f"still published, for the capture that runs: {names}; once it has taken the file"
        _say(f"{text} (SIGHUP), or is stopped, run setup again")


def _in_full(todo: Todo, name: str) -> list[str]:
    """Return what a DBA runs in one transaction."""
    if not todo.statements:
        return []
    return ["BEGIN", *publishing.in_full(todo.statements, name, todo.members), "COMMIT"]


def _report(steps: list[Step], args: argparse.Namespace) -> None:
    if args.json:
        found = [{"what": step.what, "needs": step.needs} for step in steps]
        print(json.dumps({"dry_run": args.dry_run, "steps": found}))
        return
    for step in steps:
        if args.dry_run:
            print(f"to do: {step.what}\n       needs {step.needs}")
        else:
            print(f"done: {step.what}")
    if not steps:
        print("everything is as it should be")


def _sql(config: Config, session: Session, role: str | None) -> list[str]:
    """Return the script; where we may not even read the models, its first half."""
    role = role or session.one("SELECT current_user::text")[0]
    state = slot.look(session, config.source.slot)
    try:
        selection = select(config, load_models(session))
    except NotPermitted:
        again = "-- Then run `odoo-cdc setup --sql` again: it can name the other tables."
        return [*_script(session, role, grants.CATALOG), "", again]
    found = publication.look(session, config.source.publication)
    refuse_older(state, found)
    refuse_no_failover(config, session.version)
    todo = publish(config, session, selection, found, state)
    _note_kept(todo)
    missing = "" if state.exists else state.name
    statements = _in_full(todo, found.name)
    made = grants.slot(missing, failover=config.source.failover) if missing else ""
    return _script(session, role, _read(config, selection), statements, made)


def _script(
    session: Session,
    role: str,
    read: Mapping[str, Sequence[str]],
    statements: Sequence[str] = (),
    slot_made: str = "",
) -> list[str]:
    return grants.script(rights.look(session, role, read), read, statements, slot_made)


def _read(config: Config, selection: Selection) -> dict[str, Sequence[str]]:
    """Return the columns that are read of each table, () for all."""
    read: dict[str, Sequence[str]] = {**selection.columns, **grants.CATALOG}
    if logins(config):
        read["res_users"] = sorted({*read.get("res_users", ()), "id", "login"})
    if companies.asked(selection.shapes):
        read[companies.TABLE] = ()
    return read


def _print_sql(lines: list[str], *, as_json: bool) -> None:
    print(json.dumps({"sql": lines}) if as_json else "\n".join(lines))


def _say(text: str) -> None:
    print(text, file=sys.stderr)
