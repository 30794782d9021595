"""Which documents a resend means, and what its routes would say of them: piece by piece.

A domain is held against the document itself, as the worker does, so both agree.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Protocol

from cdc.engine.plan import Root
from cdc.resending.job import DOCUMENTS, GONE, LOOKED, Job
from cdc.resending.ports import Shadow
from schemas.avro import document_reader
from schemas.config import Route
from schemas.domain import Context, compile_domain
from schemas.event import Document
from schemas.resend import Request

SLICE: Final = 0.1  # seconds that a piece looks for documents: the stream stands still meanwhile

Predicate = Callable[[Document], bool]


class Images(Protocol):
    """Documents as they are."""

    def image(self, root: Root, row: int) -> bytes | None:
        """Return a document in Avro, None where there is none."""


@dataclass(frozen=True, slots=True)
class Line:
    """One route of a resend, and the targets of it that get something."""

    name: str
    targets: tuple[str, ...]
    matches: Predicate
    on_leave: str

    def says(self, document: Document | None) -> str:
        """Return the operation that targets get, "" for none: see `streams.routing.dispatch`."""
        if document is None:
            return "delete"
        if self.matches(document):
            return "update"
        return "" if self.on_leave == "ignore" else self.on_leave


class Meant(NamedTuple):
    """A record to be sent again, by these routes; none: by all of its model."""

    id: int
    routes: tuple[str, ...]


@dataclass(slots=True)
class Found:
    """What a piece has found: records in order, how far it looked, and counts for the job."""

    meant: list[Meant] = field(default_factory=list)
    position: int = -1
    counts: dict[str, int] = field(default_factory=dict)

    def count(self, name: str) -> None:
        """Add one to a count."""
        self.counts[name] = self.counts.get(name, 0) + 1


class Looks(Protocol):
    """Looks for the documents of one request."""

    @property
    def root(self) -> Root:
        """Their model."""

    def last(self, rows: Shadow) -> int:
        """Return the highest id that it can come to."""

    def candidates(self, job: Job, rows: Shadow) -> Iterator[int]:
        """Yield the records to look at behind the job's position, in order."""

    def look(self, row: int, images: Images, found: Found) -> None:
        """Look at one of them, and note in `found` what is meant of it."""


@dataclass(frozen=True, slots=True)
class Search:
    """Looks for the documents of one request."""

    request: Request
    root: Root
    asked: Predicate | None
    read: Callable[[bytes], Document]
    lines: Sequence[Line] = ()  # what is counted, of a dry run

    @classmethod
    def of(cls, request: Request, root: Root, routes: Iterable[Route], context: Context) -> Search:
        """Compile a request for the documents of its model. Raises MalformedResend."""
        asked = request.compile(root.shape, context)
        lines = _lines(request, root, routes, context) if request.dry_run else ()
        return cls(request, root, asked, document_reader(root.shape), tuple(lines))

    def last(self, rows: Shadow) -> int:
        """Return the highest id that there is."""
        return rows.last(self.root.node.table)

    def candidates(self, job: Job, rows: Shadow) -> Iterator[int]:
        """Yield the records to look at behind the job's position, in order."""
        if job.request.ids:
            yield from (each for each in job.request.ids if each > job.position)
            return
        for row, _ in rows.rows(self.root.node.table, job.position):
            if job.end is not None and row > job.end:  # it came since: the stream sends it
                return
            yield row

    def look(self, row: int, images: Images, found: Found) -> None:
        """Look at one of them, and note in `found` what is meant of it."""
        image = images.image(self.root, row)
        document = None
        if image is not None and (self.asked is not None or self.lines):
            document = self.read(image)
        if self.asked is not None and (document is None or not self.asked(document)):
            return
        found.meant.append(Meant(row, self.request.routes))
        found.count(DOCUMENTS)
        if image is None:
            found.count(GONE)
        for line in self.lines:
            if operation := line.says(document):
                for target in line.targets:
                    found.count(f"{line.name}/{target}/{operation}")


def find(
    looks: Looks,
    job: Job,
    most: int,
    rows: Shadow,
    images: Images,
    clock: Callable[[], float] = time.monotonic,
) -> Found:
    """Return up to `most` documents behind the job's position; fewer where it takes long."""
    found = Found(position=job.position)
    ends = clock() + SLICE
    for row in looks.candidates(job, rows):
        found.position = row
        found.count(LOOKED)
        looks.look(row, images, found)
        if len(found.meant) >= most or clock() >= ends:
            return found
    found.position = job.end if job.end is not None else found.position
    return found


def _lines(
    request: Request, root: Root, routes: Iterable[Route], context: Context
) -> Iterator[Line]:
    for route in routes:
        targets = tuple(each for each in route.targets if request.wants(route.name, each))
        if route.model == request.model and targets:
            matches = compile_domain(
                route.domain, root.shape, context, active_test=route.active_test
            )
            yield Line(route.name, targets, matches, route.on_leave)
