"""The JSON Schema of sync.yaml, for editors.

It is written down by reading: the reader asks an outline for every key that it knows, and the
outline notes what it was asked. So there is no second list of keys that could differ.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from schemas.config import context
from schemas.config.section import DURATION, SIZE, URL, Choice, Notes, Section
from schemas.config.yaml_lines import Lines
from schemas.mapping import outline

Schema = dict[str, Any]

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
# A reference stands for a text that only the reader fills in.
_REFERENCE: Final[Schema] = {"type": "string", "pattern": r"\$\{"}
_DURATION: Final[Schema] = {"type": "string", "pattern": rf"^\s*{DURATION.pattern}\s*$"}
_PROPERTY: Final[Schema] = {"type": ["string", "number", "boolean"]}
_SCALAR: Final[Schema] = {"type": ["string", "number", "boolean", "null"]}


def _by_name(form: re.Pattern[str], value: Schema) -> Schema:
    return {
        "type": ["object", "null"],
        "propertyNames": {"pattern": f"^(?:{form.pattern})$"},
        "additionalProperties": value,
    }


_RAW: Final[dict[str, Callable[[], Schema]]] = {
    context.DEFAULTS: lambda: _by_name(
        context.FIELD, {"anyOf": [_SCALAR, _by_name(context.COMPANY, _SCALAR)]}
    ),
    context.FILTERS: lambda: _by_name(
        context.FIELD,
        {
            "anyOf": [
                {"$ref": f"#/$defs/{outline.DOMAIN}"},
                {
                    "type": "object",
                    "properties": {
                        "domain": {"$ref": f"#/$defs/{outline.DOMAIN}"},
                        "archived": {"type": "boolean"},
                    },
                    "additionalProperties": False,
                },
            ]
        },
    ),
    context.NAMES: lambda: _by_name(
        context.MODEL,
        {
            "anyOf": [
                {"type": "string"},
                {"type": "array", "items": {"type": "string"}, "minItems": 1},
            ]
        },
    ),
    "conflict": lambda: {
        "anyOf": [
            {"const": "later"},
            {
                "type": "object",
                "properties": {"master": {"type": "string"}},
                "required": ["master"],
                "additionalProperties": False,
            },
        ]
    },
    "domain": lambda: {"$ref": f"#/$defs/{outline.DOMAIN}"},
    "fields": outline.fields_schema,
    "map": outline.map_schema,
}


def schema_of(read: Callable[[Section], object]) -> Schema:
    """Return the schema of what a function reads of a whole file."""
    found = Outline()
    read(found)
    return {
        "$schema": _DIALECT,
        "title": "sync.yaml",
        **found.schema(),
        "$defs": outline.definitions(),
    }


class Outline(Section):
    """A section without values that notes what it is asked for."""

    def __init__(self) -> None:
        """Know no key yet; what is missing is no finding here."""
        super().__init__(Notes(Lines({})), "", {})
        self._keys: dict[str, Callable[[], Schema]] = {}
        self._required: list[str] = []
        self._others: Callable[[], Schema] | None = None
        self._sections: dict[str, Outline] = {}
        self._may_be_empty = False
        self._names: Schema | None = None

    def schema(self) -> Schema:
        """Return the schema of what was asked for so far."""
        parts = {
            key: inside.schema() if inside.is_needed else _or_null(inside.schema())
            for key, inside in self._sections.items()
        }
        found: Schema = {
            "type": "object",
            "properties": {**{key: make() for key, make in self._keys.items()}, **parts},
            "additionalProperties": False if self._others is None else self._others(),
        }
        if self._names is not None:
            found["propertyNames"] = self._names
        needed = [key for key, inside in self._sections.items() if inside.is_needed]
        if self._required or needed:
            found["required"] = [*self._required, *needed]
        return {"anyOf": [{"maxProperties": 0}, found]} if self._may_be_empty else found

    @property
    def is_needed(self) -> bool:
        """Whether something in it must be said."""
        inside = any(each.is_needed for each in self._sections.values())
        return (bool(self._required) or inside) and not self._may_be_empty

    @property
    def is_empty(self) -> bool:
        """Whether no key is left to ask for: there might be any, and there might be none."""
        self._may_be_empty = True
        return False

    def raw(self, key: str) -> Any:
        """Note a key of a form of its own."""
        make = _RAW[key]
        self._keys.setdefault(key, make)

    def text(self, key: str, default: str = "", *, required: bool = False) -> str:
        """Note a text."""
        return self._note_text(key, {"type": "string"}, default, required=required)

    def matching(self, key: str, form: re.Pattern[str], remedy: str, default: str = "") -> str:
        """Note a text of a form."""
        schema = {"type": "string", "pattern": f"^(?:{form.pattern})$", "description": remedy}
        return self._note_text(key, schema, default, required=not default)

    def url(self, key: str, default: str = "") -> str:
        """Note a URL."""
        schema = {"type": "string", "pattern": f"^{URL.pattern}$"}
        return self._note_text(key, schema, default, required=not default)

    def token(self, key: str) -> str:
        """Note a secret."""
        return self._note_text(key, {"type": "string"}, "", required=False)

    def choice(self, key: str, default: Choice, others: Sequence[Choice]) -> Choice:
        """Note some words."""
        self._note(key, {"enum": [default, *others]}, default)
        return default

    def flag(self, key: str, *, default: bool) -> bool:
        """Note true or false."""
        self._note(key, {"type": "boolean"}, default)
        return default

    def number(self, key: str, default: int, *, least: int = 1) -> int:
        """Note a whole number."""
        self._note(key, {"type": "integer", "minimum": least}, default)
        return default

    def seconds(self, key: str, default: float) -> float:
        """Note a duration."""
        self._note(key, _DURATION)
        return default

    def size(self, key: str) -> int:
        """Note a size."""
        self._note(key, {"type": "string", "pattern": rf"^\s*({SIZE.pattern})?\s*$"})
        return 0

    def ladder(self, key: str, default: tuple[float, ...]) -> tuple[float, ...]:
        """Note a list of durations."""
        self._keys[key] = lambda: {"type": "array", "items": _or_reference(_DURATION)}
        return default

    def texts(self, key: str, remedy: str, *, optional: bool = False) -> tuple[str, ...]:
        """Note a list of texts."""
        self._keys[key] = lambda: {
            "type": ["array", "null"] if optional else "array",
            "items": {"type": "string"},
            "minItems": 0 if optional else 1,
            "description": remedy,
        }
        if not optional:
            self._required.append(key)
        return ()

    def section(self, key: str) -> Section:
        """Note a mapping."""
        inside = self._sections[key] = Outline()
        return inside

    def named(self, key: str, form: re.Pattern[str], what: str, remedy: str) -> dict[str, Section]:
        """Note mappings of any names of that form."""
        names, inside = Outline(), Outline()
        names._others = inside.schema
        names._names = {"pattern": f"^(?:{form.pattern})$"}
        self._sections[key] = names
        return {f"<{what}>": inside}

    def sections(self, key: str, remedy: str) -> list[Section]:
        """Note a list of mappings."""
        inside = Outline()
        self._keys[key] = lambda: {
            "type": "array",
            "items": inside.schema(),
            "minItems": 1,
            "description": remedy,
        }
        self._required.append(key)
        return [inside]

    def foreign(self, beginnings: tuple[str, ...], known: Sequence[str]) -> list[str]:
        """Note that of keys with one of some beginnings there are only the known ones."""
        self._keys |= dict.fromkeys(known, lambda: _PROPERTY)
        begun = f"^(?:{'|'.join(map(re.escape, beginnings))})"
        self._names = {"anyOf": [{"enum": [*known]}, {"not": {"pattern": begun}}]}
        return []

    def properties(self, refused: Mapping[str, str]) -> dict[str, str]:
        """Note that any key may have a text or a number, but those that are refused."""
        self._keys |= dict.fromkeys(refused, lambda: {"not": {}})
        self._others = lambda: _PROPERTY
        return {}

    def _note_text(self, key: str, schema: Schema, default: str, *, required: bool) -> str:
        self._note(key, schema, default)
        if required:
            self._required.append(key)
        return f"<{key}>" if required else default

    def _note(self, key: str, schema: Schema, default: object = None) -> None:
        known = _or_reference(schema)
        said = {} if default in (None, "") else {"default": default}
        self._keys[key] = lambda: {**known, **said}


def _or_reference(schema: Schema) -> Schema:
    plain = schema.get("type") == "string" and "pattern" not in schema
    return schema if plain else {"anyOf": [schema, _REFERENCE]}


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [{"type": "null"}, schema]}
