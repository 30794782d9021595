"""Sends documents again: takes commands, goes on piece by piece, says how far it is.

A piece is published at a mark, so it sorts behind every commit before the mark and before every
one behind it, and is durable with the position that it reached: after a kill the last piece at
most goes out twice. The next one goes when the queues that it fills have room.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby
from typing import Final

from cdc.engine.datum import Stamp
from cdc.engine.events import Events
from cdc.engine.plan import Root
from cdc.epoch import Epoch, Topic
from cdc.loading import Piece
from cdc.notes import RESENDING
from cdc.resending.job import DOCUMENTS, Job
from cdc.resending.notebook import Notebook
from cdc.resending.ports import Came, Commands, Room, Sent, Shadow, Workers
from cdc.resending.search import Found, Looks, find
from cdc.resending.subject import Subject
from schemas.arguments import MalformedCommand, refuse_unknown, text_of
from schemas.command import Answer, Command, Kind, Progress
from schemas.domain import BadDomain
from schemas.errors import ServiceUnavailable
from schemas.event import Mode

logger = logging.getLogger(__name__)

WHO: Final = "capture"  # in answers
_BEHIND: Final = "the queues are full and nothing is done"
_COUNTED: Final = 100_000  # documents of a piece that are only counted; time bounds it
_WORD: Final = 5.0  # seconds between two words to who waits for an answer


@dataclass(slots=True)
class Resends:
    """All resends of a source; `results` is where answers go."""

    shadow: Shadow
    epoch: Epoch
    events: Events
    subject: Subject
    commands: Commands
    room: Room
    results: Topic
    sent: Sent
    workers: Workers
    _book: Notebook = field(default_factory=Notebook)
    _searches: dict[str, Looks] = field(default_factory=dict)
    _waits: dict[str, str] = field(default_factory=dict)
    _told: float = 0.0

    @property
    def busy(self) -> bool:
        """Whether anything is under way."""
        return bool(self._book.jobs)

    def begin_again(self) -> None:
        """Go on with what is durable: what was taken since comes again."""
        self._book = Notebook.from_json(self.shadow.recall(RESENDING) or {})
        self._searches.clear()
        self._waits.clear()
        self.commands.begin(self._book.offsets)

    def attend(self, now: float) -> bool:
        """Take what has come, and give those who wait a word; say whether anything was told."""
        told = False
        for came in self.commands.come():
            told |= not self._book.is_read(came.partition, came.offset) and self._take(came)
        waits = {job.id: why for job in self._book.jobs if (why := self._why(job, now))}
        if self.busy and (waits != self._waits or now - self._told >= _WORD):
            self._waits, self._told = waits, now
            for job in list(self._book.jobs):
                self._tell(job, Progress.DOING, self._waits.get(job.id, ""))
            told = True
        if told:
            self._note()
        return told

    def next(self, now: float) -> Piece | None:
        """Return the piece to publish next, None where nothing is asked for or has room."""
        job = self._turn()
        if job is None or self._search(job) is None:
            return None
        if job.request.dry_run:
            return Piece(job.id, _COUNTED)
        room = self.room.room(*self.subject.way(job.request), now)
        return Piece(job.id, room) if room else None

    def go_on(self, piece: Piece, stamp: Stamp) -> None:
        """Publish a piece of a job at its mark, and end the epoch."""
        job = self._book.find(piece.job)
        search = None if job is None else self._search(job)
        if job is None or search is None or self._loads(job):  # it was cancelled, or waits since
            return
        job = job.begun(search.last(self.shadow))
        found = find(search, job, piece.documents, self.shadow, self.events)
        if not job.request.dry_run:
            self._publish(job, search.root, found, stamp)
        job = job.went_on(found.position, found.counts)
        if job.done:
            self._end(job, Progress.DONE)
        else:
            self._book.keep(job)
        self._note()
        self.epoch.end()
        if not job.request.dry_run:
            self.room.filled(self.subject.way(job.request)[0], len(found.meant), time.monotonic())

    def _publish(self, job: Job, root: Root, found: Found, stamp: Stamp) -> None:
        ordinal = 1
        for routes, group in groupby(found.meant, key=lambda meant: meant.routes):
            ids = [meant.id for meant in group]
            limited = stamp._replace(
                routes=routes or None,
                targets=job.request.targets or None,
                before_known=job.mode is Mode.SNAPSHOT,
                mode=job.mode,
            )
            for made in self.events.of_shadow(root, ids, limited, ordinal):
                self.epoch.publish(made)
            ordinal += len(ids)

    def _take(self, came: Came) -> bool:
        """Take a record of the topic; False where it is not for us."""
        try:
            command = Command.from_json(came.value)
        except MalformedCommand:  # workers have reported it
            return False
        match command.kind:
            case Kind.RESEND:
                self._begin(command, came.partition)
            case Kind.CANCEL_RESEND:
                self._cancel(command, came.partition)
            case _:  # workers do it
                return False
        return True

    def _begin(self, command: Command, partition: int) -> None:
        try:
            job = Job.of(command, partition)
        except (MalformedCommand, BadDomain) as error:
            self._answer(command, partition, Progress.FAILED, why=_said(error))
            return
        if not self._book.take(job):
            return
        if not self.subject.passing:
            self._search(job)
        if self._book.find(job.id) is not None:
            logger.info(
                "%s by %s: %s is sent again",
                job.id,
                job.by or "somebody",
                job.request.model,
                extra={"action": "command", "command": job.id},
            )
            self._tell(job, Progress.DOING)

    def _cancel(self, command: Command, partition: int) -> None:
        try:
            refuse_unknown(command.arguments, ("id",))
            job = self._book.find(text_of(command.arguments, "id"))
        except MalformedCommand as error:
            self._answer(command, partition, Progress.FAILED, why=_said(error))
            return
        counts = {}
        if job is not None:
            self._end(job, Progress.CANCELLED)
            counts = {"cancelled": 1, DOCUMENTS: job.counts.get(DOCUMENTS, 0)}
        self._answer(command, partition, Progress.DONE, counts)

    def _search(self, job: Job) -> Looks | None:
        """Return what looks for a job's documents; None where there is none, or none yet.

        Where the file has no use for it, it has failed: another one may have come since it was
        asked for.
        """
        found = self._searches.get(job.id)
        if found is None:
            request = job.request
            try:
                found = self.subject.search(
                    request, lambda: self.sent.known(job.id, request.model, request.targets[0])
                )
            except (MalformedCommand, ServiceUnavailable) as error:
                self._end(job, Progress.FAILED, _said(error))
                self._note()
                return None
            if found is not None:
                self._searches[job.id] = found
        return found

    def _turn(self) -> Job | None:
        """Return the job that goes on; one that only counts is first: somebody sits and waits."""
        ready = [
            job
            for job in self._book.jobs
            if not self._loads(job) and not (job.request.drift and self._search(job) is None)
        ]
        return min(ready, key=lambda job: not job.request.dry_run, default=None)

    def _loads(self, job: Job) -> str:
        """Say why a model's documents cannot be sent again yet, "" where they can."""
        if self.subject.passing:
            return "what the file needs is being read"
        model = job.request.model
        root = self.subject.roots.get(model)
        if root is not None and (why := self.epoch.progress.holds_back(root)):
            return why
        if job.mode is Mode.SNAPSHOT:  # others are typed by somebody who sees to it
            return self.workers.lack(model, job.request.routes, time.monotonic())
        return ""

    def _why(self, job: Job, now: float) -> str:
        """Say what a job waits for, "" for nothing."""
        if why := self._loads(job):
            return why
        turn = self._turn()
        if job.id not in self._searches and (why := self.sent.waits(job.id)):
            return why
        if turn is not None and turn.id != job.id:
            return f"{turn.id} goes first"
        if job.request.dry_run:
            return ""
        still = self.room.stands_still(*self.subject.way(job.request), now)
        return f"{_BEHIND}: is `odoo-cdc stream` running?" if still else ""

    def _end(self, job: Job, progress: Progress, why: str = "") -> None:
        self._book.end(job)
        self._searches.pop(job.id, None)
        self.sent.end(job.id)
        self._tell(job, progress, why)
        logger.info(
            "%s: %s",
            job.id,
            why or f"{progress.value}, {job.counts.get(DOCUMENTS, 0)} documents",
            extra={"action": "command", "command": job.id},
        )

    def _tell(self, job: Job, progress: Progress, why: str = "") -> None:
        command = Command(job.id, Kind.RESEND, {}, job.by, job.when)
        self._answer(command, job.partition, progress, job.progress, why)

    def _answer(
        self,
        command: Command,
        partition: int,
        progress: Progress,
        counts: Mapping[str, int] | None = None,
        why: str = "",
    ) -> None:
        answer = Answer(
            id=command.id,
            kind=command.kind,
            partition=partition,
            progress=progress,
            counts=counts or {},
            why=why,
            at=f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}",
            worker=WHO,
        )
        self.epoch.tell(self.results, partition, command.id.encode(), answer.to_json())

    def _note(self) -> None:
        self.shadow.note(RESENDING, {**self._book.to_json(), "waits": self._waits})


class NoResends:
    """Takes no commands: for a run that ends by itself."""

    busy = False

    def begin_again(self) -> None:
        """Have nothing to go on with."""

    def attend(self, now: float) -> bool:
        """Take nothing."""
        return False

    def next(self, now: float) -> Piece | None:
        """Send nothing."""
        return None

    def go_on(self, piece: Piece, stamp: Stamp) -> None:
        """Publish nothing: no such mark was written."""


def _said(error: MalformedCommand | BadDomain | ServiceUnavailable) -> str:
    return f"{error}; {error.hint}" if error.hint else str(error)
