"""Two systems that sync to each other: whatever is written where, both come to the same."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from schemas.conflict import Policy, stands, told

WRITE, TAKE = "write", "take"
STEPS = st.lists(
    st.tuples(
        st.sampled_from((WRITE, WRITE, TAKE, TAKE)), st.sampled_from("ab"), st.integers(0, 2)
    ),
    max_size=30,
)


@dataclass
class Side:
    """One system with one record, and what it has sent."""

    name: str
    fields: dict[str, int] = field(default_factory=lambda: {"x": 0, "y": 0})
    own_write: str | None = None
    sent: deque[dict[str, Any]] = field(default_factory=deque)

    def write(self, policy: Policy, name: str, value: int, moment: str) -> None:
        """Let a user write; a commit makes a message."""
        before, self.own_write = dict(self.fields), moment
        self.fields[name] = value
        conflict = told(policy, moment, before)
        self.sent.append({"fields": dict(self.fields), "conflict": conflict})

    def take(self, other: Side) -> None:
        """Write what the other one has sent, as a sync, which sends nothing back."""
        if not other.sent:
            return
        data = other.sent.popleft()
        if stands(
            data, self.fields, sender=other.name, receiver=self.name, own_write=self.own_write
        ):
            self.fields = dict(data["fields"])


@given(
    STEPS,
    st.sampled_from((Policy(), Policy("a"), Policy("b"))),
    st.dictionaries(st.sampled_from("ab"), st.integers(0, 1), min_size=2),
)
def test_both_come_to_the_same(
    steps: list[tuple[str, str, int]], policy: Policy, skew: dict[str, int]
) -> None:
    sides = {name: Side(name) for name in "ab"}
    for number, (what, name, gap) in enumerate(steps, 1):
        side, other = sides[name], sides["b" if name == "a" else "a"]
        if what == TAKE:
            side.take(other)
        else:  # values that were never there before: who changes one back is told in the docs
            moment = f"2026-11-23T10:00:{(number + gap) // 2 + skew[name]:02}.123456Z"
            later = max(moment, side.own_write or "")
            side.write(policy, "xy"[gap % 2], number, later)
    while any(side.sent for side in sides.values()):
        sides["a"].take(sides["b"])
        sides["b"].take(sides["a"])

    assert sides["a"].fields == sides["b"].fields
