"""`resend --drift`: what a target was last sent otherwise than it is, model by model."""

from __future__ import annotations

import argparse
import json
from typing import Any, Final

from schemas.command import Command
from schemas.config import Config
from schemas.resend import Request
from schemas.terminal import agrees
from streams.commands.asking import is_asked
from streams.commands.resending import DOCUMENTS, NAMES, BadResend, ask, is_cancelled, request_of
from streams.queries.answers import Gathered
from streams.queries.asking import Asking
from streams.queries.prose import table
from streams.replays.portion import by_route

VERDICTS: Final = ("same", "differs", "lacking", "surplus", "unknown", "unsendable")


def drifted(args: argparse.Namespace, config: Config, asking: Asking) -> int:
    """Have a target compared, model by model; 0 as well where nothing differs."""
    requests = _requests(args, config)
    if not args.dry_run and is_asked(args):
        looks = [(each, ask(asking, each, dry_run=True)[1]) for each in requests]
        _print(looks)
        if not any(found.counts.get(DOCUMENTS) for _, found in looks):
            return 0
        if not agrees("\nSend what differs?"):
            return 1
    done = [(each, *ask(asking, each, dry_run=each.dry_run)) for each in requests]
    if args.json:
        found = [_to_json(command, gathered, each) for each, command, gathered in done]
        said = {"drift": args.drift, "dry_run": args.dry_run, "models": found}
        print(json.dumps(said, ensure_ascii=False))
        return 0
    _print([(each, gathered) for each, _, gathered in done])
    for each, command, gathered in done:
        if not each.dry_run:
            _say_published(command, gathered)
    return 0


def _requests(args: argparse.Namespace, config: Config) -> list[Request]:
    """Return what is to be compared, a request for each model, in the order of the file."""
    if args.target is not None:
        raise BadResend("--drift names the target", hint="Leave --target out.")
    named = {*(args.route or ())}
    models = dict.fromkeys(
        route.model
        for route in config.routes
        if args.drift in route.targets and (not named or route.name in named)
    )
    if args.model is not None:
        return [request_of(args, config, args.model)]
    if args.id or args.domain is not None:
        raise BadResend("there is no model whose records these are")
    if not models:
        raise BadResend(f"no route leads to {args.drift}", hint="`sync.yaml` has the targets.")
    return [request_of(args, config, model) for model in models]


def _to_json(command: Command, gathered: Gathered, request: Request) -> dict[str, Any]:
    counts = gathered.counts
    return {
        "model": request.model,
        "command": command.id,
        "cancelled": is_cancelled(gathered),
        "counts": {name: counts.get(name, 0) for name in (*NAMES, *VERDICTS)},
        "routes": _by_route(gathered),
    }


def _by_route(gathered: Gathered) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for (route, _, verdict), number in by_route(gathered.counts).items():
        found.setdefault(route, dict.fromkeys(VERDICTS, 0))[verdict] = number
    return found


def _print(found: list[tuple[Request, Gathered]]) -> None:
    rows = [
        [request.model, route, *(str(counts[each]) for each in VERDICTS)]
        for request, gathered in found
        for route, counts in _by_route(gathered).items()
    ]
    if rows:
        print(table(["model", "route", *VERDICTS], rows))
        print()
    for request, gathered in found:
        looked, differ = (gathered.counts.get(name, 0) for name in ("looked", DOCUMENTS))
        print(f"{request.model}: {looked} records looked at, {differ} differ")


def _say_published(command: Command, gathered: Gathered) -> None:
    number = gathered.counts.get(DOCUMENTS, 0)
    if is_cancelled(gathered):
        print(f"{command.id} was cancelled; what was published goes.")
    elif number:
        print(f"{number} documents of {command.id} are published")
