"""How far the shadow is loaded and its documents are published: what a kill must not forget.

A table is loaded in key ranges; `frontiers` holds the last key of those that are not done. A
model is ready when all its tables are loaded; then its documents are published once, where its
routes want that, in portions; `published` holds the last id of those that are not done.

A table that the stream left out for a while is doubted: what is held of it may be old. It is
loaded again, and its models wait again meanwhile. What they were when they began to wait is kept
(`cdc.engine.since`, by the layers in `since`), and what differs in the end is due: it is
published in portions, as it was and as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self

from cdc.engine.holding import Dropped
from cdc.engine.plan import Plan, Root, TablePlan
from cdc.reading import Reading

Frontier = tuple[int, ...] | None  # None: nothing is loaded yet
_BEFORE_ALL = -1


class Portion(NamedTuple):
    """So many of a model's documents may be published at a mark.

    `due` ones, or existing ones; `to_all` routes, or to those that want existing ones.
    """

    model: str
    documents: int
    due: bool = False
    to_all: bool = False


class Opened(NamedTuple):
    """A portion whose mark has come: after a kill it is published again, and as it was.

    `lsn` and `time` (microseconds since 2000-01-01) are those of its events.
    """

    portion: Portion
    lsn: int
    time: int


@dataclass(slots=True)
class Progress:
    """Names of tables and models, not numbers: they outlive a plan."""

    frontiers: dict[str, Frontier] = field(default_factory=dict)
    published: dict[str, int] = field(default_factory=dict)
    waiting: set[str] = field(default_factory=set)  # models whose tables are not complete
    held: set[str] = field(default_factory=set)  # models that the workers keep waiting
    again: set[str] = field(default_factory=set)  # tables being read whose rows are held already
    dropping: list[Dropped] = field(default_factory=list)  # what nobody asks for any more
    doubted: set[str] = field(default_factory=set)  # of `frontiers`, those that are read again
    absent: set[str] = field(default_factory=set)  # tables that the stream leaves out
    lacking: set[str] = field(default_factory=set)  # tables that are not there, or have no key
    paused: dict[str, str] = field(default_factory=dict)  # models that wait for a column, and why
    since: dict[str, list[int]] = field(default_factory=dict)  # layers that a model needs
    last_layer: int = 0  # notes of one that nobody needs stay as long as any is needed
    due: dict[str, int] = field(default_factory=dict)  # so many documents, at most
    wide: set[int] = field(default_factory=set)  # layers of transactions that showed in many
    opened: Opened | None = None
    reading: dict[str, Reading] = field(default_factory=dict)  # of `frontiers`, those begun
    transaction: dict[str, Any] | None = None  # a large one at hand, for who asks how it stands
    forgotten: bool = False  # it is not known what was published before: all of it is, again

    @classmethod
    def begin(cls, plan: Plan) -> Self:
        """Nothing is loaded, nothing is published."""
        waiting = {root.shape.model for root in plan.roots}
        return cls(dict.fromkeys(plan.by_name), waiting=waiting)

    @classmethod
    def from_json(cls, note: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote; who waits for workers is seen anew."""
        opened = note.get("opened")
        return cls(
            {n: None if key is None else tuple(key) for n, key in note["frontiers"].items()},
            note["published"],
            set(note["waiting"]),
            again=set(note["again"]),
            dropping=[Dropped(kind, number) for kind, number in note["dropping"]],
            doubted=set(note.get("doubted", ())),
            absent=set(note.get("absent", ())),
            lacking=set(note.get("lacking", ())),
            paused=note.get("paused", {}),
            since=note.get("since", {}),
            last_layer=note.get("last_layer", 0),
            due=note.get("due", {}),
            wide=set(note.get("wide", ())),
            opened=opened and Opened(Portion(*opened[0]), *opened[1:]),
            reading={n: Reading.from_json(one) for n, one in note.get("reading", {}).items()},
            forgotten=note.get("forgotten", False),
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
            "doubted": sorted(self.doubted),
            "absent": sorted(self.absent),
            "lacking": sorted(self.lacking),
            "paused": self.paused,
            "since": self.since,
            "last_layer": self.last_layer,
            "due": self.due,
            "wide": sorted(self.wide),
            "opened": self.opened,
            "reading": {n: one.to_json() for n, one in self.reading.items()},
            "transaction": self.transaction,
            "forgotten": self.forgotten,
        }

    @property
    def done(self) -> bool:
        """Whether everything is loaded and published."""
        return not (self.frontiers or self.published or self.due)

    @property
    def ready_to_publish(self) -> list[Portion]:
        """What may be published, how much of it left open; what is due first."""
        due = [Portion(model, 0, due=True, to_all=True) for model in sorted(self.due)]
        existing = [
            Portion(model, 0, to_all=self.forgotten)
            for model in sorted(self.published)
            if model not in self.due
        ]
        return [each for each in (*due, *existing) if each.model not in self.waiting]

    def next_table(self, plan: Plan) -> TablePlan | None:
        """Return the table to load next, None where all are loaded, or none can be."""
        name = min(self.frontiers.keys() - self.absent - self.lacking, default=None)
        return None if name is None else plan.by_name[name]

    def loaded(self, table: str, last: Frontier) -> None:
        """Note a range; `last` None means that the table is complete."""
        if last is None:
            self.frontiers.pop(table, None)
            self.reading.pop(table, None)
            self.again.discard(table)
            self.doubted.discard(table)
        else:
            self.frontiers[table] = last

    def read(self, table: str, rows: int, of: int | None, at: float) -> None:
        """Note so many rows more that were read of a table, of about `of`."""
        self.reading.setdefault(table, Reading()).took(rows, of, at)

    def doubt(self, plan: Plan, tables: AbstractSet[str]) -> None:
        """Have tables read again, and the models wait that show them.

        Those that wait already go on to: what was last published of them is as old as it was.
        """
        self.frontiers |= dict.fromkeys(tables)
        self.reading = {name: at for name, at in self.reading.items() if name not in tables}
        self.doubted |= tables
        self._wait({root.shape.model for root in plan.roots if root.tables & tables})

    def pause(self, plan: Plan, paused: Mapping[str, str]) -> None:
        """Have these models wait, and those no longer that were paused and are not named.

        What was not read for them meanwhile is read again.
        """
        ended = self.paused.keys() - paused.keys()
        self.paused = dict(paused)
        self._wait(set(paused))
        self.doubt(plan, {t for r in plan.roots if r.shape.model in ended for t in r.tables})

    @property
    def recovers(self) -> bool:
        """Whether documents are due that differ from what was last published for other reasons."""
        return any(
            model in self.due and not self.wide.issuperset(layers)
            for model, layers in self.since.items()
        )

    @property
    def layers(self) -> set[int]:
        """The moments that are remembered."""
        return {at for layers in self.since.values() for at in layers}

    @property
    def next_layer(self) -> int:
        """The number of the moment that is remembered next; of one before, notes may be left."""
        return 1 + max((self.last_layer, *self.layers))

    def forget_past(self) -> bool:
        """Say whether no moment is to be remembered any more; then they are numbered anew."""
        if self.since:
            return False
        self.last_layer, self.wide = 0, set()
        return True

    def begin_layer(self, layer: int) -> None:
        """Note that a moment is remembered; no other one has its number."""
        self.last_layer = layer
        self.wide.add(layer)

    def spread(self, model: str, layer: int) -> None:
        """Note that one document more is due that a transaction shows in, since a layer."""
        if layer not in self.since.get(model, ()):
            self._remember(model, layer)
        self.due[model] = self.due.get(model, 0) + 1

    def _wait(self, concerned: AbstractSet[str]) -> None:
        layer = self.next_layer
        for model in sorted(concerned - self.waiting):
            self._remember(model, layer)
        self.waiting |= concerned

    def _remember(self, model: str, layer: int) -> None:
        self.since.setdefault(model, []).append(layer)
        self.last_layer = layer

    def remembered(self, plan: Plan) -> dict[str, set[int]]:
        """Return the layers that each table is to be remembered by."""
        found: dict[str, set[int]] = {}
        for root in plan.roots:
            if layers := self.since.get(root.shape.model):
                for table in root.tables:
                    found.setdefault(table, set()).update(layers)
        return found

    def complete(self, plan: Plan) -> list[Root]:
        """Return the waiting models whose tables are complete; they wait no longer."""
        found = [
            root
            for root in plan.roots
            if root.shape.model in self.waiting
            and root.shape.model not in self.paused
            and not any(name in self.frontiers for name in root.tables)
        ]
        self.waiting -= {root.shape.model for root in found}
        return found

    def make_due(self, model: str, documents: int) -> None:
        """Note that so many documents more are due."""
        if left := self.due.get(model, 0) + documents:
            self.due[model] = left
        else:
            self._remember_less(model)

    def paid(self, model: str, documents: int) -> None:
        """Note that so many documents are due no longer."""
        left = self.due.pop(model, 0) - documents
        if left > 0:
            self.due[model] = left
        else:
            self._remember_less(model)

    def holds_back(self, root: Root) -> str:
        """Say why a model's documents are not to be sent as they are, "" where they may be."""
        model = root.shape.model
        if model in self.waiting:
            left_out = ", ".join(sorted(root.tables & self.absent))
            why = self.paused.get(model) or (left_out and f"the stream leaves out {left_out}")
            return f"{model} waits: {why}" if why else f"{model} is being loaded"
        if model in self.due:
            return f"what was put off of {model}, or is recovered, goes first"
        return f"the first load of {model} goes first" if model in self.published else ""

    def publish_from_start(self, models: Iterable[str]) -> None:
        """Publish all documents of these models."""
        self.published |= dict.fromkeys(models, _BEFORE_ALL)

    def publish_only(self, existing: AbstractSet[str], captured: AbstractSet[str]) -> None:
        """Leave off what nobody wants any more, of existing documents and altogether."""
        wanted = captured if self.forgotten else existing
        self.published = {name: at for name, at in self.published.items() if name in wanted}
        self.due = {name: left for name, left in self.due.items() if name in captured}
        self.since = {name: at for name, at in self.since.items() if name in captured}
        if self.opened is not None:
            portion = self.opened.portion
            if portion.model not in (self.due if portion.due else self.published):
                self.opened = None

    def portion(self, model: str, last: int | None) -> None:
        """Note a portion of documents; `last` None means that it was the last."""
        if last is None:
            self.published.pop(model, None)
        else:
            self.published[model] = last

    def _remember_less(self, model: str) -> None:
        """Nothing of a model is due any more; one that waits is remembered by its last layer."""
        layers = self.since.pop(model, [])
        if model in self.waiting and layers:
            self.since[model] = layers[-1:]
