"""The shadow made fit for the routes of a file: what it lacks is read beside the stream.

While something lacks, the documents of models that are published already stay what they were; the
plan that is in force is a passing one. When all is read, documents are what the file wants.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace

from cdc.engine.compile import compile_plan
from cdc.engine.forms import Convert, converter
from cdc.engine.holding import Fitted, Holding, Types, fit
from cdc.engine.plan import Plan, RowPlan
from cdc.progress import Progress
from cdc.selection import Selection, flatten
from schemas.document import Shape
from schemas.errors import DataAtRisk
from schemas.fields import Models


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a file needs of a database, and what the columns are there.

    `types` has all columns of these tables and of those that are held, and {} for a table that
    is not there. `paused` are models that show what is not there
    or is of another kind than it was, each with the reason.
    """

    selection: Selection
    models: Models
    types: Types
    paused: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Fit:
    """The plan to go on with; `passing`: another one follows once nothing is read any more.

    `holding` and `progress` are the notes that go with it. `begun` are the models that were not
    published before. `formers` gives rows of former forms in the one that is wanted, by the
    table's number and the form's, two bytes each.
    """

    plan: Plan
    holding: Holding
    progress: Progress
    formers: Mapping[bytes, Convert]
    begun: frozenset[str]
    passing: bool
    changes: bool  # something is to be read or dropped that was not before

    @property
    def skipped(self) -> frozenset[str]:
        """The tables that are read again, and of which nothing is read yet."""
        again = self.progress.doubted
        return frozenset(
            t for t, at in self.progress.frontiers.items() if at is None and t in again
        )

    @property
    def fresh(self) -> dict[str, frozenset[str]]:
        """The columns that are read for the first time, of tables of which nothing is read yet."""
        tables = self.holding.tables
        return {
            name: frozenset(read.read) - (frozenset() if held.first else held.columns)
            for name, read in self.plan.by_name.items()
            if isinstance(read, RowPlan)
            and self.progress.frontiers.get(name, ()) is None
            and (held := tables[name]).forms
        }

    @property
    def first_loads(self) -> frozenset[str]:
        """The models whose existing documents are yet to be published, all of them, to all."""
        progress = self.progress
        loaded = {model for model, at in progress.published.items() if at >= 0}
        return self.begun | (progress.published.keys() - loaded) | self._never_whole

    @property
    def _never_whole(self) -> frozenset[str]:
        return frozenset(self.progress.waiting - self.progress.since.keys())


class RecoveryUnderWay(DataAtRisk):
    """The routes need something else of the shadow, while documents are still due."""

    hint = (
        "Undo the change of the file until `odoo-cdc status` shows nothing under `reading again`"
        " and `due`: what was last published is compared with what the routes needed then."
    )


def begin(wanted: Wanted) -> tuple[Holding, Progress]:
    """Return the notes of a shadow that holds nothing yet."""
    selection = wanted.selection
    fitted = fit(Holding(), selection, wanted.types)
    holding = replace(fitted.holding, shapes=selection.shapes)
    return holding, Progress.begin(compile_plan(selection, holding))


def go_on(
    wanted: Wanted,
    holding: Holding,
    progress: Progress,
    suspects: AbstractSet[str] = frozenset(),
) -> Fit:
    """Fit what is held for what is wanted; nothing is written here. Raises RecoveryUnderWay.

    Tables whose columns are others than those that were read are read again, as are `suspects`,
    of which the stream has said what is neither.
    """
    if not progress.since:  # what is remembered is as the plan has it that is in force
        holding = holding.read(progress.frontiers)
    known = {shape.model: shape for shape in holding.shapes}
    models = _models(wanted.selection.shapes)
    shown = (models & known.keys()) - progress.waiting
    lacks = holding.lacks(wanted.selection)
    passing = lacks and bool(shown)
    if passing:
        shapes = tuple(
            known[shape.model] if shape.model in shown else shape
            for shape in wanted.selection.shapes
            if shape.model in known
        )
        selection = flatten((*shapes, *wanted.selection.shapes), wanted.models)
        selection = replace(selection, shapes=shapes)
    else:
        selection = wanted.selection
    fitted = fit(holding, selection, wanted.types)
    changes = bool(fitted.again or fitted.dropped)
    if progress.since and changes and lacks:
        raise RecoveryUnderWay
    models = _models(selection.shapes)
    begun = frozenset(models - set(known))
    progress = _progress(progress, holding, fitted, models)
    if lacks and not passing:  # nothing that is wanted was published yet
        progress.waiting |= models
    former, holding = holding, replace(fitted.holding, shapes=selection.shapes)
    plan = compile_plan(selection, holding)
    progress.pause(plan, {m: why for m, why in wanted.paused.items() if m in models})
    progress.doubt(plan, _doubtful(wanted, selection, former, suspects))
    progress.lacking = {
        name
        for name, made in wanted.types.items()
        if name in plan.by_name and not made.keys() >= set(plan.by_name[name].loaded_by)
    }
    return Fit(plan, holding, progress, _formers(plan, holding), begun, passing, changes)


def _doubtful(
    wanted: Wanted, selection: Selection, former: Holding, suspects: AbstractSet[str]
) -> set[str]:
    """Return the tables that must be read again: what somebody shows of them was made anew."""
    shapes = tuple(s for s in selection.shapes if s.model not in wanted.paused)
    shown = flatten(shapes, wanted.models).columns
    needs = [need for need in selection.needs if need.name in wanted.types.keys() & former.tables]
    altered = {n.name: former.tables[n.name].altered(n, wanted.types[n.name]) for n in needs}
    unexplained = {name for name in suspects if name in altered and not altered[name]}
    return unexplained | {
        name for name, names in altered.items() if not names.isdisjoint(shown.get(name, ()))
    }


def _models(shapes: Iterable[Shape]) -> set[str]:
    return {shape.model for shape in shapes}


def _progress(progress: Progress, holding: Holding, fitted: Fitted, models: set[str]) -> Progress:
    """Return how far everything is, with what is to be read from the start and dropped."""
    names = fitted.holding.tables.keys()
    frontiers = {name: key for name, key in progress.frontiers.items() if name in names}
    frontiers |= dict.fromkeys(fitted.again)
    again = progress.again | (fitted.again & holding.tables.keys())
    return replace(
        progress,
        frontiers=frontiers,
        published={model: at for model, at in progress.published.items() if model in models},
        waiting=progress.waiting & models,
        doubted=progress.doubted & frontiers.keys(),
        reading={n: r for n, r in progress.reading.items() if frontiers.get(n) is not None},
        absent=progress.absent & names,
        again=again & frontiers.keys(),
        dropping=[*progress.dropping, *fitted.dropped],
    )


def _formers(plan: Plan, holding: Holding) -> dict[bytes, Convert]:
    found = {}
    for each in plan.rows:
        held = holding.tables[each.name]
        for number, form in held.forms.items():
            if number != held.form:
                key = held.number.to_bytes(2, "big") + number.to_bytes(2, "big")
                found[key] = converter(form, held.forms[held.form], each.layout)
    return found
