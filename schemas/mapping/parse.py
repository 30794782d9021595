"""From what a route says to a Mapping; everything that is wrong with it is said at once."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from schemas import domain
from schemas.errors import BadUsage
from schemas.fields import nearest
from schemas.finding import Fault
from schemas.mapping.forms import (
    ALL_LANGUAGES,
    Constant,
    Each,
    Entry,
    Mapping,
    Match,
    Path,
    Ref,
    Table,
    Value,
)
from schemas.mapping.masks import MASKS

PATH: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*")
_PATH_HELP: Final = "write a field, or a path through relations: partner_id.country_id.code"
LANG: Final = re.compile(r"[a-z]{2,3}(_[A-Za-z0-9]+)?(@[a-z]+)?")
_VALUE_HELP: Final = "write a field's path; a constant is {value: 5}"
HEADS: Final = {  # what a value can be, and what may stand beside it
    "path": ("table", "else", "default", "lang", "company", "follow", "mask"),
    "value": (),
    "each": ("domain", "map"),
    "ref": ("follow",),
    "match": ("follow",),
}
_MISSING: Final = object()


class BadMapping(BadUsage):
    """The mapping is not valid; `faults` are all that is wrong with it."""

    hint = "docs/configuration.md shows every kind of value."

    def __init__(self, faults: Sequence[Fault]) -> None:
        """Say all faults, each with its key."""
        lines = (f"{fault.key}: {fault.message}" for fault in faults)
        super().__init__("\n".join(lines), hint=faults[0].remedy)
        self.faults = tuple(faults)


def parse_map(value: Any) -> Mapping:
    """Read `map: {name: value, ...}`; keys of faults begin with `map`. Raises BadMapping."""
    parser = _Parser()
    mapping = parser.mapping(value, "map")
    return parser.result(mapping)


def parse_fields(value: Any) -> Mapping:
    """Read `fields: [path, ...]`, whose names are the paths as written. Raises BadMapping."""
    parser = _Parser()
    return parser.result(Mapping(tuple(parser.fields(value))))


@dataclass(slots=True)
class _Parser:
    faults: list[Fault] = field(default_factory=list)

    def result(self, mapping: Mapping) -> Mapping:
        if self.faults:
            raise BadMapping(self.faults)
        return mapping

    def fields(self, value: Any) -> Iterable[Entry]:
        if not isinstance(value, list) or not value:
            self._fault("fields", "a list of paths is wanted here", "write [name, state]")
            return
        seen: set[str] = set()
        for index, path in enumerate(value):
            key = f"fields[{index}]"
            if isinstance(path, dict):
                self._fault(key, "a path is wanted here", "other values are written as a `map`")
            elif self._is_path(path, key):
                if path in seen:
                    self._fault(key, f'"{path}" is given twice', "leave one of them out")
                seen.add(path)
                yield Entry(path, Path(path), key)

    def mapping(self, value: Any, key: str) -> Mapping:
        if not isinstance(value, dict) or not value:
            self._fault(key, "names with values are wanted here", "write {name: name}")
            return Mapping(())
        return Mapping(tuple(self._entries(value, key)))

    def _entries(self, values: dict[Any, Any], key: str) -> Iterable[Entry]:
        for name, value in values.items():
            place = f"{key}.{name}"
            if not isinstance(name, str) or not name or not _is_sendable(name):
                self._fault(place, "a name must be a text", "put it in quotes")
                continue
            parsed = self._value(value, place)
            if parsed is not None:
                yield Entry(name, parsed, place)

    def _value(self, value: Any, key: str) -> Value | None:
        if isinstance(value, str):
            return Path(value) if self._is_path(value, key) else None
        if not isinstance(value, dict):
            self._fault(key, "this is neither a path nor a kind of value", _VALUE_HELP)
            return None
        heads = [head for head in HEADS if head in value]
        if len(heads) != 1:
            self._headless(heads, value, key)
            return None
        return self._headed(heads[0], value, key)

    def _headless(self, heads: list[str], value: dict[Any, Any], key: str) -> None:
        if heads:
            message = f"{' and '.join(heads)} exclude each other"
            self._fault(key, message, "keep one of them")
            return
        near = next(filter(None, (nearest(str(name), [*HEADS]) for name in value)), "")
        remedy = f'did you mean "{near}"?' if near else f"write one of {', '.join(HEADS)}"
        self._fault(key, "this is no kind of value", remedy)

    def _headed(self, head: str, value: dict[str, Any], key: str) -> Value | None:
        if not self._only_known(value, head, key):
            return None
        match head:
            case "value":
                return self._constant(value["value"], f"{key}.value")
            case "path":
                return self._path(value, key)
            case "each":
                return self._each(value, key)
            case "ref":
                return self._ref(value, key)
            case _:
                return self._match(value, key)

    def _path(self, value: dict[str, Any], key: str) -> Path | None:
        path, default = value["path"], value.get("default")
        found = len(self.faults)
        follow, lang, table = self._follow(value, key), self._lang(value, key), None
        mask, company = self._mask(value, key), self._company(value, key)
        self._constant(default, f"{key}.default")
        if "table" in value:
            table = self._table(value, key)
            if lang == ALL_LANGUAGES:
                self._fault(f"{key}.table", "a table takes one value", "name one language")
        elif "else" in value:
            self._fault(f"{key}.else", "`else` belongs to a table", "give it a `table`")
        if not self._is_path(path, f"{key}.path") or len(self.faults) > found:
            return None
        return Path(path, follow, lang, table, default, mask, company)

    def _mask(self, value: dict[str, Any], key: str) -> str:
        if "mask" not in value:
            return ""
        mask = value["mask"]
        if mask not in MASKS:
            near = nearest(str(mask), list(MASKS))
            remedy = f'did you mean "{near}"?' if near else f"write one of {', '.join(MASKS)}"
            self._fault(f"{key}.mask", "this is no mask", remedy)
            return ""
        if "table" in value:
            remedy = "leave one of them out: a table says itself what is sent"
            self._fault(f"{key}.mask", "`mask` and `table` exclude each other", remedy)
        if value.get("lang") == ALL_LANGUAGES:
            self._fault(f"{key}.mask", "a mask takes one value", "name one language")
        return str(mask)

    def _table(self, value: dict[str, Any], key: str) -> Table | None:
        table = value["table"]
        if not isinstance(table, dict) or not table:
            remedy = "write {draft: new, sale: confirmed}"
            self._fault(f"{key}.table", "values and what to send are wanted here", remedy)
            return None
        for name, sent in table.items():
            self._constant(sent, f"{key}.table.{name}")
        otherwise = value.get("else", _MISSING)
        if otherwise is _MISSING:
            return Table(tuple(table.items()))
        self._constant(otherwise, f"{key}.else")
        return Table(tuple(table.items()), has_else=True, otherwise=otherwise)

    def _each(self, value: dict[str, Any], key: str) -> Each | None:
        condition = self._domain(value.get("domain", []), f"{key}.domain")
        if "map" not in value:
            self._fault(key, "`map` is missing", "say what is sent of each: {each: ..., map: {}}")
            return None
        mapping = self.mapping(value["map"], f"{key}.map")
        if not self._is_path(value["each"], f"{key}.each") or condition is None:
            return None
        return Each(value["each"], condition, mapping)

    def _domain(self, value: Any, key: str) -> domain.Domain | None:
        try:
            return domain.parse(value)
        except domain.BadDomain as error:
            self._fault(key, str(error), error.hint)
            return None

    def _ref(self, value: dict[str, Any], key: str) -> Ref | None:
        follow = self._follow(value, key)
        return Ref(value["ref"], follow) if self._is_path(value["ref"], f"{key}.ref") else None

    def _match(self, value: dict[str, Any], key: str) -> Match | None:
        follow, place = self._follow(value, key), f"{key}.match"
        found = len(self.faults)
        entries = self.mapping(value["match"], place).entries
        for entry in entries:
            if not isinstance(entry.value, Path | Constant):
                self._fault(entry.key, "a match compares plain values", "write a path or a value")
            elif isinstance(entry.value, Path) and entry.value.mask:
                self._fault(entry.key, "a masked value finds nothing", "leave `mask` out")
        if len(self.faults) > found:
            return None
        if not any(isinstance(entry.value, Path) for entry in entries):
            remedy = "write {name: partner_id.name}"
            self._fault(place, "a match needs a path to compare by", remedy)
            return None
        return Match(entries, follow)

    def _follow(self, value: dict[str, Any], key: str) -> bool:
        follow = value.get("follow", True)
        if not isinstance(follow, bool):
            self._fault(f"{key}.follow", "true or false is wanted here", "leave it out for true")
            return True
        return follow

    def _lang(self, value: dict[str, Any], key: str) -> str:
        lang = value.get("lang")
        if lang is None:
            return ""
        if isinstance(lang, str) and (lang == ALL_LANGUAGES or LANG.fullmatch(lang)):
            return lang
        remedy = 'write Odoo\'s code with an underscore, fr_FR, or "*" for all'
        self._fault(f"{key}.lang", "this is no language", remedy)
        return ""

    def _company(self, value: dict[str, Any], key: str) -> int:
        company = value.get("company", 0)
        if "company" in value and (isinstance(company, bool) or not isinstance(company, int)):
            company = 0
        if "company" in value and company < 1:
            self._fault(f"{key}.company", "a company's id is wanted here", "write company: 1")
            return 0
        return int(company)

    def _constant(self, value: Any, key: str) -> Constant:
        if not _is_sendable(value):
            remedy = "write texts, numbers, true, false, null, lists and names with values"
            self._fault(key, "this is nothing that JSON can hold", remedy)
        return Constant(value)

    def _is_path(self, value: Any, key: str) -> bool:
        if not isinstance(value, str):
            self._fault(key, "a path is wanted here", _PATH_HELP)
            return False
        if not PATH.fullmatch(value):
            self._fault(key, f'"{value}" is no path', _PATH_HELP)
            return False
        return True

    def _only_known(self, value: dict[Any, Any], head: str, key: str) -> bool:
        known = [head, *HEADS[head]]
        found = len(self.faults)
        for name in value:
            if name not in known:
                near = nearest(str(name), known)
                remedy = f'did you mean "{near}"?' if near else f"known: {', '.join(known)}"
                self._fault(f"{key}.{name}", "unknown key", remedy)
        return len(self.faults) == found

    def _fault(self, key: str, message: str, remedy: str) -> None:
        self.faults.append(Fault(message, remedy, key))


def _is_sendable(value: Any) -> bool:
    """Whether a value has a form in JSON and UTF-8."""
    match value:
        case None | bool() | int():
            return True
        case float():
            return math.isfinite(value)
        case str():
            return not any("\ud800" <= letter <= "\udfff" for letter in value)
        case list():
            return all(_is_sendable(each) for each in value)
        case dict():
            return all(
                isinstance(name, str) and _is_sendable(name) and _is_sendable(each)
                for name, each in value.items()
            )
        case _:
            return False
