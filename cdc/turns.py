"""Whose turn it is beside the stream: one thing after the other, each behind a mark."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from cdc.loading import CaughtUp, LoadRate, Returned
from cdc.parts import Parts
from cdc.progress import Portion, Progress


class Turns:
    """A piece of a resend, tables that are back, a range, a portion, the last mark."""

    def __init__(self, parts: Parts, end_epoch: Callable[[], object], *, to_the_end: bool) -> None:
        """Begin nothing yet; `to_the_end` says whether there is to be a last mark."""
        self.back: Mapping[str, int] = {}
        """Tables that the stream leaves out no longer, with their places in the publication."""
        self._parts = parts
        self._end_epoch = end_epoch
        self._rate = LoadRate(parts.load_rate)
        self._to_the_end = to_the_end
        self._marked = False
        self._resent = False  # the last mark was a resend's

    def begin_again(self) -> None:
        """Forget a last mark that was on its way: the stream begins again."""
        self._marked = False

    def go_on(self) -> bool:
        """Begin what may be done; say whether a passing plan has nothing left to do."""
        parts = self._parts
        if not parts.marks.idle:
            return False
        # Every other time: a resend and a load go side by side.
        piece = None if self._resent else parts.resends.next(time.monotonic())
        self._resent = piece is not None
        if piece is not None:
            parts.marks.mark(piece)
            return False
        progress = parts.epoch.progress
        if back := {t: at for t, at in self.back.items() if t in progress.absent}:
            parts.marks.mark(Returned(back))
            return False
        table = progress.next_table(parts.plan)
        if table is not None:
            if self._rate.may_read(time.monotonic()):
                parts.marks.read(table, progress.frontiers[table.name], self._rate.rows)
            return False
        if parts.passing and not progress.since:  # what is remembered is as this plan has it
            return True
        self._publish(progress)
        return False

    def _publish(self, progress: Progress) -> None:
        """Let a portion out, or the last mark where none is left."""
        portion = self._portion(progress)
        if portion is not None:
            self._parts.marks.mark(portion)
        elif self._to_the_end and not (self._marked or progress.absent):
            self._marked = True
            self._parts.marks.mark(CaughtUp())

    def _portion(self, progress: Progress) -> Portion | None:
        held = progress.held
        portion = self._parts.backfill.next(progress, time.monotonic())
        if progress.held != held and not self._parts.stream.in_transaction:
            self._end_epoch()  # so that `status` can say it
        return portion
