"""Writes what differs, and makes what is not there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from streams.applying.facts import Facts
from streams.applying.present import Change
from streams.applying.rows import BY_NUMBER, Rows, Table
from streams.applying.saving import Saving
from streams.applying.settings import Settings
from streams.applying.values import other_texts
from streams.applying.wanted import Line, Ref, Scalar, Wanted
from streams.odoo.port import Conflict, Context, Odoo, Refused

_UPDATE, _REMOVE = 1, 2  # commands of x2many fields, as RPC has them
_TRIES: Final = 3
_PASSING: Final = (  # what Postgres says where another transaction was faster, in English
    "could not serialize access",
    "deadlock detected",
    "could not obtain lock",
    "ir_model_data_module_name_uniq_index",
)
_ARCHIVED_TOO: Final = {"active_test": False}
_NAMES_STAY: Final = {"noupdate": True}  # also where a module of the source's name is updated


class Writing:
    """Writes through one session, for one delivery."""

    def __init__(
        self, odoo: Odoo, settings: Settings, facts: Facts, ids: Mapping[Ref, int], saving: Saving
    ) -> None:
        """`ids` are of all that is referred to; `saving` is of the same session."""
        self._odoo = odoo
        self._saving = saving
        self._models = settings.models
        self._lang = settings.lang
        self._facts = facts
        self._rows = Rows(facts, ids, settings.lang)

    def create(self, key: str, wanted: Wanted) -> int:
        """Make a record with its lines and their names, and return its id."""
        number = self._load(wanted.model, self._rows.table([(key, wanted, {})]))[0]
        self.translate(wanted, number)
        return number

    def change(
        self,
        model: str,
        number: int,
        change: Change,
        names: Sequence[str] = (),
        look: Callable[[], object] = int,
    ) -> Mapping[str, Any] | None:
        """Write what differs: lines that are not there first, as `load` names them.

        `look` is called before each transaction. Returns these fields as they are then, where
        that is told in the same call.
        """
        for field, lines in change.fresh.items():
            look()
            self._add(model, number, field, lines)
        look()
        try:
            told = self._write(model, number, change, {}, names)
        except Refused:
            emptied = self._emptied(model, change)
            if not emptied:
                raise
            told = self._write(model, number, change, emptied, names)
        for field, changes in change.lines.items():
            relation = self._facts.of(model)[field].relation
            for line, inside in changes.items():
                self.change(relation, line, Change({}, inside.lines, inside.fresh, inside.gone))
        return told

    def translate(self, wanted: Wanted, number: int) -> None:
        """Write the texts in other active languages that differ."""
        by_lang: dict[str, dict[str, str]] = {}
        for field, value in wanted.values.items():
            if isinstance(value, Scalar):
                for code, text in other_texts(value.value, self._lang).items():
                    by_lang.setdefault(code, {})[field] = text
        active = self._facts.languages() if by_lang else frozenset()
        for code in sorted(by_lang.keys() & active):
            texts, context = by_lang[code], {"lang": code}
            there = self._odoo.call(
                wanted.model, "read", [number], list(texts), load=None, context=context
            )
            fresh = {name: text for name, text in texts.items() if there[0][name] != text}
            if fresh:
                self._odoo.call(wanted.model, "write", [number], fresh, context=context)

    def _add(self, model: str, number: int, field: str, lines: Sequence[tuple[int, Line]]) -> None:
        fact = self._facts.of(model)[field]
        parent = {f"{fact.inverse}{BY_NUMBER}": str(number)}
        records = [
            (line.key, line.wanted, parent | self._rows.order(fact.relation, line.wanted, place))
            for place, line in lines
        ]
        self._load(fact.relation, self._rows.table(records))

    def _write(
        self,
        model: str,
        number: int,
        change: Change,
        emptied: Mapping[str, Mapping[str, Any]],
        names: Sequence[str],
    ) -> Mapping[str, Any] | None:
        """Write a record and its lines in one transaction.

        `emptied` is what vanished lines get instead of their end, by their field.
        """
        values = dict(change.values)
        for field in dict.fromkeys((*change.lines, *change.gone)):
            lines = change.lines.get(field, {})
            commands: list[Any] = [
                (_UPDATE, line, dict(each.values)) for line, each in lines.items() if each.values
            ]
            for line in change.gone.get(field, ()):
                kept = emptied.get(field)
                commands.append((_UPDATE, line, dict(kept)) if kept else (_REMOVE, line, 0))
            if commands:
                values[field] = commands
        return self._saving(model, number, values, names) if values else None

    def _emptied(self, model: str, change: Change) -> dict[str, Mapping[str, Any]]:
        """Return what the file says of vanished lines that Odoo does not let go, by field."""
        facts = self._facts.of(model)
        models = {field: self._models.get(facts[field].relation) for field in change.gone}
        return {field: each.emptied for field, each in models.items() if each and each.emptied}

    def _load(self, model: str, table: Table) -> list[int]:
        """Load a table; where that is refused, once more with what is archived in sight.

        Odoo 16 does not find an archived record by its id otherwise.
        """
        try:
            return self._loaded(model, table, _NAMES_STAY)
        except Refused:
            if not any(column.endswith(BY_NUMBER) for column in table.columns):
                raise
        return self._loaded(model, table, _NAMES_STAY | _ARCHIVED_TOO)

    def _loaded(self, model: str, table: Table, context: Context) -> list[int]:
        """Ask again where another transaction was faster: of that `load` tells the text alone."""
        said: Mapping[str, Any] = {}
        for _ in range(_TRIES):
            said = self._odoo.call(model, "load", table.columns, table.rows, context=context)
            if said["ids"]:
                return [int(number) for number in said["ids"]]
            if not _is_passing(said["messages"]):
                raise Refused("load", _said(said["messages"]))
        raise Conflict(_said(said["messages"]))


def _is_passing(messages: Sequence[Mapping[str, Any]]) -> bool:
    return any(text in str(each.get("message")) for each in messages for text in _PASSING)


def _said(messages: Sequence[Mapping[str, Any]]) -> str:
    """Return what `load` complains of, with the field where it names one."""
    found = [
        f"{each['field']}: {each['message']}" if each.get("field") else str(each["message"])
        for each in messages
        if each.get("type") == "error"
    ]
    return "; ".join(dict.fromkeys(found)) or "Odoo does not say why"
