"""YAML with line numbers: plain values, and the line of every key.

Scalars follow YAML 1.2's core schema: `no`, `on`, `2026-11-23` and `22:00` are texts, as people
who write selection values and dates mean them; only true, false, null and numbers are not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, Self

import yaml

from schemas.config.references import References, Unresolved
from schemas.finding import Finding
from schemas.from_files import FromFiles

_CONSTANTS: Final[Mapping[str, bool | None]] = {
    "": None,
    "~": None,
    **dict.fromkeys(("null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER: Final = re.compile(r"[-+]?[0-9]+")
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_TAG: Final = "tag:yaml.org,2002:"
_DEEPEST: Final = 60  # levels; no file of ours needs more than a dozen
_LARGEST: Final = 200_000  # values, those of aliases counted each time
_LAST: Final = re.compile(r"(\.[^.\[\]]*|\[[0-9]+\])$")


class Filled(str):
    """An unquoted scalar with references: a text where one is wanted, else what it looks like."""

    __slots__ = ("text",)
    text: str

    def __new__(cls, text: str) -> Self:
        """Keep the text as it came: it may know its files."""
        made = super().__new__(cls, text)
        made.text = text
        return made


@dataclass(frozen=True, slots=True)
class Lines:
    """Where every key stands: `routes[3].domain` -> 41."""

    by_key: Mapping[str, int] = field(default_factory=dict)

    def of(self, where: str) -> int | None:
        """Return the line of a key, or of the nearest one around it; None where there is none."""
        while where:
            if where in self.by_key:
                return self.by_key[where]
            where = _LAST.sub("", where) if _LAST.search(where) else ""
        return None


class _TooLarge(Exception):
    """A few aliases can stand for more values than memory holds."""


class Broken:
    """Stands where a value could not be read; its finding is made, no second one follows."""


BROKEN: Final = Broken()


def is_broken(value: Any) -> bool:
    """Whether a value, at any depth, could not be read."""
    match value:
        case dict():
            return any(is_broken(each) for each in value.values())
        case list():
            return any(is_broken(each) for each in value)
        case _:
            return value is BROKEN


def plain(value: Any) -> Any:
    """Return a value whose filled-in scalars, at any depth, are what they look like."""
    match value:
        case Filled():
            return _scalar(value)
        case dict():
            return {key: plain(each) for key, each in value.items()}
        case list():
            return [plain(each) for each in value]
        case _:
            return value


def child(where: str, key: object) -> str:
    """Return the name of a key inside another one."""
    return f"{where}.{key}" if where else str(key)


@dataclass(slots=True)
class Reader:
    """Reads one text; what is wrong with it is kept in `findings`."""

    references: References
    findings: list[Finding] = field(default_factory=list)
    lines: dict[str, int] = field(default_factory=dict)
    _open: set[int] = field(default_factory=set)
    _left: int = _LARGEST

    def read(self, text: str) -> Any:
        """Return the text's value, None where it is not YAML at all."""
        try:
            node = yaml.compose(self.references.set_aside(text), Loader=yaml.BaseLoader)
            return None if node is None else self._value(node, "")
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else None
            problem = self.references.restore(error.problem or "it cannot be read")
            self._found("", line, f"not YAML: {problem}", "mind indentation, colons and quotes")
        except yaml.YAMLError as error:  # a character that YAML does not allow
            what = " ".join(str(error).split())
            self._found("", None, f"not YAML: {what}", "leave the character out")
        except RecursionError:
            self._found("", None, "nested too deeply to be read", f"{_DEEPEST} levels are read")
        except _TooLarge:
            remedy = "write fewer: aliases count each time"
            self._found("", None, f"more than {_LARGEST} values", remedy)
        return None

    def _value(self, node: yaml.Node, where: str) -> Any:
        line = node.start_mark.line + 1
        if id(node) in self._open:
            self._found(where, line, "an alias that contains itself", "write out what is meant")
            return BROKEN
        self._left -= 1
        if self._left < 0:
            raise _TooLarge
        if len(self._open) >= _DEEPEST:
            self._found(where, line, "nested too deeply", f"{_DEEPEST} levels are read")
            return BROKEN
        self._open.add(id(node))
        try:
            match node:
                case yaml.ScalarNode(tag="tag:yaml.org,2002:str"):
                    return self._scalar(node, where)
                case yaml.SequenceNode(tag="tag:yaml.org,2002:seq"):
                    return self._list(node, where)
                case yaml.MappingNode(tag="tag:yaml.org,2002:map"):
                    return self._dict(node, where)
                case _:
                    tag = node.tag.replace(_TAG, "!!")
                    self._found(where, line, f"the tag {tag} is not used here", "leave it out")
                    return BROKEN
        finally:
            self._open.discard(id(node))

    def _scalar(self, node: yaml.ScalarNode, where: str) -> Any:
        try:
            text = self.references.fill_in(node.value)
        except Unresolved as error:
            self._found(where, node.start_mark.line + 1, str(error), error.remedy)
            return BROKEN
        if self.references.rereadable(node.value):
            text = FromFiles(text, where, partial(self.references.fill_in, node.value))
        if node.style is not None:
            return text
        return _scalar(text) if text == node.value else Filled(text)

    def _list(self, node: yaml.SequenceNode, where: str) -> list[Any]:
        values = []
        for index, each in enumerate(node.value):
            place = f"{where}[{index}]"
            self.lines[place] = each.start_mark.line + 1
            values.append(self._value(each, place))
        return values

    def _dict(self, node: yaml.MappingNode, where: str) -> dict[Any, Any]:
        values: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                self._found(where, line, "a key must be a word", "mind colons and braces")
                continue
            key = key_node.value if key_node.style else _scalar(key_node.value)
            place = child(where, key_node.value)
            if key in values:
                twice = f"given twice; before in line {self.lines[place]}"
                self._found(place, line, twice, "leave one of them out")
                continue
            self.lines[place] = line
            values[key] = self._value(value_node, place)
        return values

    def _found(self, where: str, line: int | None, message: str, remedy: str) -> None:
        self.findings.append(Finding("error", where, line, message, remedy))


def _scalar(text: str) -> Any:
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return str(text)
