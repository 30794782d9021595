"""`odoo-cdc sample`: the very message that a record makes as it stands."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

from cdc.contributors import contributed
from cdc.sampling import sample
from schemas import message
from schemas.config import Config, load, load_part
from schemas.delivery import Sample
from schemas.errors import BadUsage, NothingFound
from schemas.event import Event
from schemas.fields import nearest

HELP: Final = "print the message that would be sent for a record as it stands"
EXAMPLE: Final = "odoo-cdc sample sale.order 42 --route orders"
GROUP: Final = "odoo_cdc.samples"


class NoSuchRoute(BadUsage):
    """The file has no such route or target for the model."""

    hint = "Leave --route and --target out for all that the model has."


class NothingSent(NothingFound):
    """No route sends the record."""

    hint = "The routes' domains say what is sent: `domain:` in sync.yaml."


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("model", metavar="MODEL", help="sale.order, for instance")
    parser.add_argument("record", type=int, metavar="ID", help="the record's id")
    parser.add_argument("--route", metavar="NAME", help="only by this route")
    parser.add_argument("--target", metavar="NAME", help="only for this target")


def run(args: argparse.Namespace) -> int:
    """Print messages, one a line; NothingSent (1) with the reason, Unknown and NoSuchRoute (2)."""
    config = _read(args)
    event = sample(config, args.model, args.record)
    messages: Callable[[Config, Event], list[Sample]] = contributed(GROUP, "messages")
    found = [
        each
        for each in messages(config, event)
        if args.route in (None, each.route) and args.target in (None, each.target)
    ]
    if args.json:
        print(message.encode([_to_json(each) for each in found]))
    else:
        _print(found)
    if not any(each.delivery for each in found):
        raise NothingSent(f"nothing is sent of {args.model} {args.record}")
    return 0


def _read(args: argparse.Namespace) -> Config:
    """Return the file; with --route that route alone, whatever is wrong elsewhere."""
    if args.route is None:
        config = load(args.config)
        _refuse_strange(args, config)
        return config
    part = load_part(args.config, lambda config: _needed(config, args.route))
    if part.left:
        print(part.said_left(), file=sys.stderr)
    _refuse_strange(args, part.config)
    chosen = tuple(route for route in part.config.routes if route.name == args.route)
    return replace(part.config, routes=chosen or part.config.routes)


def _needed(config: Config, name: str) -> Iterator[str]:
    """Give the keys that a route's messages are made of."""
    yield from ("source", "decimals")
    chosen = [route for route in config.routes if route.name == name]
    if not chosen:  # which only sound routes can tell
        yield "routes"
    for route in chosen:
        yield f"routes[{route.index}]"
        yield from (f"targets.{target}" for target in route.targets)


def _refuse_strange(args: argparse.Namespace, config: Config) -> None:
    routes = [route for route in config.routes if route.model == args.model]
    for what, name, names in (
        ("route", args.route, [route.name for route in routes]),
        ("target", args.target, sorted({name for route in routes for name in route.targets})),
    ):
        if routes and name is not None and name not in names:
            near = nearest(name, names)
            did = f', did you mean "{near}"?' if near else ""
            raise NoSuchRoute(f'{args.model} has no {what} "{name}"{did}')


def _to_json(each: Sample) -> dict[str, Any]:
    sent = each.delivery and json.loads(each.delivery.body, parse_float=Decimal)
    return {
        "route": each.route,
        "target": each.target,
        "message": sent,
        "why": each.why or None,
    }


def _print(found: Sequence[Sample]) -> None:
    for each in found:
        about = f"{each.route} -> {each.target}"
        sys.stdout.flush()
        if each.delivery is None:
            sys.stderr.write(f"{about}: nothing is sent: {each.why}\n")
        else:
            sys.stderr.write(f"{about}:\n")
            sys.stderr.flush()
            print(each.delivery.body.decode())
