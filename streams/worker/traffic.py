"""Which partitions a worker owns, and which of them it reads at the moment."""

from __future__ import annotations

from collections.abc import Iterable

import faust
from faust.types import TP


class Traffic:
    """Halts and resumes the reading of some topics.

    An agent that held its batch while its target is down would fill the buffer that all agents
    share and so stop every other topic. Faust resumes what is paused after a rebalance and when
    a buffer drains, so `enforce` is called again and again.

    What was fetched before the pause must still reach the agent: Faust skips records of a paused
    partition, reads on behind them, and takes the gap for done. So a halted partition counts
    for it as one whose buffer is full: those keep what was fetched.
    """

    def __init__(self, app: faust.App, topics: Iterable[str]) -> None:
        self._app = app
        self._topics = frozenset(topics)
        self._halted = False

    def pause(self) -> None:
        """Stop reading."""
        self._halted = True
        self.enforce()

    def resume(self) -> None:
        """Read on; during a rebalance Faust does it by itself when that is over."""
        self._halted = False
        if not self._app.rebalancing and (mine := self._mine()):
            self._app.consumer.resume_partitions(mine)
            for tp in mine:
                self._app.consumer.on_buffer_drop(tp)

    def enforce(self) -> None:
        """Pause again what should be paused."""
        if self._halted and (mine := self._mine()):
            self._app.consumer.pause_partitions(mine)
            for tp in mine:
                self._app.consumer.on_buffer_full(tp)

    def _mine(self) -> set[TP]:
        return {tp for tp in assignment(self._app) if tp.topic in self._topics}


def assignment(app: faust.App) -> set[TP]:
    """Return the partitions that the worker owns; none before the group has met."""
    try:
        return set(app.consumer.assignment())
    except (AttributeError, faust.exceptions.ConsumerNotStarted):
        return set()
