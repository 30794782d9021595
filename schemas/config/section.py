"""A mapping of sync.yaml, read key by key with its type; what is left over is unknown.

Every accessor gives the key's value, or its default after a finding: reading goes on to the end
of the file, so that everything wrong with it is said at once.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from schemas.config.yaml_lines import BROKEN, Filled, Lines, child, plain
from schemas.fields import nearest
from schemas.finding import Finding, Level, described

Choice = TypeVar("Choice", bound=str)

URL: Final = re.compile(r"https?://[^\s/?#]+([/?]\S*)?")
_VISIBLE: Final = re.compile(r"[!-~]*")
DURATION: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d)")
_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
SIZE: Final = re.compile(r"([0-9]+)(kB|MB|GB|TB)")
_SIZES: Final = {"kB": 10, "MB": 20, "GB": 30, "TB": 40}  # powers of two, as Postgres has them
_DURATIONS: Final = "write a number with its unit: 500ms, 30s, 5m, 1h, 1d"


@dataclass(slots=True)
class Notes:
    """What is found while a file is read."""

    lines: Lines
    findings: list[Finding] = field(default_factory=list)

    def error(self, where: str, message: str, remedy: str) -> None:
        """Note what makes the file invalid."""
        self._note("error", where, message, remedy)

    def warning(self, where: str, message: str, remedy: str) -> None:
        """Note what a reader should know."""
        self._note("warning", where, message, remedy)

    def _note(self, level: Level, where: str, message: str, remedy: str) -> None:
        self.findings.append(Finding(level, where, self.lines.of(where), message, remedy))


class Section:
    """One mapping; `where` is its name, "" for the whole file."""

    def __init__(self, notes: Notes, where: str, values: dict[Any, Any]) -> None:
        """Read `values`; findings go to `notes`."""
        self.notes = notes
        self.where = where
        self._left = dict(values)
        self._known: list[str] = []

    @property
    def is_empty(self) -> bool:
        """Whether no key is left to ask for."""
        return not self._left

    def at(self, key: str) -> str:
        """Return the full name of a key."""
        return child(self.where, key)

    def error(self, key: str, message: str, remedy: str) -> None:
        """Note what is wrong with a key, "" for the whole."""
        self.notes.error(self.at(key) if key else self.where, message, remedy)

    def warning(self, key: str, message: str, remedy: str) -> None:
        """Note what a reader should know of a key."""
        self.notes.warning(self.at(key), message, remedy)

    def raw(self, key: str) -> Any:
        """Return a value of any form, None where it is missing, BROKEN after a finding."""
        self._known.append(key)
        return self._left.pop(key, None)

    def text(self, key: str, default: str = "", *, required: bool = False) -> str:
        """Return a text; `required` refuses a missing and an empty one."""
        value = self.raw(key)
        if value is BROKEN:
            return default
        if required and (value is None or value == ""):
            self.error(key, "missing" if value is None else "empty", "give it a value")
            return default
        if value is None:
            return default
        if not isinstance(value, str):
            self._mistyped(key, value, "a text", _as_text(value))
            return default
        return value.text if isinstance(value, Filled) else value

    def matching(self, key: str, form: re.Pattern[str], remedy: str, default: str = "") -> str:
        """Return a text of a form; without a default it is required."""
        text = self.text(key, default, required=not default) or default
        if text != default and not form.fullmatch(text):
            self.error(key, f'"{text}" is not valid here', remedy)
        return text

    def url(self, key: str, default: str = "") -> str:
        """Return an HTTP URL, never said in a message: it may hold a password."""
        text = self.text(key, default, required=not default) or default
        if text and not URL.fullmatch(text):
            self.error(key, "this is no URL", "write http://host:port/path or https://...")
        return text

    def token(self, key: str) -> str:
        """Return a secret that a header can carry, never said in a message; "" is none."""
        text = self.text(key)
        if not _VISIBLE.fullmatch(text):
            remedy = "use letters, digits and punctuation of ASCII, without blanks"
            self.error(key, "it holds characters that a header cannot carry", remedy)
        return text

    def choice(self, key: str, default: Choice, others: Sequence[Choice]) -> Choice:
        """Return one of some words."""
        words = (default, *others)
        text = self.text(key, default)
        for word in words:
            if text == word:
                return word
        near = nearest(text, list(words))
        self.error(
            key,
            f'"{text}" is none of {", ".join(words)}',
            f'did you mean "{near}"?' if near else "write one of them",
        )
        return default

    def flag(self, key: str, *, default: bool) -> bool:
        """Return true or false."""
        value = self._plain(key)
        if value is None or value is BROKEN:
            return default
        if isinstance(value, bool):
            return value
        self._mistyped(key, value, "true or false", "write one of the two, without quotes")
        return default

    def number(self, key: str, default: int, *, least: int = 1) -> int:
        """Return a whole number."""
        value = self._plain(key)
        if value is None or value is BROKEN:
            return default
        if isinstance(value, int) and not isinstance(value, bool):
            if value >= least:
                return value
            self.error(key, f"{value} is too small", f"write {least} or more")
        else:
            self._mistyped(key, value, "a whole number", "write digits, without quotes")
        return default

    def seconds(self, key: str, default: float) -> float:
        """Return a duration above zero, in seconds."""
        value = self.raw(key)
        if value is None or value is BROKEN:
            return default
        return self._duration(self.at(key), value) or default

    def size(self, key: str) -> int:
        """Return bytes; 0 where nothing is said."""
        text = self.text(key).strip()
        match = SIZE.fullmatch(text)
        if match is None or not int(match[1]):
            if text:
                self.error(
                    key, f"{text!r} is no size", "write a number with its unit: 500MB, 20GB"
                )
            return 0
        return int(match[1]) << _SIZES[match[2]]

    def ladder(self, key: str, default: tuple[float, ...]) -> tuple[float, ...]:
        """Return a list of durations, in seconds."""
        values = self.raw(key)
        if values is None or values is BROKEN:
            return default
        if not isinstance(values, list):
            self._mistyped(key, values, "a list of durations", "write [30s, 5m, 1h]")
            return default
        found = [self._duration(f"{self.at(key)}[{i}]", each) for i, each in enumerate(values)]
        return tuple(each for each in found if each is not None)

    def texts(self, key: str, remedy: str, *, optional: bool = False) -> tuple[str, ...]:
        """Return a list of texts, one at least unless `optional`; `remedy` says what to write."""
        values = self.raw(key)
        if values is BROKEN or (optional and values in (None, [])):
            return ()
        if values is None or values == []:
            self.error(key, "missing" if values is None else "empty", remedy)
            return ()
        if not isinstance(values, list):
            self._mistyped(key, values, "a list", remedy)
            return ()
        for index, each in enumerate(values):
            if not isinstance(each, str) and each is not BROKEN:
                self._mistyped(f"{key}[{index}]", each, "a text", _as_text(each))
        return tuple(str(each) for each in values if isinstance(each, str))

    def left(self) -> list[Any]:
        """Return the keys that nobody asked for yet."""
        return list(self._left)

    def section(self, key: str) -> Section:
        """Return the mapping of a key, an empty one where it is missing."""
        return self._inside(self.at(key), self._plain_none(key))

    def sections(self, key: str, remedy: str) -> list[Section]:
        """Return a list of mappings, one at least; `remedy` says what to write."""
        values = self._plain_none(key)
        if values is BROKEN:
            return []
        if values is None or values == []:
            self.error(key, "missing" if values is None else "empty", remedy)
            return []
        if not isinstance(values, list):
            self._mistyped(key, values, "a list", "begin every entry with `- `")
            return []
        return [self._inside(f"{self.at(key)}[{i}]", each) for i, each in enumerate(values)]

    def named(self, key: str, form: re.Pattern[str], what: str, remedy: str) -> dict[str, Section]:
        """Return the mappings of a mapping, by name; `what` a name of the form is for."""
        inside = self.section(key)
        for name in inside.left():
            if not form.fullmatch(str(name)):
                inside.error(str(name), f'"{name}" is no name for {what}', remedy)
        return {str(name): inside.section(name) for name in inside.left()}

    def foreign(self, beginnings: tuple[str, ...], known: Sequence[str]) -> list[str]:
        """Return the keys with one of some beginnings that are none of the known, sorted."""
        left = (str(key) for key in self._left)
        return sorted(key for key in left if key.startswith(beginnings) and key not in known)

    def properties(self, refused: Mapping[str, str]) -> dict[str, str]:
        """Return everything in it as texts: numbers as written, true and false in small.

        `refused` says of keys that cannot be set why.
        """
        for key in sorted(refused.keys() & self._left.keys()):
            self.error(key, f"odoo-cdc sets it: {refused[key]}", "leave it out")
        found: dict[str, str] = {}
        for key in list(self._left):
            value = self.raw(key)
            if isinstance(value, bool):
                found[str(key)] = str(value).lower()
            elif isinstance(value, str):
                found[str(key)] = value.text if isinstance(value, Filled) else value
            elif isinstance(value, int | float):
                found[str(key)] = str(value)
            elif value is not BROKEN:
                self._mistyped(str(key), value, "a text or a number", "write one value")
        return found

    def done(self) -> None:
        """Note every key that nobody asked for."""
        for key in self._left:
            near = nearest(str(key), self._known)
            remedy = f'did you mean "{near}"?' if near else f"known: {', '.join(self._known)}"
            self.error(str(key), "unknown key", remedy)

    def _inside(self, where: str, value: Any) -> Section:
        if value is None or isinstance(value, dict):
            return Section(self.notes, where, value or {})
        if value is not BROKEN:
            what = f"keys with values are wanted here, not {described(value)}"
            self.notes.error(where, what, "write `key: value`, each in a line of its own below")
        # What is said once is enough: nothing that is missing inside is noted.
        return Section(Notes(self.notes.lines), where, {})

    def _duration(self, where: str, value: Any) -> float | None:
        match = DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
        if match is None:
            if value is not BROKEN:
                self.notes.error(where, f"{described(value)} is no duration", _DURATIONS)
            return None
        seconds = float(match[1]) * _UNITS[match[2]]
        if seconds <= 0:
            self.notes.error(where, "a duration must be above zero", _DURATIONS)
            return None
        return seconds

    def _plain(self, key: str) -> Any:
        return plain(self.raw(key))

    def _plain_none(self, key: str) -> Any:
        value = self.raw(key)
        return None if isinstance(value, Filled) and not value else value

    def _mistyped(self, key: str, value: Any, wanted: str, remedy: str) -> None:
        self.error(key, f"{wanted} is wanted here, not {described(value)}", remedy)


def _as_text(value: Any) -> str:
    """Say how to make a text of a value."""
    return "put it in quotes" if isinstance(value, bool | int | float) else "write one text"
