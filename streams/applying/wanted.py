"""What a message wants of a record, checked against what is allowed and what fields there are.

Relations are names still: `relations` finds the records behind them. Pure but for the facts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from streams.applying.facts import LINES, TO_MANY, TO_ONE, Fact, Facts
from streams.applying.incoming import EXTERNAL_ID, KEY
from streams.applying.own import own_id
from streams.applying.settings import Model, Settings
from streams.applying.values import BadValue, to_odoo

_FIELD: Final = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*")
_KEY, _EXTERNAL, _MATCH = "key", "external_id", "match"
_SCALARS: Final = (str, int, float)


class NotAllowed(Exception):
    """A model or a field that target.yaml does not list."""


class Wrong(Exception):
    """A value that the field cannot take; the message names the field."""


@dataclass(frozen=True, slots=True)
class Named:
    """A record by its names in `ir_model_data`, the first that is there counts."""

    model: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Matched:
    """The one record of a model with these values."""

    model: str
    values: tuple[tuple[str, Any], ...]


Ref = Named | Matched


@dataclass(frozen=True, slots=True)
class One:
    """A many2one; None is empty."""

    ref: Ref | None


@dataclass(frozen=True, slots=True)
class Many:
    """A many2many: exactly these."""

    refs: tuple[Ref, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """A record of a one2many, known by its key, or by a name that it has besides."""

    key: str
    wanted: Wanted
    also: tuple[str, ...] = ()

    def names(self) -> tuple[str, ...]:
        """Return its names, the first that is there counts."""
        return self.key, *self.also


@dataclass(frozen=True, slots=True)
class Lines:
    """A one2many: these, in this order."""

    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Scalar:
    """A value as Odoo has it; of a translated field, it may be an object of texts by language."""

    value: Any


Value = Scalar | One | Many | Lines


@dataclass(frozen=True, slots=True)
class Wanted:
    """Values by field; `hints` are those that matching rules alone look at, by dotted path."""

    model: str
    values: Mapping[str, Value]
    hints: Mapping[str, Value] = field(default_factory=dict)

    def refs(self) -> Iterator[Ref]:
        """Give every record that it refers to, lines' included."""
        for value in (*self.values.values(), *self.hints.values()):
            match value:
                case One(ref) if ref is not None:
                    yield ref
                case Many(refs):
                    yield from refs
                case Lines(lines):
                    for line in lines:
                        yield from line.wanted.refs()
                case _:
                    pass


def joined(wanted: Wanted, before: Wanted | None) -> Wanted:
    """Return what is wanted, with the lines that were there before."""
    values = dict(wanted.values)
    for name, was in () if before is None else before.values.items():
        value = values.get(name)
        if isinstance(value, Lines) and isinstance(was, Lines):
            old = {line.key: line for line in was.lines}
            lines = [_line_of(line, old.pop(line.key, None)) for line in value.lines]
            values[name] = Lines((*lines, *old.values()))
    return replace(wanted, values=values)


def _line_of(line: Line, was: Line | None) -> Line:
    return line if was is None else replace(line, wanted=joined(line.wanted, was.wanted))


