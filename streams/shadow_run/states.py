"""What a line says of a record: ours, and those of another program in whatever form. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from schemas import message
from schemas.errors import BadUsage
from streams.shadow_run.lines import UNDELIVERABLE
from streams.shadow_run.sameness import MISSING

IDS: Final = ("res_id", "record_id", "odoo_id", "id")
MODELS: Final = ("model", "res_model", "model_name")
FIELDS: Final = ("fields", "data", "payload", "values", "vals")
OPERATIONS: Final = ("operation", "action", "method", "event")
_GONE: Final = frozenset({"delete", "deleted", "unlink", "leave"})
_DEEPEST: Final = 60  # levels of lists and objects
_TOO_DEEP: Final = "it is nested too deep"
_FAR: Final = 400  # places before or behind the point: more than any number that is meant has


class UnreadableLine(BadUsage):
    """A line cannot be compared."""

    hint = (
        "Each line is one JSON object: `jq -c '.[]'` makes lines of a list. --old-id, --old-model"
        " and --old-fields say where the record's id, its model and its fields stand, as dotted"
        " paths."
    )


@dataclass(frozen=True, slots=True)
class State:
    """A record as a line shows it; `gone` where it says that the target is to forget it.

    `model` is "" where the line does not say. `refused` is why it could not be sent.
    """

    model: str
    id: int
    fields: Mapping[str, Any] = field(default_factory=dict)
    gone: bool = False
    refused: str = ""
    name: str = ""  # the delivery's id
    route: str = ""
    target: str = ""
    time: str = ""


@dataclass(frozen=True, slots=True)
class Form:
    """Where things stand in the lines of another program: dotted paths, "" for nowhere.

    Without a path of fields the whole line is them, but for what the other paths name.
    `where` are values that a line must have to count, as text.
    """

    id: str
    model: str = ""
    fields: str = ""
    operation: str = ""
    where: tuple[tuple[str, str], ...] = ()
    renamed: Mapping[str, str] = field(default_factory=dict)

    def words(self) -> str:
        """Say where things are read."""
        parts = [("id", self.id), ("model", self.model), ("operation", self.operation)]
        found = [f"{what} at {path}" for what, path in parts if path]
        return ", ".join(
            [*found, f"fields at {self.fields}" if self.fields else "the rest fields"]
        )

    def state(self, said: dict[str, Any]) -> State | None:
        """Read a line, None where it does not count. ValueError says what is wrong."""
        if any(_text(at(said, path)) != text for path, text in self.where):
            return None
        operation = at(said, self.operation) if self.operation else ""
        model = at(said, self.model) if self.model else ""
        if not isinstance(model, str):
            raise ValueError(f"no model stands at {self.model}")  # noqa: TRY004  of a file, not a type
        return State(
            model,
            _id(at(said, self.id), self.id),
            {self.renamed.get(name, name): value for name, value in self._fields(said).items()},
            gone=isinstance(operation, str) and operation.lower() in _GONE,
        )

    def _fields(self, said: dict[str, Any]) -> dict[str, Any]:
        if not self.fields:
            taken = {self.id, self.model, self.operation, *(path for path, _ in self.where)}
            return {name: value for name, value in said.items() if name not in taken}
        found = at(said, self.fields)
        if isinstance(found, str):  # a queue that keeps what it sends as text
            found = parse(found)
        if found in (MISSING, None, False):
            return {}
        if not isinstance(found, dict):
            raise ValueError(f"no object stands at {self.fields}")  # noqa: TRY004  likewise
        return found


def form_of(first: Mapping[str, Any], asked: Mapping[str, str | None]) -> Form:
    """Return where things stand, as asked for, else where the first line has them.

    ValueError where it has no id.
    """

    def place(what: str, usual: Sequence[str]) -> str:
        chosen = asked.get(what)
        if chosen is not None:
            return chosen
        return next((path for path in usual if at(first, path) is not MISSING), "")

    if not (record := place("id", IDS)):
        raise ValueError(f"it has none of {', '.join(IDS)}")
    return Form(
        record, place("model", MODELS), place("fields", FIELDS), place("operation", OPERATIONS)
    )


def our_state(said: dict[str, Any]) -> State:
    """Read a line of a shadow run. ValueError where it is none."""
    try:
        routing, record = said["data"]["routing"], said["data"]["record"]
        refused = said.get(UNDELIVERABLE)
        return State(
            record["model"],
            _id(record["id"], "data.record.id"),
            {} if refused else said["data"]["fields"],
            gone=record["operation"] in _GONE and not refused,
            refused=f"{refused['code']}: {refused['why']}" if refused else "",
            name=said["id"],
            route=routing["route"],
            target=routing["target"],
            time=said["time"],
        )
    except (KeyError, TypeError) as error:
        raise ValueError("it is no line of a shadow run") from error


def at(said: Any, path: str) -> Any:
    """Return what stands at a dotted path, MISSING for nothing; a name may have dots itself."""
    if isinstance(said, dict) and path in said:
        return said[path]
    name, dot, rest = path.partition(".")
    if isinstance(said, list) and name.isascii() and name.isdigit() and int(name) < len(said):
        inside: Any = said[int(name)]
    elif isinstance(said, dict) and name in said:
        inside = said[name]
    else:
        return MISSING
    return at(inside, rest) if dot else inside


def parse(text: str | bytes) -> Any:
    """Read JSON, numbers with a fraction as Decimal. ValueError for anything else."""
    try:
        said = json.loads(text, parse_float=_decimal, parse_constant=_refuse)
    except RecursionError as error:
        raise ValueError(_TOO_DEEP) from error
    level, depth = [said], 0
    while level := [each for value in level for each in _inside(value)]:
        if (depth := depth + 1) > _DEEPEST:
            raise ValueError(_TOO_DEEP)
    return said


def reader(form: Form | None = None) -> Callable[[bytes], State | None]:
    """Return what reads lines: another program's in a form, else ours."""

    def read(line: bytes) -> State | None:
        said = parse(line)
        if not isinstance(said, dict):
            raise ValueError("it is no object")  # noqa: TRY004  of a file, not a type
        return our_state(said) if form is None else form.state(said)

    return read


def _decimal(text: str) -> Decimal:
    exponent = text.lower().partition("e")[2]
    if len(text) > _FAR or len(exponent) > len("+400") or abs(int(exponent or 0)) > _FAR:
        raise ValueError(f"{text[:20]}... is no number that anybody means")
    return Decimal(text)


def _inside(value: Any) -> Collection[Any]:
    """Return the values in a list or object that may have some themselves."""
    values = value.values() if isinstance(value, dict) else value
    found = values if isinstance(value, list | dict) else ()
    return [each for each in found if isinstance(each, list | dict)]


def _refuse(text: str) -> Any:
    raise ValueError(f"{text} is not JSON")


def _id(value: Any, path: str) -> int:
    if isinstance(value, str) and value.isascii() and value.isdigit():
        return int(value)
    if isinstance(value, list) and value:  # [42, "S00042"]
        value = value[0]
    if type(value) is not int:
        raise ValueError(f"no id of a record stands at {path}")
    return value


def _text(value: Any) -> str | None:
    """Return a value as it is typed, None where there is none."""
    if value is MISSING or isinstance(value, str):
        return None if value is MISSING else value
    return message.encode(value)
