"""What a route would send of a document as it is, and a digest of it to compare by. Pure.

Two bodies are the same when target model and fields are: keys in any order, numbers by value.
Values that Odoo alone knows are left out on both sides, and so is what else a message says.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from schemas import message
from schemas.config import Route
from schemas.delivery import Delivery, Want
from schemas.document import Shape
from schemas.domain import compile_domain
from schemas.event import Document
from schemas.mapping import Renderer, Writing, compile_mapping, leave_out

_SIZE: Final = 16  # bytes of a digest


@dataclass(frozen=True, slots=True)
class Truth:
    """One route, held against documents of one shape."""

    route: Route
    matches: Callable[[Document], bool]
    renderer: Renderer

    @classmethod
    def of(cls, route: Route, shape: Shape, writing: Writing) -> Truth:
        """Compile a route. Raises NotShown where the shape lacks what it reads."""
        context = writing.context
        matches = compile_domain(route.domain, shape, context, active_test=route.active_test)
        return cls(route, matches, compile_mapping(route.mapping, shape, writing))

    def digest(self, document: Document) -> bytes:
        """Return that of the fields that a target is to have. Raises UnsendableValue."""
        fields = self.renderer.render(document)
        wants = self.renderer.wants(document)
        return _digest(self.route.target_model, _read(message.encode(fields)), wants)


def digest_of(delivery: Delivery) -> bytes:
    """Return that of what a delivery says; ValueError or KeyError for a body that is none."""
    data = _read(delivery.body)["data"]
    return _digest(data["record"]["target_model"], data["fields"], delivery.wants)


def _read(text: str | bytes) -> Any:
    return json.loads(text, parse_float=Decimal)


def _digest(target_model: str, fields: dict[str, Any], wants: Iterable[Want]) -> bytes:
    for want in wants:
        leave_out(fields, want.place)
    text = json.dumps([target_model, _plain(fields)], sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=_SIZE).digest()


def _plain(value: Any) -> Any:
    """Return a value in which equal numbers are written alike."""
    match value:
        case dict():
            return {name: _plain(inside) for name, inside in value.items()}
        case list():
            return [_plain(inside) for inside in value]
        case Decimal():
            text = format(value, "f")
            text = text.rstrip("0").rstrip(".") if "." in text else text
            return {"": text} if "." in text else int(text)
        case _:
            return value