class Understanding:
    """Reads the fields of messages for one Odoo."""

    def __init__(self, settings: Settings, facts: Facts) -> None:
        """`facts` are asked as models turn up."""
        self._settings = settings
        self._facts = facts

    def wanted(self, model: Model, fields: Mapping[str, Any], where: str = "") -> Wanted:
        """Understand the fields of a record; NotAllowed and Wrong name the field."""
        matching = {name for rule in model.match for name in rule if "." in name}
        values: dict[str, Value] = {}
        hints: dict[str, Value] = {}
        for name, value in fields.items():
            place = f"{where}{name}"
            if name in matching:
                hints[name] = self._hint(self._along(model.name, name), value, place)
            elif name in model.fields:
                values[name] = self._value(self._fact(model.name, name), value, place)
            else:
                raise NotAllowed(
                    f"{place}: target.yaml does not list it among models.{model.name}.fields"
                )
        return Wanted(model.name, values, hints)

    def _along(self, model: str, path: str) -> Fact:
        """Return the field at the end of a path."""
        *steps, last = path.split(".")
        for step in steps:
            model = self._fact(model, step).relation
        return self._fact(model, last)

    def _fact(self, model: str, name: str) -> Fact:
        fact = self._facts.of(model).get(name) if model else None
        if fact is None:
            raise Wrong(f"{name}: {model or 'what it leads through'} has no such field here")
        return fact

    def _hint(self, fact: Fact, value: Any, where: str) -> Value:
        """Take a list for what it is: a path through lists has many ends, whatever its field."""
        if isinstance(value, list) and fact.relation:
            fact = replace(fact, type="many2many")
        return self._value(fact, value, where)

    def _value(self, fact: Fact, value: Any, where: str) -> Value:
        try:
            if fact.type == TO_ONE:
                return One(self._ref(fact.relation, value))
            if fact.type == LINES:
                return self._lines(fact, value, where)
            if fact.type in TO_MANY:
                return self._many(fact.relation, value)
            return Scalar(to_odoo(fact, value))
        except BadValue as error:
            raise Wrong(f"{where}: {error}") from None

    def _many(self, model: str, value: Any) -> Many:
        if value is None:
            return Many(())
        if not isinstance(value, list):
            raise BadValue("a list of relations is wanted")
        refs = [self._ref(model, each) for each in value]
        return Many(tuple(dict.fromkeys(ref for ref in refs if ref is not None)))

    def _ref(self, model: str, value: Any) -> Ref | None:
        if value is None:
            return None
        said = _checked(value)
        if _MATCH in said:
            return Matched(model, _values(said[_MATCH]))
        names = [said[each] for each in (_KEY, _EXTERNAL) if said.get(each) is not None]
        if not names or not all(
            isinstance(name, str) and EXTERNAL_ID.fullmatch(name) for name in names
        ):
            raise BadValue("the names of a relation have the form module.name")
        # The key, or what the file's author wrote.
        return Named(model, tuple(dict.fromkeys((names[0], *self._also(model, names[1:])))))

    def _also(self, model: str, names: Sequence[str]) -> list[str]:
        """Return which names count beside a key: those of what began here always do."""
        if self._settings.trusts_external_ids(model):
            return list(names)
        return [each for each in names if own_id(model, each, self._settings.system)]

    def _lines(self, fact: Fact, value: Any, where: str) -> Lines:
        model = self._settings.models.get(fact.relation)
        if model is None:
            raise NotAllowed(f"{where}: target.yaml does not list the model {fact.relation}")
        if not isinstance(value, list):
            raise BadValue("a list of objects is wanted, each with its `key`")
        lines = [self._line(model, each, f"{where}[{place}].") for place, each in enumerate(value)]
        if len({line.key for line in lines}) < len(lines):
            raise BadValue("two of its objects have the same `key`")
        return Lines(tuple(lines))

    def _line(self, model: Model, value: Any, where: str) -> Line:
        if not isinstance(value, dict):
            raise Wrong(f"{where[:-1]}: an object is wanted")
        key = value.get(_KEY)
        if not isinstance(key, str) or not KEY.fullmatch(key):
            raise Wrong(f"{where}{_KEY}: its key is wanted; map `key: key`")
        fields = {name: each for name, each in value.items() if name != _KEY}
        # Of a model that has a field of this name, the file may list that one.
        external = None if _EXTERNAL in model.fields else fields.pop(_EXTERNAL, None)
        also = [] if external in (None, key) else [external]
        if not all(isinstance(name, str) and EXTERNAL_ID.fullmatch(name) for name in also):
            raise Wrong(f"{where}{_EXTERNAL}: names of records have the form module.name")
        wanted = self.wanted(model, fields, where)
        return Line(key, wanted, tuple(self._also(model.name, also)))


def _checked(value: Any) -> dict[str, Any]:
    """Return a relation that is of the right form."""
    if not isinstance(value, dict):
        raise BadValue(
            "a relation is wanted: map it with `ref` or `match`; ids are of the source's database"
        )
    unknown = value.keys() - {_KEY, _EXTERNAL, _MATCH}
    if unknown or not value or (_MATCH in value and len(value) > 1):
        raise BadValue('a relation is {"key": ..., "external_id": ...} or {"match": {...}}')
    return value


def _values(match: Any) -> tuple[tuple[str, Any], ...]:
    if not isinstance(match, dict) or not match:
        raise BadValue('`match` is an object of values by field: {"default_code": "E-COM06"}')
    for name, value in match.items():
        if not _FIELD.fullmatch(name):
            raise BadValue(f"`match`: {name[:60]!r} is no field")
        if not isinstance(value, _SCALARS) or value == "":
            raise BadValue(f"`match`: {name} is empty: nothing can be found by that")
    return tuple(sorted(match.items()))
