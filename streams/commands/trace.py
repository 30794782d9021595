"""`odoo-cdc trace`: the way of a record's deliveries, from the commit to the last word."""

from __future__ import annotations

import argparse
import json
from contextlib import closing
from dataclasses import replace
from typing import Final

from schemas.config import Config, load
from schemas.delivery import Delivery
from schemas.errors import BadUsage, NothingFound
from schemas.keys import chain_of, split_delivery_id
from schemas.terminal import visible
from streams.chains.ledger import iso, seconds
from streams.commands.names import unfamiliar
from streams.index.row import PAST
from streams.index.store import Known
from streams.kafka.scan import Found
from streams.queries.journey import Spot, Traces, steps, to_json
from streams.queries.lookup import Lookup
from streams.queries.prose import ago

HELP: Final = "show the way of a record's deliveries, step by step"
EXAMPLE: Final = "odoo-cdc trace sale.order 42"

_EARLY: Final = 60.0  # seconds that clocks of Postgres and of capture may differ


class NoSuchThing(BadUsage):
    """That names no record and no delivery."""

    hint = "Write a model and an id (`odoo-cdc trace sale.order 42`), or the id of a delivery."


class NoTrace(NothingFound):
    """Nothing is known of that."""

    hint = (
        "Does a route select it? `odoo-cdc status` shows whether capture and the workers keep up;"
        " what is older than `topics.retention` is forgotten."
    )


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("what", metavar="MODEL|DELIVERY_ID", help="a model, or a delivery's id")
    parser.add_argument("record", nargs="?", type=int, metavar="ID", help="the record's id")
    parser.add_argument("--target", metavar="NAME", help="only what this target gets")
    parser.add_argument(
        "--last", type=int, default=5, metavar="N", help="the latest N (default: %(default)s)"
    )


def run(args: argparse.Namespace) -> int:
    """Show the latest deliveries; NoTrace (exit 1) where there is none."""
    config = load(args.config)
    chains, only = _chains(args, config)
    with closing(Lookup(config)) as lookup:
        found = _traces(lookup, chains)
        chosen = [t for t in found if only in ("", t.id)][-max(1, args.last) :]
        if not chosen:
            what = " ".join(map(str, _named(args)))
            raise NoTrace(f"nothing is known of {what}{_strange(chains, config)}")
        chosen = [_with_spots(lookup, traces) for traces in chosen]
    if args.json:
        print(json.dumps([to_json(traces) for traces in chosen], ensure_ascii=False))
    else:
        print("\n\n".join(map(_text, chosen)))
    return 0


def _named(args: argparse.Namespace) -> list[object]:
    return [args.what] if args.record is None else [args.what, args.record]


def _strange(chains: list[str], config: Config) -> str:
    targets, models = ({chain.split("/")[at] for chain in chains} for at in (1, 2))
    return unfamiliar(config, targets=sorted(targets), models=sorted(models))


def _chains(args: argparse.Namespace, config: Config) -> tuple[list[str], str]:
    """Return the chains to look at, and the delivery's id where one is named."""
    if args.record is not None:
        targets = [args.target] if args.target else sorted(config.targets)
        source = config.source.name
        return [chain_of(source, target, args.what, args.record) for target in targets], ""
    try:
        return [split_delivery_id(args.what)[0]], args.what
    except ValueError as error:
        raise NoSuchThing(f"{args.what!r} is neither a record nor a delivery") from error


def _traces(lookup: Lookup, chains: list[str]) -> list[Traces]:
    """Return what the topics hold of the deliveries of chains, in order of commit."""
    partitions = {lookup.partition(chain) for chain in chains}
    with lookup.catalogue() as index:
        found = {each.row.id: _of(each) for chain in chains for each in index.chain(chain)}
    places = [p for p in lookup.places(lookup.queues) if p.partition in partitions]
    for record, sent in lookup.queued(places):
        if sent.chain in chains and sent.id not in found:
            found[sent.id] = Traces(sent.id, sent.operation, sent.time, queue=_spot(record))
    return sorted(found.values(), key=lambda traces: (split_delivery_id(traces.id)[2], traces.id))


def _of(known: Known) -> Traces:
    return Traces(known.row.id, known.row.operation, iso(known.row.since), known)


def _with_spots(lookup: Lookup, traces: Traces) -> Traces:
    """Add where its event and its delivery stand in Kafka, as far as it has them still."""
    chain, _, sequence = split_delivery_id(traces.id)
    queue = traces.queue
    order = traces.known.order if traces.known else None
    target = chain.split("/")[1]
    if queue is None and order is not None and target in lookup.config.targets:
        queued = lookup.delivery(target, chain, order)
        queue = _spot(queued[0]) if queued and _is_it(queued[1], traces) else None
    model, record = chain.split("/")[2:]
    event = lookup.event(model, int(record), sequence, seconds(traces.time) - _EARLY)
    return replace(traces, queue=queue, event=_spot(event) if event else None)


def _is_it(sent: Delivery, traces: Traces) -> bool:
    return sent.id == traces.id


def _spot(found: Found) -> Spot:
    return Spot(found.topic, found.partition, found.offset, found.written)


def _text(traces: Traces) -> str:
    journey = steps(traces)
    past = f"; {PAST}" if traces.known and traces.known.row.past else ""
    lines = [f"{traces.id}  {traces.operation}: {traces.state.value}{past}"]
    before = journey[0].at
    for step in journey:
        later = f"+{ago(step.at - before)}" if step is not journey[0] else ""
        place = f"  {iso(step.at)}  {later:>14}  {step.what:<10}  "
        about = visible(step.about, lines=True).replace("\n", "\n" + " " * len(place))
        lines.append(f"{place}{about}".rstrip())
        before = step.at
    return "\n".join(lines)
