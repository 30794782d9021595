"""One moment of the small world. Everything is a tuple of small things: quick to compare.

A set of deliveries is a number with a bit for each.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

from tests.model.contents import Held
from tests.model.search import Step

Status = Literal["delivered", "rejected", "retry"]


class Word(NamedTuple):
    """An acknowledgement."""

    slot: int
    status: Status
    attempt: int | None


class Answer(NamedTuple):
    """What came of an attempt: the item as it was while being sent, and WSO2's answer."""

    item: int
    outcome: str


class Call(NamedTuple):
    """An attempt. `stage` is begun, open, taken (no answer yet), or the answer.

    Of a draft it is asks, then what Odoo said: read, or withheld; `read` is which answer it was.
    """

    slot: int
    was: int  # the item before the attempt
    item: int  # the item as it is while being sent
    stage: str
    course: bool  # a batch waits for it
    read: int = 0


class Course(NamedTuple):
    """How far a batch came with the deliveries of a chain. `stage`: sending, ended, done."""

    chain: str
    held: bool  # the chain is in flight for it
    rest: tuple[tuple[int, int], ...]  # slot, offset: what is to be sent, in order
    late: tuple[tuple[int, int], ...] = ()  # what is not: others must be judged before
    answers: tuple[Answer, ...] = ()
    slow: int = 0  # the item that is still being sent
    stage: str = "sending"


class Flight(NamedTuple):
    """A chain in flight, with the words that wait for its answers."""

    chain: str
    sending: int
    words: tuple[Word, ...] = ()


class Writing(NamedTuple):
    """A flush under way: what is left to write, and what is so when it is over."""

    phases: tuple[tuple[tuple[tuple[str, int, int], ...], ...], ...]  # phase, topic, record
    held: Held
    foreign: bool
    ends: tuple[str, ...]  # the chains whose courses it ends
    calls: tuple[Call, ...]  # that begin when it is durable
    heard: int  # how many words it makes durable
    frees: str = ""  # the chain that is taken until then, for a command


class Worker(NamedTuple):
    """A worker that holds the partition, or believes so."""

    held: Held
    next: int  # the offset to take next
    done: int  # what is before it may be committed
    words: tuple[Word, ...]  # fetched, not yet applied
    stale: int = 0  # a bit for each topic that others have written to
    end: int = 0  # of the batch in work
    courses: tuple[Course, ...] = ()
    calls: tuple[Call, ...] = ()
    flights: tuple[Flight, ...] = ()
    writing: Writing | None = None
    behind: int = 0  # what a former worker may have sent is before this


class World(NamedTuple):
    """Kafka, WSO2, the target, and two workers."""

    log: Held  # what compaction would keep
    letters: int  # dead letters
    ended: int  # what the ledger has ever called final
    committed: int  # offset of the send queue
    said: tuple[Word, ...]  # words that are not committed
    owner: Worker | None  # None: nobody has opened the partition
    zombie: Worker | None  # one that does not know that it is no owner any more
    orphans: int  # requests whose worker is gone or waits no longer
    accepted: int  # by WSO2
    taken: int  # by the target
    shop: tuple[int, ...]  # what the target holds for each chain and route; -1: nothing
    crashes: int  # that may still come
    moves: int
    words: int
    retries: int
    asked: int = -1  # the delivery that an operator wants to be put back; -1: none
    did: bool = False  # it is done, but maybe not committed
    reached: int = 0  # how far anybody took the queue, where that is asked for
    reads: tuple[int, ...] = ()  # how often Odoo was asked for a value of each
    bodies: tuple[int, ...] = ()  # with which answer each went out first


Moves = Iterator[Step[World]]


def with_course(worker: Worker, old: Course, new: Course) -> Worker:
    """Return a worker whose batch has come further."""
    return worker._replace(
        courses=tuple(new if c.chain == old.chain else c for c in worker.courses)
    )


def swapped(calls: tuple[Call, ...], old: Call, new: Call) -> tuple[Call, ...]:
    """Return calls of which one has come further."""
    return tuple(new if call is old else call for call in calls)
