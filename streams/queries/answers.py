"""What the partitions have answered to a command so far. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from schemas.command import Answer, Progress


@dataclass(slots=True)
class Gathered:
    """The latest answer of each partition that was asked."""

    asked: frozenset[int]
    answers: dict[int, Answer] = field(default_factory=dict)

    def take(self, answers: Iterable[Answer]) -> bool:
        """Take in answers; say whether there were any of partitions that were asked.

        What is done stays done: an answer that is repeated after a restart says no more.
        """
        heard = False
        for answer in answers:
            if answer.partition in self.asked:
                heard = True
                before = self.answers.get(answer.partition)
                if before is None or before.progress is Progress.DOING:
                    self.answers[answer.partition] = answer
        return heard

    @property
    def silent(self) -> list[int]:
        """The partitions that have not ended it."""
        ended = {
            number
            for number, answer in self.answers.items()
            if answer.progress is not Progress.DOING
        }
        return sorted(self.asked - ended)

    @property
    def failures(self) -> list[str]:
        """Why partitions refused it, each reason once."""
        refused = (a.why for a in self.answers.values() if a.progress is Progress.FAILED)
        return sorted(set(refused))

    @property
    def counts(self) -> dict[str, int]:
        """What deliveries came to, over all partitions."""
        counts: dict[str, int] = {}
        for _, answer in sorted(self.answers.items()):
            for name, number in answer.counts.items():
                counts[name] = counts.get(name, 0) + number
        return counts

    @property
    def deliveries(self) -> list[tuple[str, str]]:
        """Some of them: id and what it came to."""
        return [pair for _, answer in sorted(self.answers.items()) for pair in answer.deliveries]

    def to_json(self) -> dict[str, Any]:
        """Return it as `--json` prints it."""
        return {
            "counts": self.counts,
            "deliveries": [{"id": name, "result": what} for name, what in self.deliveries],
            "partitions": len(self.asked),
            "silent": self.silent,
            "failures": self.failures,
        }
