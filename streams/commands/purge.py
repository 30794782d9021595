"""`odoo-cdc purge`: forget a record's deliveries, and say what Kafka holds of it still."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final

from schemas.arguments import MalformedCommand, Person
from schemas.command import Kind
from schemas.config import load
from schemas.errors import BadUsage, NothingFound, ServiceUnavailable
from schemas.keys import chain_of, partition_of
from streams.chains.ledger import iso
from streams.commands.asking import agrees, declare_timeout, is_asked
from streams.commands.names import unfamiliar
from streams.kafka.scan import Part
from streams.purging import BUSY, ENTRIES, ITEMS
from streams.queries.asking import Asking, require_answers
from streams.queries.lookup import Lookup
from streams.queries.prose import table

HELP: Final = "forget a record: what waits of it, and what the ledger knows"
EXAMPLE: Final = "odoo-cdc purge res.partner 42 --dry-run"


class NoSuchRecord(BadUsage):
    """That names no record."""

    hint = "Write a model and an id: `odoo-cdc purge res.partner 42`."


class NothingToPurge(NothingFound):
    """Nothing is known of the record."""

    hint = "`odoo-cdc trace MODEL ID` shows what is known of a record."


class StillSent(ServiceUnavailable):
    """The record was being sent all the time."""

    hint = "Pause its chain (`odoo-cdc pause --chain ...`), then purge it again."


@dataclass(frozen=True, slots=True)
class Held:
    """What a topic holds of the record; `youngest` and `until` in UTC seconds, None for ever."""

    topic: str
    records: int
    youngest: float
    until: float | None

    def to_json(self) -> dict[str, Any]:
        """Return it as `--json` prints it."""
        until = None if self.until is None else iso(self.until)
        return {"topic": self.topic, "records": self.records, "until": until}


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("model", metavar="MODEL", help="its model: res.partner")
    parser.add_argument("record", metavar="ID", type=int, help="its id")
    parser.add_argument("--dry-run", action="store_true", help="say what there is")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    declare_timeout(parser)


def run(args: argparse.Namespace) -> int:
    """Forget it; 1 where nothing is known of it, 3 where a worker does not answer."""
    config = load(args.config)
    person = _person(args)
    if not args.dry_run and is_asked(args) and not _is_wanted(person):
        return 1
    _, gathered = Asking(config, args.timeout).ask(Kind.PURGE, person.to_fields())
    with closing(Lookup(config)) as lookup:
        held = list(_held(lookup, person))
        queued = _queued(lookup, person)
        with lookup.catalogue():
            pass  # what was forgotten is forgotten in the index of this host too
    if args.json:
        counts = {name: gathered.counts.get(name, 0) for name in (ITEMS, ENTRIES, BUSY)}
        said = {"dry_run": person.dry_run, **counts, "queued": queued}
        print(json.dumps({**said, "held": [each.to_json() for each in held]}))
    else:
        _print(gathered.counts, queued, held, person)
    require_answers(gathered)
    if gathered.counts.get(BUSY):
        raise StillSent
    if not gathered.counts and not held:
        strange = unfamiliar(config, models=[person.model])
        raise NothingToPurge(f"nothing is known of {person.model} {person.record}{strange}")
    return 0


def _person(args: argparse.Namespace) -> Person:
    try:
        person = Person(args.model, args.record, args.dry_run)
        return Person.of(person.to_fields())
    except MalformedCommand as error:
        raise NoSuchRecord(str(error)) from error


def _held(lookup: Lookup, person: Person) -> Iterator[Held]:
    """Give what topics hold of the record that are cleaned by age alone."""
    topics, config = lookup.topics, lookup.config
    keys = {
        chain_of(config.source.name, target, person.model, person.record): target
        for target in config.targets
    }
    parts: dict[Part, set[bytes]] = {}
    if any(route.model == person.model for route in config.routes):
        name = str(person.record)
        parts[topics.events(person.model), partition_of(name, lookup.partitions)] = {name.encode()}
    for chain, target in keys.items():
        for topic in (topics.deliveries(target), topics.responses, topics.dead):
            parts.setdefault((topic, lookup.partition(chain)), set()).add(chain.encode())
    retention = lookup.retention({topic for topic, _ in parts})
    found: dict[str, list[float]] = {}
    for topic, written in lookup.of_keys(parts):
        found.setdefault(topic, []).append(written)
    for topic, times in sorted(found.items()):
        kept = retention.get(topic)
        youngest = max(times)
        yield Held(topic, len(times), youngest, None if kept is None else youngest + kept)


def _queued(lookup: Lookup, person: Person) -> int:
    """Count the deliveries of the record that no worker has taken yet."""
    places = lookup.places(lookup.queues)
    mine = (person.model, person.record)
    return sum((sent.model, sent.record_id) == mine for _, sent in lookup.queued(places))


def _is_wanted(person: Person) -> bool:
    what = f"What waits of {person.model} {person.record} is not sent any more"
    return agrees(f"{what}, not even that it is deleted. Forget it?")


def _print(counts: dict[str, int], queued: int, held: list[Held], person: Person) -> None:
    verb = "would be" if person.dry_run else "are"
    items, entries = counts.get(ITEMS, 0), counts.get(ENTRIES, 0)
    print(
        f"{items} deliveries that waited {verb} dropped, {entries} in the ledger {verb} forgotten"
    )
    if queued:
        print(f"{queued} stand in send queues still, and go: purge again when they have")
    if held:
        print("\nKafka holds until their time has come:\n")
        rows = [
            [each.topic, str(each.records), "for ever" if each.until is None else iso(each.until)]
            for each in held
        ]
        print(table(["topic", "records", "until"], rows))
    print(
        "\nBeside it: the row in Odoo, capture's shadow as long as Odoo has it, what the targets"
        " have.\nTombstones take effect when Kafka compacts; docs/operations.md says what stays on"
        " disks."
    )
