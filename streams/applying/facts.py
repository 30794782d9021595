"""What Odoo says of the fields of its models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from streams.odoo.port import Odoo

TO_ONE: Final = "many2one"
TO_MANY: Final = frozenset(("one2many", "many2many"))
LINES: Final = "one2many"

_ATTRIBUTES: Final = (
    "type",
    "relation",
    "relation_field",
    "readonly",
    "required",
    "store",
    "translate",
    "digits",
    "selection",
    "currency_field",
)


@dataclass(frozen=True, slots=True)
class Fact:
    """One field, as `fields_get` describes it.

    `decimals` is None where a number is kept as it is; `selection` holds the values, not their
    labels.
    """

    name: str
    type: str
    relation: str = ""
    inverse: str = ""
    translate: bool = False
    decimals: int | None = None
    selection: tuple[str, ...] = ()
    readonly: bool = False
    required: bool = False


class Facts:
    """What one session has asked so far; it asks once for each model."""

    def __init__(self, odoo: Odoo) -> None:
        """Ask nothing yet."""
        self._odoo = odoo
        self._known: dict[str, Mapping[str, Fact]] = {}
        self._languages: frozenset[str] | None = None

    def of(self, model: str) -> Mapping[str, Fact]:
        """Return the fields of a model by name; a Trouble where Odoo does not tell."""
        if model not in self._known:
            said = self._odoo.call(model, "fields_get", [], attributes=list(_ATTRIBUTES))
            self._known[model] = {name: _fact(name, each) for name, each in said.items()}
        return self._known[model]

    def languages(self) -> frozenset[str]:
        """Return the codes of the active languages.

        A text in another one Odoo refuses, or takes for English.
        """
        if self._languages is None:
            rows = self._odoo.call("res.lang", "search_read", [], ["code"])
            self._languages = frozenset(str(row["code"]) for row in rows)
        return self._languages

    def forget(self) -> None:
        """Ask again: a module was installed, a language activated, or a field has gone."""
        self._known.clear()
        self._languages = None


def _fact(name: str, said: Mapping[str, Any]) -> Fact:
    digits = said.get("digits")
    return Fact(
        name=name,
        type=str(said.get("type")),
        relation=said.get("relation") or "",
        inverse=said.get("relation_field") or "",
        translate=bool(said.get("translate")),
        decimals=int(digits[1]) if isinstance(digits, list | tuple) else None,
        selection=tuple(str(value) for value, _ in said.get("selection") or ()),
        readonly=bool(said.get("readonly")),
        required=bool(said.get("required")),
    )
