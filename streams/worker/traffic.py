"""Which partitions a worker owns, and which of them it reads at the moment."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping

import faust
from faust.types import TP


class Traffic:
    """Halts and resumes the reading of send queues, each for itself.

    An agent that held its batch while its target is down would fill the buffer that all agents
    share and so stop every other topic. Faust resumes what is paused after a rebalance and when
    a buffer drains, so `enforce` is called again and again.

    What was fetched before the pause must still reach the agent: Faust skips records of a paused
    partition, reads on behind them, and takes the gap for done. So a halted partition counts
    for it as one whose buffer is full: those keep what was fetched.
    """

    def __init__(self, app: faust.App, queues: Mapping[str, str]) -> None:
        """Read all; `queues` is the topic of each target."""
        self._app = app
        self._queues = queues
        self.halted: frozenset[str] = frozenset()  # topics
        self._freed: frozenset[str] = frozenset()  # those to be read again

    def follow(self, halts: Callable[[str], bool]) -> None:
        """Read exactly those queues whose target does not halt.

        What is to be read again during a rebalance is when that is over: before, nothing may be.
        """
        before = self.halted
        self.halted = frozenset(topic for target, topic in self._queues.items() if halts(target))
        self.enforce()
        self._freed = (self._freed | before) - self.halted
        if self._freed and not self._app.rebalancing:
            if mine := self._mine(self._freed):
                self._app.consumer.resume_partitions(mine)
            for tp in mine:
                self._app.consumer.on_buffer_drop(tp)
            self._freed = frozenset()

    def enforce(self) -> None:
        """Pause again what should be paused."""
        if self.halted and (mine := self._mine(self.halted)):
            self._app.consumer.pause_partitions(mine)
            for tp in mine:
                self._app.consumer.on_buffer_full(tp)

    def _mine(self, topics: Container[str]) -> set[TP]:
        return {tp for tp in assignment(self._app) if tp.topic in topics}


def assignment(app: faust.App) -> set[TP]:
    """Return the partitions that the worker owns; none before the group has met."""
    try:
        return set(app.consumer.assignment())
    except (AttributeError, faust.exceptions.ConsumerNotStarted):
        return set()
