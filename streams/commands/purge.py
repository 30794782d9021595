"""`odoo-cdc purge`: forget a record's deliveries, and say what Kafka holds of it still."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final, Protocol

from schemas.arguments import MalformedCommand, Person
from schemas.command import Kind
from schemas.config import load
from schemas.errors import BadUsage, NothingFound, ServiceUnavailable
from schemas.terminal import agrees
from streams.chains.ledger import iso
from streams.commands.asking import declare_timeout, is_asked
from streams.commands.names import unfamiliar
from streams.kafka.scan import Found, Part
from streams.purging import BUSY, ENTRIES, ITEMS
from streams.queries.answers import Gathered
from streams.queries.asking import Asking, require_answers
from streams.queries.lookup import Lookup
from streams.queries.prose import table
from streams.queries.remains import IsMine, Remains

HELP: Final = "forget a record: what waits of it, and what the ledger knows"
EXAMPLE: Final = "odoo-cdc purge res.partner 42 --dry-run"
_PAUSE: Final = 0.2  # seconds between two looks at what workers have taken


class NoSuchRecord(BadUsage):
    """That names no record."""

    hint = "Write a model and an id: `odoo-cdc purge res.partner 42`."


class NothingToPurge(NothingFound):
    """Nothing is known of the record."""

    hint = "`odoo-cdc trace MODEL ID` shows what is known of a record."


class StillSent(ServiceUnavailable):
    """The record was being sent all the time."""

    hint = "Pause its chain (`odoo-cdc pause --chain ...`), then purge it again."


class NotTaken(ServiceUnavailable):
    """Events or deliveries of the record wait for the workers still."""

    hint = (
        "`odoo-cdc status` shows whether workers run, and what is held back (`held`). Purge again"
        " when they have taken these: they are sent, and known again."
    )


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What came of it: the last answers, counts over all, and how much workers may yet read."""

    gathered: Gathered
    counts: Mapping[str, int]
    untaken: int


@dataclass(frozen=True, slots=True)
class Held:
    """What a topic holds of the record; `until` in UTC seconds, None for ever."""

    topic: str
    records: int
    until: float | None

    def to_json(self) -> dict[str, Any]:
        """Return it as `--json` prints it."""
        until = None if self.until is None else iso(self.until)
        return {"topic": self.topic, "records": self.records, "until": until}


class Done(Protocol):
    """Knows how far the workers are."""

    def done(self, parts: Iterable[Part]) -> dict[Part, int]:
        """Return the offsets that they do not read again."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("model", metavar="MODEL", help="its model: res.partner")
    parser.add_argument("record", metavar="ID", type=int, help="its id")
    parser.add_argument("--dry-run", action="store_true", help="say what there is")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    declare_timeout(parser)


def run(args: argparse.Namespace) -> int:
    """Forget it; 1 where nothing is known of it, 3 where workers do not answer or lag behind."""
    config = load(args.config)
    person = _person(args)
    if not args.dry_run and is_asked(args) and not _is_wanted(person):
        return 1
    remains = Remains(config.source.name, person)
    with closing(Lookup(config)) as lookup:
        done = _forget(lookup, remains, args.timeout)
        held = list(_held(lookup, remains))
        with lookup.catalogue():
            pass  # what was forgotten is forgotten in the index of this host too
    if args.json:
        counts = {name: done.counts.get(name, 0) for name in (ITEMS, ENTRIES, BUSY)}
        said = {"dry_run": person.dry_run, **counts, "queued": done.untaken}
        print(json.dumps({**said, "held": [each.to_json() for each in held]}))
    else:
        _print(done, held, person)
    require_answers(done.gathered)
    if done.counts.get(BUSY):
        raise StillSent
    if done.untaken and not person.dry_run:
        raise NotTaken(f"{done.untaken} events and deliveries are not taken yet")
    if not done.counts and not held:
        strange = unfamiliar(config, models=[person.model])
        raise NothingToPurge(f"nothing is known of {person.model} {person.record}{strange}")
    return 0


def _forget(lookup: Lookup, remains: Remains, timeout: float) -> Forgotten:
    """Ask until workers can read nothing more of it that was there before they were asked.

    What they have not committed they read again after a crash, as if it were new.
    """
    asking, person = Asking(lookup.config, timeout), remains.person
    counts: dict[str, int] = {}
    while True:
        untaken = _untaken(lookup, remains)
        _, gathered = asking.ask(Kind.PURGE, person.to_fields())
        for name, number in gathered.counts.items():
            counts[name] = counts.get(name, 0) + number
        unanswered = gathered.silent or gathered.failures or counts.get(BUSY)
        if person.dry_run or not untaken or unanswered:
            return Forgotten(gathered, counts, len(untaken))
        if left := count_not_taken(lookup, untaken, timeout):
            return Forgotten(gathered, counts, left)


def _untaken(lookup: Lookup, remains: Remains) -> list[Found]:
    """Return its records that workers may yet read; events first: they become deliveries."""
    found: list[Found] = []
    if any(route.model == remains.person.model for route in lookup.config.routes):
        found += lookup.those(remains.events(lookup.partitions), undone=True)
    queues: dict[Part, IsMine] = {}
    for target in lookup.config.targets:
        queues |= remains.queue(target, lookup.partitions)
    return [*found, *lookup.those(queues, undone=True)]


def count_not_taken(
    done: Done, untaken: Iterable[Found], timeout: float, pause: float = _PAUSE
) -> int:
    """Wait until workers have taken these, or nothing for `timeout` seconds; return what is left.

    `pause` is seconds between two looks: workers commit, they do not tell.
    """
    wanted = [((found.topic, found.partition), found.offset) for found in untaken]
    parts = {part for part, _ in wanted}
    reached, moved = done.done(parts), time.monotonic()
    while left := sum(reached[part] <= offset for part, offset in wanted):
        if time.monotonic() - moved > timeout:
            break
        time.sleep(pause)
        before, reached = reached, done.done(parts)
        moved = moved if reached == before else time.monotonic()
    return left


def _person(args: argparse.Namespace) -> Person:
    try:
        person = Person(args.model, args.record, args.dry_run)
        return Person.of(person.to_fields())
    except MalformedCommand as error:
        raise NoSuchRecord(str(error)) from error


def _held(lookup: Lookup, remains: Remains) -> Iterator[Held]:
    """Give what topics hold of the record that are cleaned by age alone."""
    found: dict[str, list[float]] = {}
    for each in lookup.those(remains.everywhere(lookup.there())):
        found.setdefault(each.topic, []).append(each.written)
    retention = lookup.retention(found)
    for topic, times in sorted(found.items()):
        kept = retention.get(topic)
        yield Held(topic, len(times), None if kept is None else max(times) + kept)


def _is_wanted(person: Person) -> bool:
    what = f"What waits of {person.model} {person.record} is not sent any more"
    return agrees(f"{what}, not even that it is deleted. Forget it?")


def _print(done: Forgotten, held: list[Held], person: Person) -> None:
    verb = "would be" if person.dry_run else "are"
    items, entries = done.counts.get(ITEMS, 0), done.counts.get(ENTRIES, 0)
    if items or entries:
        print(
            f"{items} deliveries that waited {verb} dropped,"
            f" {entries} in the ledger {verb} forgotten"
        )
    else:
        print(f"nothing waits of {person.model} {person.record}, and the ledger knows nothing")
    if done.untaken:
        print(f"{done.untaken} events and deliveries wait for the workers still, and go then")
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
