"""What `resend` asks of capture, in whatever form it was typed, and how it follows the answers."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any, Final

from schemas.arguments import MalformedCommand
from schemas.command import Command, Kind, Progress
from schemas.config import Config
from schemas.domain import BadDomain
from schemas.errors import BadUsage, NothingFound, ServiceUnavailable
from schemas.resend import Request
from streams.queries.answers import Gathered
from streams.queries.asking import Asking, command_of

DOCUMENTS: Final = "documents"  # in counts: those that are meant
NAMES: Final = ("of", "reached", "looked", DOCUMENTS, "gone")


class BadResend(BadUsage):
    """It is not said what to resend."""

    hint = "Name a model and which of its records: `odoo-cdc resend sale.order --id 42`."


class NothingToResend(NothingFound):
    """No record is meant."""

    hint = "`odoo-cdc sample MODEL ID` shows what a record would send, or why it sends nothing."


class NoSuchResend(NothingFound):
    """No resend of that name is under way."""

    hint = "`odoo-cdc status` lists the resends under way, on the host of capture."


class CaptureSilent(ServiceUnavailable):
    """Capture does not answer."""

    hint = (
        "Is `odoo-cdc capture` running, without --until-caught-up? The command stays in Kafka:"
        " capture does it when it runs again, or `odoo-cdc resend --cancel ID` takes it back."
    )


def request_of(args: argparse.Namespace, config: Config, model: str | None) -> Request:
    """Return what was typed, for one model. Raises BadResend."""
    if model is None:
        raise BadResend("there is no model")
    drift, chosen = args.drift is not None, bool(args.id) or args.domain is not None
    fields = {
        "model": model,
        "ids": args.id or [],
        "domain": None if args.domain is None else _domain(args.domain),
        "all": args.all or (drift and not chosen),
        "routes": args.route or [],
        "targets": [args.drift] if drift else args.target or [],
        "dry_run": args.dry_run,
        "drift": drift,
    }
    try:
        request = Request.of(fields)
        request.refuse_strange([(r.name, r.model, r.targets) for r in config.routes])
    except BadDomain as error:
        raise BadResend(f"--domain: {error}", hint=error.hint) from error
    except MalformedCommand as error:
        hint = BadResend.hint if type(error) is MalformedCommand else error.hint
        raise BadResend(str(error), hint=hint) from error
    return request


def _domain(text: str) -> Any:
    """Return a domain in JSON as what it holds; any other text is Odoo's literal."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def ask(asking: Asking, request: Request, *, dry_run: bool) -> tuple[Command, Gathered]:
    """Ask capture and follow it to the end; CaptureSilent, and BadResend where it refuses."""
    command = command_of(Kind.RESEND, {**request.to_fields(), "dry_run": dry_run})
    if not dry_run:
        sys.stderr.write(
            f"resend {command.id} begins; `odoo-cdc resend --cancel {command.id}` ends it\n"
        )
    try:
        gathered = asking.follow(command, [command.id])
    except KeyboardInterrupt:
        if not dry_run:
            sys.stderr.write(
                "\nit goes on: `odoo-cdc status` shows it,"
                f" `odoo-cdc resend --cancel {command.id}` ends it\n"
            )
        raise
    require(gathered)
    return command, gathered


def require(gathered: Gathered) -> None:
    """Raise BadResend where capture has refused, CaptureSilent where it says nothing."""
    if gathered.failures:
        raise BadResend("; ".join(gathered.failures), hint="Correct it and ask again.")
    if gathered.silent:
        raise CaptureSilent("no word from capture")


def so_far(gathered: Gathered) -> str:
    """Say how far it is, on one line."""
    counts = gathered.counts
    waits = next((a.why for a in gathered.answers.values() if a.why), "")
    reached, of = counts.get("reached", 0), counts.get("of", 0)
    share = f"{reached / of:.0%}, " if of else ""
    text = f"{share}{counts.get('looked', 0)} records looked at, {counts.get(DOCUMENTS, 0)} meant"
    return f"{text}; it waits: {waits}" if waits else text


def is_cancelled(gathered: Gathered) -> bool:
    """Say whether somebody has ended it."""
    return any(a.progress is Progress.CANCELLED for a in gathered.answers.values())
