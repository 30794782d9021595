"""The message that arrives, CONTRACT.md section 3; anybody may have written it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

from schemas.keys import Chain, split_delivery_id

Operation = Literal["create", "update", "leave", "delete"]

_SEQUENCE: Final = re.compile(r"[0-9A-F]{8}-[0-9A-F]{16}-[0-9]{8}-[0-9A-F]{4}")
_MODEL: Final = re.compile(r"[a-z][a-z0-9_.]{0,127}")
KEY: Final = re.compile(r"[a-z][a-z0-9_]{0,39}\.[A-Za-z0-9_.]{1,200}")  # `schemas.keys.record_key`
EXTERNAL_ID: Final = re.compile(r"[^.\s]{1,100}\.\S{1,200}")  # module.name, in ir_model_data
_OPERATIONS: Final[tuple[str, ...]] = get_args(Operation)
_DEEPEST: Final = 50  # levels of a message: its lines' lines, and what they refer to


class NotOurs(Exception):
    """The body is no delivery; the message says what is wrong with it."""

    def __init__(self, message: str, delivery: str = "") -> None:
        """`delivery` is its id where one can be read."""
        super().__init__(message)
        self.delivery = delivery


@dataclass(frozen=True, slots=True)
class Incoming:
    """A delivery as it arrived. `model` is where it goes, the route's `target_model`.

    `absent` are external ids that no record had when its batch was asked about.
    """

    id: str
    chain: Chain
    route: str
    sequence: str
    source: str
    model: str
    operation: Operation
    key: str
    external_id: str
    time: str
    fields: Mapping[str, Any]
    data: Mapping[str, Any]
    absent: frozenset[str] = frozenset()


def read(body: bytes) -> Incoming:
    """Read a message; NotOurs where it is none."""
    return of(parse(body))


def parse(body: bytes) -> object:
    """Read JSON; NotOurs where it is none."""
    try:
        return json.loads(body, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise NotOurs(f"the body is not JSON: {error}") from None


def of(said: object) -> Incoming:
    """Take a message that was read; NotOurs where it is none."""
    if not isinstance(said, dict):
        raise NotOurs("the body is no JSON object")
    name = said.get("id")
    if not isinstance(name, str):
        raise NotOurs("it has no `id`")
    try:
        chain, route, sequence = split_delivery_id(name)
    except ValueError as error:
        raise NotOurs(str(error)) from None
    if not _SEQUENCE.fullmatch(sequence):
        raise NotOurs(f"its id ends with no sequence: {sequence!r}", name)
    data = _mapping(said, "data", name)
    record = _mapping(data, "record", name)
    _encodable(said, name)
    return Incoming(
        id=name,
        chain=chain,
        route=route,
        sequence=sequence,
        source=chain.partition("/")[0],
        model=_matching(record, "target_model", _MODEL, name),
        operation=_operation(record, name),
        key=_matching(record, "key", KEY, name),
        external_id=_matching(record, "external_id", EXTERNAL_ID, name),
        time=_text(said, "time", name),
        fields=_shallow(_mapping(data, "fields", name), name),
        data=data,
    )


def _encodable(said: object, name: str) -> None:
    """Refuse halves of characters, which JSON can hold and nothing can store."""
    try:
        json.dumps(said, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise NotOurs("a text in it is not Unicode: half of a surrogate pair", name) from None
    except RecursionError:
        raise NotOurs("it is nested too deep", name) from None


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is no number of JSON")


def _mapping(within: Mapping[str, Any], key: str, name: str) -> Mapping[str, Any]:
    value = within.get(key)
    if not isinstance(value, dict):
        raise NotOurs(f"`{key}` is missing, or is no JSON object", name)
    return value


def _text(within: Mapping[str, Any], key: str, name: str) -> str:
    value = within.get(key)
    if not isinstance(value, str):
        raise NotOurs(f"`{key}` is missing, or is no text", name)
    return value


def _matching(within: Mapping[str, Any], key: str, form: re.Pattern[str], name: str) -> str:
    text = _text(within, key, name)
    if not form.fullmatch(text):
        raise NotOurs(f"`{key}` is not of the right form: {text[:100]!r}", name)
    return text


def _operation(record: Mapping[str, Any], name: str) -> Operation:
    text = _text(record, "operation", name)
    for each in get_args(Operation):
        if text == each:
            operation: Operation = each
            return operation
    raise NotOurs(f"`operation` is none of {', '.join(_OPERATIONS)}: {text[:40]!r}", name)


def _shallow(fields: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Refuse what is nested so deep that going through it would end in RecursionError."""
    level: list[Any] = [fields]
    for _ in range(_DEEPEST):
        level = [each for value in level for each in _inside(value)]
        if not level:
            return fields
    raise NotOurs(f"`fields` is nested more than {_DEEPEST} levels deep", name)


def _inside(value: object) -> list[Any]:
    match value:
        case dict():
            return list(value.values())
        case list():
            return value
        case _:
            return []
