"""External ids, users, and trees."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from psycopg import sql

from embedded.odoo import computes
from embedded.odoo_rpc import names
from embedded.odoo_rpc.environment import Env
from embedded.odoo_rpc.faults import ValidationError
from embedded.odoo_rpc.model import Model, Values


class ModelData(Model):
    """External ids. Nothing is checked of where they point to; only a name is one record's."""

    order = "module, model, name"
    knows_the_gone = False

    def defaults(self, env: Env, values: Values) -> Values:
        return {"module": "", "noupdate": False}

    def created(self, env: Env, number: int, values: Values) -> None:
        if " " in str(values.get("name")):
            raise ValidationError("An external id holds no spaces.")

    def of_the_model(self) -> Mapping[str, Callable[..., Any]]:
        return {"check_object_reference": check_object_reference}


def check_object_reference(env: Env, module: str, name: str, *_: object) -> list[Any]:
    """Return model and id of what bears the name; ValueError where nothing does."""
    found = names.look_up(env, names.ExternalId(module, name))
    if found is None:
        raise ValueError(f"External ID not found in the system: {module}.{name}")
    return [found.model, found.number if found.exists else False]


class Users(Model):
    """Who may log in."""

    def of_the_model(self) -> Mapping[str, Callable[..., Any]]:
        return {"context_get": context_get}


def context_get(env: Env) -> Values:
    """Return the user's language and time zone, as a client takes them over."""
    return {"lang": env.user.lang, "tz": False, "uid": env.user.id}


class Tree(Model):
    """Records below records, each with its path."""

    knows_the_gone = False

    def created(self, env: Env, number: int, values: Values) -> None:
        self._place(env, number)

    def written(self, env: Env, ids: Sequence[int], values: Values, kept: Any) -> None:
        if "parent_id" in values or "name" in values:
            for number in ids:
                self._place(env, number)

    def place(self, env: Env, parent: int | None, number: int) -> Values:
        """Return the computed columns of a node."""
        above = self.read_one(env, parent, "parent_path")[0] if parent else None
        return {"parent_path": computes.path(above, number)}

    def _place(self, env: Env, number: int) -> None:
        (parent,) = self.read_one(env, number, "parent_id")
        env.rows.write(self.table, number, **self.place(env, parent, number))
        query = sql.SQL("SELECT id FROM {} WHERE parent_id = %s").format(
            sql.Identifier(self.table)
        )
        for (below,) in env.ask(query, number):
            self._place(env, below)
