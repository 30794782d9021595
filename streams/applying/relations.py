"""The records behind names and matches, asked for in as few calls as there are kinds of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from streams.applying.facts import Facts
from streams.applying.known import Known
from streams.applying.own import own_id
from streams.applying.wanted import Matched, Named, Ref
from streams.odoo.port import Odoo

_DATA: Final = "ir.model.data"
_ALL: Final = {"active_test": False}
_SHOWN: Final = 5  # of what is missing
_ACTIVE: Final = "active"


class Missing(Exception):
    """A record that is referred to is not here yet; the message names it."""

    def __init__(self, message: str, names: Iterable[str] = ()) -> None:
        """`names` are the external ids that it would have."""
        super().__init__(message)
        self.names = frozenset(names)


class Ambiguous(Exception):
    """Several records match; the message names them."""


class Relations:
    """Finds records through one session."""

    def __init__(self, odoo: Odoo, facts: Facts, known: Known, system: str = "") -> None:
        """`known` is what all sessions have found; `system` the source that captures this Odoo."""
        self._system = system
        self._odoo = odoo
        self._facts = facts
        self._known = known
        self._absent: frozenset[str] = frozenset()

    def suppose_absent(self, names: frozenset[str]) -> None:
        """Do not ask for these external ids; what is known of them since counts."""
        self._absent = names

    def find(self, refs: Iterable[Ref]) -> dict[Ref, int]:
        """Return the id of each; Missing where one is not here, Ambiguous where several are."""
        asked = list(dict.fromkeys(refs))
        named = [ref for ref in asked if isinstance(ref, Named)]
        found: dict[Ref, int] = {}
        names = self.names((ref.model, name) for ref in named for name in ref.names)
        for ref in named:
            there = [names[ref.model, name] for name in ref.names if (ref.model, name) in names]
            if there:
                found[ref] = there[0]
        found |= self._matches([ref for ref in asked if isinstance(ref, Matched)])
        missing = [ref for ref in asked if ref not in found]
        if missing:
            expected = [name for ref in missing if isinstance(ref, Named) for name in ref.names]
            said = ", ".join(_said(ref) for ref in missing[:_SHOWN])
            raise Missing(f"not here yet: {said}", expected)
        return found

    def names(self, wanted: Iterable[tuple[str, str]]) -> dict[tuple[str, str], int]:
        """Return the ids behind (model, external id), of those that are there."""
        asked = dict.fromkeys(wanted)
        found = {each: number for each in asked if (number := self._known.get(*each))}
        by_module: dict[str, list[str]] = defaultdict(list)
        for each in asked:
            if each not in found and each[1] not in self._absent:
                module, _, name = each[1].partition(".")
                by_module[module].append(name)
        rows = [row for module, names in by_module.items() for row in self._data(module, names)]
        fresh = {each: number for each in asked if (number := own_id(*each, self._system))}
        fresh |= {(row["model"], f"{row['module']}.{row['name']}"): row["res_id"] for row in rows}
        there = self._there({each: fresh[each] for each in asked if each in fresh})
        for (model, name), number in there.items():
            self._known.note(model, name, number)
        return found | there

    def learn(self, wanted: Iterable[str]) -> frozenset[str]:
        """Ask for external ids at once, whatever their models, so that `names` need not.

        Returns those that nothing has.
        """
        by_module: dict[str, set[str]] = defaultdict(set)
        asked = frozenset(wanted)
        for each in asked:
            module, _, name = each.partition(".")
            by_module[module].add(name)
        rows = [row for module, names in by_module.items() for row in self._data(module, names)]
        found = {_named(row): row["res_id"] for row in rows}
        self._note(found)
        return asked - {name for _, name in found}

    def keys(self, model: str, ids: Sequence[int], module: str) -> dict[int, str]:
        """Return which of these records carry a name of a module, and the first such name."""
        if not ids:
            return {}
        domain = [("model", "=", model), ("res_id", "in", list(ids)), ("module", "=", module)]
        rows = self._odoo.call(_DATA, "search_read", domain, ["name", "res_id"], order="id desc")
        return {row["res_id"]: f"{module}.{row['name']}" for row in rows}

    def matching(self, model: str, domain: list[Any]) -> list[int]:
        """Return the ids of what matches: active ones, or where there is none, archived ones."""
        if _ACTIVE not in self._facts.of(model):
            return list(self._odoo.call(model, "search", domain, context=_ALL))
        if any("." in name for name, *_ in domain):  # through what is archived only if need be
            active = self._odoo.call(model, "search", [*domain, (_ACTIVE, "=", True)])
            return list(active or self._odoo.call(model, "search", domain, context=_ALL))
        rows = self._odoo.call(model, "search_read", domain, [_ACTIVE], context=_ALL)
        active = [row["id"] for row in rows if row[_ACTIVE]]
        return active or [row["id"] for row in rows]

    def _note(self, found: Mapping[tuple[str, str], int]) -> dict[tuple[str, str], int]:
        """Remember those whose record is there, and return them."""
        there = self._there(found)
        for (model, name), number in there.items():
            self._known.note(model, name, number)
        return there

    def _data(self, module: str, names: Iterable[str]) -> Any:
        domain = [("module", "=", module), ("name", "in", sorted(names))]
        fields = ["module", "name", "model", "res_id"]
        return self._odoo.call(_DATA, "search_read", domain, fields)

    def _there(self, found: Mapping[tuple[str, str], int]) -> dict[tuple[str, str], int]:
        """Leave out names whose record has gone: what SQL deletes leaves its name behind."""
        by_model: dict[str, list[int]] = defaultdict(list)
        for (model, _), number in found.items():
            by_model[model].append(number)
        alive = {
            (model, number)
            for model, ids in by_model.items()
            for number in self._odoo.call(model, "search", [("id", "in", ids)], context=_ALL)
        }
        return {
            (model, name): number
            for (model, name), number in found.items()
            if (model, number) in alive
        }

    def _matches(self, matched: Sequence[Matched]) -> dict[Ref, int]:
        """One call for all that match by the same field alone, one for each of the others."""
        alike: dict[tuple[str, str], list[Matched]] = defaultdict(list)
        found: dict[Ref, int] = {}
        for ref in matched:
            if len(ref.values) == 1 and "." not in ref.values[0][0]:
                alike[ref.model, ref.values[0][0]].append(ref)
            else:
                domain = [(name, "=", value) for name, value in ref.values]
                _decide(ref, self.matching(ref.model, domain), found)
        for (model, name), refs in alike.items():
            by_value = self._by_value(model, name, [ref.values[0][1] for ref in refs])
            for ref in refs:
                _decide(ref, by_value.get(ref.values[0][1], []), found)
        return found

    def _by_value(self, model: str, name: str, values: Sequence[Any]) -> dict[Any, list[int]]:
        """Return the ids by the value of a field, active ones where there are any."""
        archives = _ACTIVE in self._facts.of(model)
        fields = [name, _ACTIVE] if archives else [name]
        domain = [(name, "in", list(values))]
        rows = self._odoo.call(
            model, "search_read", domain, fields, load=None, order="id", context=_ALL
        )
        active: dict[Any, list[int]] = defaultdict(list)
        archived: dict[Any, list[int]] = defaultdict(list)
        for row in rows:
            (active if row.get(_ACTIVE, True) else archived)[row[name]].append(row["id"])
        return {**archived, **active}


def _named(row: Mapping[str, Any]) -> tuple[str, str]:
    return row["model"], f"{row['module']}.{row['name']}"


def _decide(ref: Matched, ids: Sequence[int], found: dict[Ref, int]) -> None:
    if len(ids) > 1:
        raise Ambiguous(f"{_said(ref)} fits {len(ids)} records: {ids[:_SHOWN]}")
    if ids:
        found[ref] = ids[0]


def _said(ref: Ref) -> str:
    match ref:
        case Named(model, names):
            return f"{model} {' or '.join(names)}"
        case Matched(model, values):
            return f"{model} with {', '.join(f'{name} = {value!r}' for name, value in values)}"
