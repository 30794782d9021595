"""How far the shadow is loaded and its documents are published: what a kill must not forget.

A table is loaded in key ranges; `frontiers` holds the last key of those that are not done. A
model is ready when all its tables are loaded; then its documents are published once, where its
routes want that, in portions; `published` holds the last id of those that are not done.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any, Self

from cdc.engine.holding import Dropped
from cdc.engine.plan import Plan, Root, TablePlan

Frontier = tuple[int, ...] | None  # None: nothing is loaded yet
_BEFORE_ALL = -1


@dataclass(slots=True)
class Progress:
    """Names of tables and models, not numbers: they outlive a plan."""

    frontiers: dict[str, Frontier] = field(default_factory=dict)
    published: dict[str, int] = field(default_factory=dict)
    waiting: set[str] = field(default_factory=set)  # models whose tables are not complete
    held: set[str] = field(default_factory=set)  # models that the workers keep waiting
    again: set[str] = field(default_factory=set)  # tables being read whose rows are held already
    dropping: list[Dropped] = field(default_factory=list)  # what nobody asks for any more

    @classmethod
    def begin(cls, plan: Plan) -> Self:
        """Nothing is loaded, nothing is published."""
        return cls(dict.fromkeys(plan.by_name), {}, {root.shape.model for root in plan.roots})

    @classmethod
    def from_json(cls, note: dict[str, Any]) -> Self:
        """Read what `to_json` wrote; who waits is seen anew."""
        frontiers = {
            n: None if key is None else tuple(key) for n, key in note["frontiers"].items()
        }
        return cls(
            frontiers,
            note["published"],
            set(note["waiting"]),
            again=set(note["again"]),
            dropping=[Dropped(kind, number) for kind, number in note["dropping"]],
        )

    def to_json(self) -> dict[str, Any]:
        """Return it as a note of the shadow."""
        return {
            "frontiers": {n: key and list(key) for n, key in self.frontiers.items()},
            "published": self.published,
            "waiting": sorted(self.waiting),
            "held": sorted(self.held),
            "again": sorted(self.again),
            "dropping": self.dropping,
        }

    @property
    def done(self) -> bool:
        """Whether everything is loaded and published."""
        return not self.frontiers and not self.published

    def next_table(self, plan: Plan) -> TablePlan | None:
        """Return the table to load next, None where all are loaded."""
        name = min(self.frontiers, default=None)
        return None if name is None else plan.by_name[name]

    def loaded(self, table: str, last: Frontier) -> None:
        """Note a range; `last` None means that the table is complete."""
        if last is None:
            self.frontiers.pop(table, None)
            self.again.discard(table)
        else:
            self.frontiers[table] = last

    def complete(self, plan: Plan) -> list[Root]:
        """Return the waiting models whose tables are complete; they wait no longer."""
        found = [
            root
            for root in plan.roots
            if root.shape.model in self.waiting
            and not any(name in self.frontiers for name in root.tables)
        ]
        self.waiting -= {root.shape.model for root in found}
        return found

    def publish_from_start(self, models: Iterable[str]) -> None:
        """Publish all documents of these models."""
        self.published |= dict.fromkeys(models, _BEFORE_ALL)

    def publish_only(self, models: AbstractSet[str]) -> None:
        """Leave off the documents of other models: nobody wants them any more."""
        self.published = {name: at for name, at in self.published.items() if name in models}

    def portion(self, model: str, last: int | None) -> None:
        """Note a portion of documents; `last` None means that it was the last."""
        if last is None:
            self.published.pop(model, None)
        else:
            self.published[model] = last
