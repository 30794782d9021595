"""What target.yaml says: one Odoo, and what may be written there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from schemas.config.yaml_lines import Lines

# What their external ids name is each database's own: every Odoo has a `base.main_partner`.
OWN: Final = frozenset(("res.company", "res.partner", "res.users"))

Ending = Literal["nothing", "archive", "unlink", "cancel"]


@dataclass(frozen=True, slots=True)
class Action:
    """A method that brings a record from one of some states to `state`."""

    state: str
    method: str
    begins: frozenset[str]  # states in which it makes sense
    context: Mapping[str, Any] = field(default_factory=dict)
    accepts: frozenset[str] = frozenset()  # states that are as good as `state`


@dataclass(frozen=True, slots=True)
class Model:
    """What may be done to the records of a model.

    `match` are rules, each the fields that must all be equal, tried in this order. Without
    `external_ids` a record is known by its key alone. Without `create` a record that is not here
    is waited for: Odoo makes it by itself. `emptied` is written to a line that has vanished and
    that Odoo does not let go, a quantity of 0 for instance. Of `exact` lines there are those that
    a delivery lists and no others; else those that were added here stay. `state_field` is reached
    by `actions` and not written; "" where nothing is.
    """

    name: str
    fields: frozenset[str]
    match: tuple[tuple[str, ...], ...] = ()
    external_ids: bool = True
    create: bool = True
    defaults: Mapping[str, Any] = field(default_factory=dict)
    on_leave: Ending = "nothing"
    on_delete: Ending = "nothing"
    refused: Literal["archive", "reject"] = "reject"
    emptied: Mapping[str, Any] = field(default_factory=dict)
    exact: bool = False
    state_field: str = ""
    actions: tuple[Action, ...] = ()


@dataclass(frozen=True, slots=True)
class Settings:
    """The whole file; durations in seconds.

    `at_once` is how many deliveries are worked at, each with a session of its own; `waiting` how
    many more may wait for that. `system` is the source that captures this Odoo, "" for none: whose
    records and writes these are.
    """

    path: Path
    odoo: Mapping[str, str]  # url, database, user, api_key
    timeout: float
    lang: str
    company: int | None
    context: Mapping[str, Any]
    listen: str
    token: str
    state: Path
    at_once: int
    waiting: int
    system: str
    models: Mapping[str, Model]
    lines: Lines

    def trusts_external_ids(self, model: str) -> bool:
        """Whether the source's external ids name the same records of a model here."""
        listed = self.models.get(model)
        return model not in OWN if listed is None else listed.external_ids
