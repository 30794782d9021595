"""What is in Odoo of a record, and how it differs from what is wanted.

Reading asks Odoo; `differing` is pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from streams.applying.facts import Fact, Facts
from streams.applying.relations import Relations
from streams.applying.rows import SEQUENCE, in_order
from streams.applying.settings import Model, Settings
from streams.applying.values import canonical, main_text
from streams.applying.wanted import Line, Lines, Many, One, Ref, Scalar, Value, Wanted
from streams.odoo.port import Gone, Odoo

_READ: Final = {"active_test": False, "bin_size": False}
_SET: Final = 6  # the command of x2many fields that replaces all
WRITTEN: Final = ("write_date", "write_uid")
ACTIVE: Final = "active"


@dataclass(frozen=True, slots=True)
class Present:
    """A record as it is: values as RPC reads them, and of each one2many its lines by key.

    `lines` holds those with a key of the source, those that the delivery names, and of a model
    that is `exact` all others too. Those that were found by another name than their key stand in
    `unnamed` as (model, key, id).
    """

    id: int
    values: Mapping[str, Any]
    lines: Mapping[str, Mapping[str, Present]] = field(default_factory=dict)
    unnamed: Sequence[tuple[str, str, int]] = ()

    def nameless(self) -> Iterator[tuple[str, str, int]]:
        """Give (model, key, id) of all lines, lines' lines too, that do not carry their key."""
        yield from self.unnamed
        for lines in self.lines.values():
            for line in lines.values():
                yield from line.nameless()


@dataclass(frozen=True, slots=True)
class Change:
    """What to write: `values` as `write` takes them; for each one2many what becomes of its lines.

    `fresh` are lines that are not there, each with its place; `gone` are ids of those to remove.
    """

    values: Mapping[str, Any]
    lines: Mapping[str, Mapping[int, Change]] = field(default_factory=dict)
    fresh: Mapping[str, Sequence[tuple[int, Line]]] = field(default_factory=dict)
    gone: Mapping[str, Sequence[int]] = field(default_factory=dict)

    def names(self) -> set[str]:
        """Return the fields that differ."""
        return {*self.values, *self.lines, *self.fresh, *self.gone}

    def __bool__(self) -> bool:
        """Whether there is anything to write."""
        return bool(self.names())


class Reading:
    """Reads records as far as a delivery speaks of them."""

    def __init__(
        self, odoo: Odoo, facts: Facts, relations: Relations, models: Mapping[str, Model]
    ) -> None:
        """All are of one session; `models` are those of target.yaml."""
        self._odoo = odoo
        self._models = models
        self._facts = facts
        self._relations = relations

    def present(self, wanted: Wanted, number: int, source: str) -> Present:
        """Read a record; Gone where it is not there."""
        found = self._read([(number, wanted)], source)
        if number not in found:
            raise Gone("MissingError", f"{wanted.model} {number} is gone")
        return found[number]

    def _read(
        self, asked: Sequence[tuple[int, Wanted]], source: str, inverse: str = ""
    ) -> dict[int, Present]:
        """Read records of one model, those that are there, with their lines.

        `inverse` is the field by which they are lines of another.
        """
        if not asked:
            return {}
        model = asked[0][1].model
        names = dict.fromkeys(name for _, wanted in asked for name in self._names(wanted))
        if inverse:
            names |= dict.fromkeys((inverse, *_emptied(self._models, model)))
        ids = [number for number, _ in asked]
        rows = self._odoo.call(model, "read", ids, list(names), load=None, context=_READ)
        by_id = {row["id"]: row for row in rows}
        return {
            number: self._with_lines(wanted, by_id[number], source)
            for number, wanted in asked
            if number in by_id
        }

    def _names(self, wanted: Wanted) -> list[str]:
        facts = self._facts.of(wanted.model)
        extra = [name for name in (*WRITTEN, ACTIVE, SEQUENCE) if name in facts]
        return [*wanted.values, *extra]

    def _with_lines(self, wanted: Wanted, row: Mapping[str, Any], source: str) -> Present:
        found: dict[str, dict[str, Present]] = {}
        unnamed: list[tuple[str, str, int]] = []
        for name, value in wanted.values.items():
            if not isinstance(value, Lines):
                continue
            fact = self._facts.of(wanted.model)[name]
            model = fact.relation
            keys = self._relations.keys(model, row[name], source)
            by_key = {line.key: line.wanted for line in value.lines}
            named = set(keys.values())
            elsewhere = self._elsewhere(model, [ln for ln in value.lines if ln.key not in named])
            for key, (number, by) in elsewhere.items():
                keys[number] = key
                unnamed += [(model, key, number)] if by != key else []
            if _is_exact(self._models, model):
                keys = {number: _no_key(number) for number in row[name]} | keys
            nothing = Wanted(model, {})
            asked = [(number, by_key.get(key, nothing)) for number, key in keys.items()]
            there = self._read(asked, source, fact.inverse)
            found[name] = {keys[number]: each for number, each in there.items()}
        return Present(row["id"], row, found, unnamed)

    def _elsewhere(self, model: str, lines: Sequence[Line]) -> dict[str, tuple[int, str]]:
        """Return, by key, the id of lines that are there and the name that tells."""
        ids = self._relations.names((model, name) for line in lines for name in line.names())
        found: dict[str, tuple[int, str]] = {}
        for line in lines:
            names = [name for name in line.names() if (model, name) in ids]
            if names:
                found[line.key] = ids[model, names[0]], names[0]
        return found


