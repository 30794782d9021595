"""Which documents a target was last sent otherwise than they are, and by which routes.

    is to have it   was last sent                     counted     sent
    yes             the same fields                   same        nothing
    yes             other fields                      differs     update
    yes             that it is gone, or nothing       lacking     update
    no              any fields                        surplus     what `on_leave` says, or delete
    no              that it is gone, or nothing       same        nothing
    nobody knows what has arrived                     unknown     how things stand

What `on_leave: ignore` leaves at a target is not missed there: `same`. A record that a target was
sent and that is there no more is found by what was sent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from heapq import merge
from itertools import pairwise
from typing import Final, Protocol

from cdc.engine.plan import Root
from cdc.resending.job import DOCUMENTS, GONE, Job
from cdc.resending.last import Last, Standing
from cdc.resending.ports import Shadow
from cdc.resending.search import Found, Images, Meant, Predicate
from cdc.resending.truth import Truth
from schemas.avro import document_reader
from schemas.config import Route
from schemas.event import Document
from schemas.mapping import UnsendableValue, Writing
from schemas.resend import Request

_NEVER: Final = -1


class Verdict(StrEnum):
    """How a record stands at a target, by one route; the value is its name in counts."""

    SAME = "same"
    DIFFERS = "differs"
    LACKING = "lacking"
    SURPLUS = "surplus"
    UNKNOWN = "unknown"
    UNSENDABLE = "unsendable"  # a value forbids it: sent again it would be a dead letter again


SENT: Final = frozenset({Verdict.DIFFERS, Verdict.LACKING, Verdict.SURPLUS, Verdict.UNKNOWN})


class Known(Protocol):
    """What the target was last sent."""

    @property
    def forgets(self) -> bool:
        """Whether of a record that is not in it nobody knows if it was sent."""

    @property
    def highest(self) -> int:
        """The highest id of a record in it, -1 where there is none."""

    def of(self, record: int) -> dict[str, Last]:
        """Return what is known of a record, by route."""

    def records(self, after: int) -> Iterator[int]:
        """Yield the records behind an id, in order."""


def judge(truth: Truth, document: Document | None, last: Last | None, *, forgets: bool) -> Verdict:
    """Hold what a target is to have by a route against what it was last sent."""
    wanted = document is not None and truth.matches(document)
    standing = _standing(last, forgets=forgets)
    if not wanted:
        return _unwanted(truth.route, document, standing)
    try:
        digest = truth.digest(document or {})
    except UnsendableValue:
        return Verdict.UNSENDABLE
    match standing:
        case Standing.UNKNOWN:
            return Verdict.UNKNOWN
        case Standing.GONE:
            return Verdict.LACKING
        case Standing.HELD:
            same = last is not None and last.digest == digest
            return Verdict.SAME if same else Verdict.DIFFERS


def _unwanted(route: Route, document: Document | None, standing: Standing) -> Verdict:
    """Return how a record stands that a target is not to have."""
    if document is not None and route.on_leave == "ignore":
        return Verdict.SAME
    match standing:
        case Standing.UNKNOWN:
            return Verdict.UNKNOWN
        case Standing.GONE:
            return Verdict.SAME
        case Standing.HELD:
            return Verdict.SURPLUS


def _standing(last: Last | None, *, forgets: bool) -> Standing:
    if last is None:
        return Standing.UNKNOWN if forgets else Standing.GONE
    return last.standing


@dataclass(frozen=True, slots=True)
class Comparison:
    """Looks for what differs, as `Search` looks for what is meant."""

    request: Request
    root: Root
    asked: Predicate | None
    read: Callable[[bytes], Document]
    truths: Sequence[Truth]
    known: Known

    @classmethod
    def of(
        cls, request: Request, root: Root, routes: Iterable[Route], writing: Writing, known: Known
    ) -> Comparison:
        """Compile the routes that lead to the target. Raises MalformedResend."""
        (target,) = request.targets
        truths = tuple(
            Truth.of(route, root.shape, writing)
            for route in routes
            if route.model == request.model
            and target in route.targets
            and request.wants(route.name, target)
        )
        asked = request.compile(root.shape, writing.context)
        return cls(request, root, asked, document_reader(root.shape), truths, known)

    def last(self, rows: Shadow) -> int:
        """Return the highest id that there is, or was."""
        there = rows.last(self.root.node.table)
        return max(there, self.known.highest) if self.request.everything else there

    def candidates(self, job: Job, rows: Shadow) -> Iterator[int]:
        """Yield the records to look at behind the job's position, in order."""
        if job.request.ids:
            yield from (each for each in job.request.ids if each > job.position)
            return
        there = (row for row, _ in rows.rows(self.root.node.table, job.position))
        was = self.known.records(job.position) if job.request.everything else iter(())
        for before, row in pairwise(merge((_NEVER,), there, was)):
            if job.end is not None and row > job.end:  # it came since: the stream sends it
                return
            if row != before:
                yield row

    def look(self, row: int, images: Images, found: Found) -> None:
        """Look at one of them, and note in `found` what is meant of it."""
        image = images.image(self.root, row)
        document = None if image is None else self.read(image)
        if self.asked is not None and (document is None or not self.asked(document)):
            return
        routes = tuple(self._differing(row, document, found))
        if routes:
            found.meant.append(Meant(row, routes))
            found.count(DOCUMENTS)
            if image is None:
                found.count(GONE)

    def _differing(self, row: int, document: Document | None, found: Found) -> Iterator[str]:
        """Give the routes that have something to say, and count how each one stands."""
        known, forgets = self.known.of(row), self.known.forgets
        for truth in self.truths:
            name = truth.route.name
            verdict = judge(truth, document, known.get(name), forgets=forgets)
            found.count(verdict)
            found.count(f"{name}/{self.request.targets[0]}/{verdict}")
            if verdict in SENT:
                yield name
