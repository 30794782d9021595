"""Looks at everything that can happen, breadth first, so that what it finds is the shortest."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

S = TypeVar("S", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Step(Generic[S]):
    """What may happen next: in words, the state it leads to, and the law that it breaks."""

    label: str
    state: S
    broken: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """How much was looked at; with a broken law, and the way to it, where there is one."""

    states: int
    steps: int
    depth: int
    broken: str = ""
    trace: tuple[str, ...] = ()
    complete: bool = True

    def __str__(self) -> str:
        size = f"{self.states:,} states, {self.steps:,} steps, {self.depth} deep"
        if not self.broken:
            return size + ("" if self.complete else ", not all of them")
        way = "\n".join(f"  {n:3}. {label}" for n, label in enumerate(self.trace, 1))
        return f"{self.broken}\n{way}\n({size})"


def explore(
    first: S,
    following: Callable[[S], Iterator[Step[S]]],
    judge: Callable[[S], tuple[str, tuple[str, ...]]],
    most: int,
) -> Found:
    """Visit every state that can be reached from `first`, `most` of them.

    `judge` names the law that a state breaks, "" for none, and what must still happen for it to
    be seen.
    """
    came: dict[S, tuple[S, str] | None] = {first: None}
    ahead, depth, steps = deque([(first, 0)]), 0, 0

    def found(broken: str, state: S, *after: str) -> Found:
        return Found(len(came), steps, depth, broken, (*_way(came, state), *after))

    while ahead and len(came) <= most:
        state, depth = ahead.popleft()
        broken, after = judge(state)
        if broken:
            return found(broken, state, *after)
        for step in following(state):
            steps += 1
            if step.broken:
                return found(step.broken, state, step.label)
            if step.state not in came:
                came[step.state] = (state, step.label)
                ahead.append((step.state, depth + 1))
    return Found(len(came), steps, depth, complete=not ahead)


def _way(came: dict[S, tuple[S, str] | None], state: S) -> list[str]:
    labels: list[str] = []
    before = came[state]
    while before is not None:
        state, label = before
        labels.append(label)
        before = came[state]
    return labels[::-1]