class Comparing:
    """Finds what differs. Pure, but for facts that are asked for once."""

    def __init__(
        self,
        settings: Settings,
        facts: Facts,
        ids: Mapping[Ref, int],
        *,
        numbered: bool = True,
    ) -> None:
        """`ids` are of all that is referred to.

        Lines are `numbered` by their place; otherwise any numbers will do that keep their order.
        """
        self._numbered = numbered
        self._models = settings.models
        self._lang = settings.lang  # the text in it counts, of a translated field
        self._facts = facts
        self._ids = ids

    def differing(self, present: Present, wanted: Wanted) -> Change:
        """Return what to write so that the record is as it is wanted."""
        facts = self._facts.of(wanted.model)
        values: dict[str, Any] = {}
        lines: dict[str, dict[int, Change]] = {}
        fresh: dict[str, list[tuple[int, Line]]] = {}
        gone: dict[str, list[int]] = {}
        for name, value in wanted.values.items():
            if isinstance(value, Lines):
                own = self._of_lines(facts[name], present, value)
                lines |= {name: own[0]} if own[0] else {}
                fresh |= {name: own[1]} if own[1] else {}
                gone |= {name: own[2]} if own[2] else {}
            elif (said := self._plain(value)) is not _SAME and canonical(
                facts[name], said
            ) != canonical(facts[name], present.values.get(name)):
                values[name] = [(_SET, 0, said)] if isinstance(value, Many) else said
        return Change(values, lines, fresh, gone)

    def _of_lines(
        self, fact: Fact, parent: Present, value: Lines
    ) -> tuple[dict[int, Change], list[tuple[int, Line]], list[int]]:
        present = parent.lines.get(fact.name, {})
        changes: dict[int, Change] = {}
        fresh: list[tuple[int, Line]] = []
        numbered = self._numbered or not _in_this_order(value, present)
        for place, line in enumerate(value.lines, 1):
            there = present.get(line.key)
            if there is None:
                fresh.append((place, line))
                continue
            change = self.differing(there, line.wanted)
            stand = {
                **(dict(self._place(fact, line, place)) if numbered else {}),
                fact.inverse: parent.id,  # it may have been another's
            }
            moved = {name: each for name, each in stand.items() if there.values.get(name) != each}
            if moved or change:
                values = {**change.values, **moved}
                changes[there.id] = Change(values, change.lines, change.fresh, change.gone)
        wanted = {line.key for line in value.lines}
        gone = [
            each
            for key, each in present.items()
            if key not in wanted and each.values.get(fact.inverse) == parent.id
        ]
        return changes, fresh, [each.id for each in gone if not self._is_empty(fact, each)]

    def _place(self, fact: Fact, line: Line, place: int) -> Iterator[tuple[str, int]]:
        return in_order(self._facts, fact.relation, line.wanted, place)

    def _is_empty(self, fact: Fact, line: Present) -> bool:
        """Whether a line that has vanished is as empty as it gets."""
        emptied = _emptied(self._models, fact.relation)
        facts = self._facts.of(fact.relation)
        return bool(emptied) and all(
            canonical(facts[name], line.values.get(name)) == canonical(facts[name], value)
            for name, value in emptied.items()
            if name in facts
        )

    def _plain(self, value: Value) -> Any:
        match value:
            case One(ref):
                return False if ref is None else self._ids[ref]
            case Many(refs):
                return sorted(self._ids[ref] for ref in refs)
            case Scalar(inside):
                return main_text(inside, self._lang)
            case Lines():
                return _SAME


_SAME: Final = object()


def _in_this_order(value: Lines, present: Mapping[str, Present]) -> bool:
    """Whether the lines that are there stand as they are wanted, by `sequence` and id."""
    there = [present[line.key] for line in value.lines if line.key in present]
    places = [(each.values.get(SEQUENCE) or 0, each.id) for each in there]
    return places == sorted(places)


def _is_exact(models: Mapping[str, Model], name: str) -> bool:
    return name in models and models[name].exact


def _no_key(number: int) -> str:
    """Return what stands for the key of a line that no delivery has named."""
    return f"#{number}"


def _emptied(models: Mapping[str, Model], name: str) -> Mapping[str, Any]:
    model = models.get(name)
    return {} if model is None else model.emptied
