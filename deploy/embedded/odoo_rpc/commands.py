"""x2many commands.

`(0, 0, values)` creates and links, `(1, id, values)` writes, `(2, id)` deletes, `(3, id)` unlinks,
`(4, id)` links, `(5,)` clears, `(6, 0, ids)` makes it exactly these.
A bare list of ids is `(6, 0, ids)`; commands of other numbers are passed over, as Odoo does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from psycopg import sql

from embedded.odoo.declarations import Declared, models
from embedded.odoo_rpc import names
from embedded.odoo_rpc.environment import Env

if TYPE_CHECKING:
    from embedded.odoo_rpc.model import Model

CREATE, WRITE, DELETE, UNLINK, LINK, CLEAR, SET = range(7)
_NOTHING: Final[dict[str, Any]] = {}


class Named(dict[str, Any]):
    """Values of a new record that gets an external id as well."""

    def __init__(self, values: dict[str, Any], external_id: names.ExternalId) -> None:
        super().__init__(values)
        self.external_id = external_id


def apply(env: Env, model: Model, owner: int, one: Declared, given: Any) -> None:
    """Carry out the commands on one record's field, in order."""
    from embedded.odoo_rpc.model import registry  # noqa: PLC0415 - models are built on this module

    other = registry()[one.relation]
    side = (
        _Lines(env, other, one, owner) if one.type == "one2many" else _Tags(env, other, one, owner)
    )
    for command in _commands(model, one, given):
        number = command[1] if len(command) > 1 else 0
        last: Any = command[2] if len(command) > 2 else _NOTHING  # noqa: PLR2004
        side.carry_out(command[0], number, last)
    side.finish()


def _commands(model: Model, one: Declared, given: Any) -> list[Sequence[Any]]:
    if not given:
        return [(CLEAR,)] if given is False and one.type == "many2many" else []
    if not isinstance(given, list | tuple):
        raise ValueError(f"Wrong value for {model.name}.{one.name}: {given}")  # noqa: TRY004 - Odoo's
    if all(isinstance(each, int) for each in given):
        return [(SET, 0, list(given))]
    return [each if isinstance(each, list | tuple) else (LINK, each) for each in given]


class _Side:
    """What links records: a column of theirs, or a table between."""

    def __init__(self, env: Env, other: Model, one: Declared, owner: int) -> None:
        self.env, self.other, self.one, self.owner = env, other, one, owner

    def carry_out(self, kind: int, number: int, last: Any) -> None:
        """Carry out one command."""
        match kind:
            case 0:
                self.make(last)
            case 1:
                self.other.write(self.env, [number], last)
            case 2:
                self.other.unlink(self.env, [number])
                self.forget([number])
            case 3:
                self.forget([number])
            case 4:
                self.link([number])
            case 5:
                self.forget(self.linked())
            case 6:
                self.forget([each for each in self.linked() if each not in last])
                self.link(last)
            case _:
                return

    def make(self, values: dict[str, Any]) -> None:
        raise NotImplementedError

    def linked(self) -> list[int]:
        raise NotImplementedError

    def link(self, ids: Sequence[int]) -> None:
        raise NotImplementedError

    def forget(self, ids: Sequence[int]) -> None:
        raise NotImplementedError

    def finish(self) -> None:
        """Write what was gathered."""


class _Lines(_Side):
    """one2many."""

    def make(self, values: dict[str, Any]) -> None:
        number = self.other.create(self.env, {**values, self.one.inverse: self.owner})
        if isinstance(values, Named):
            names.give(self.env, values.external_id, self.other.name, number)

    def linked(self) -> list[int]:
        query = sql.SQL("SELECT id FROM {} WHERE {} = %s").format(
            sql.Identifier(self.other.table), sql.Identifier(self.one.inverse)
        )
        return [row[0] for row in self.env.ask(query, self.owner)]

    def link(self, ids: Sequence[int]) -> None:
        held = set(self.linked())
        moved = [number for number in ids if number not in held]
        self.other.write(self.env, moved, {self.one.inverse: self.owner})

    def forget(self, ids: Sequence[int]) -> None:
        """Delete lines that cannot stand alone, cut others loose."""
        here = [number for number in self.linked() if number in ids]
        back = models()[self.other.name].fields[self.one.inverse]
        if here and back.required:
            self.other.unlink(self.env, here)
        elif here:
            self.other.write(self.env, here, {self.one.inverse: False})


class _Tags(_Side):
    """many2many: the table is written once, when all commands are known."""

    def __init__(self, env: Env, other: Model, one: Declared, owner: int) -> None:
        super().__init__(env, other, one, owner)
        query = sql.SQL("SELECT {} FROM {} WHERE {} = %s ORDER BY 1").format(
            *map(sql.Identifier, (one.column2, one.table, one.column1))
        )
        self._held = [row[0] for row in env.ask(query, owner)]

    def make(self, values: dict[str, Any]) -> None:
        self._held.append(self.other.create(self.env, values))

    def linked(self) -> list[int]:
        return list(self._held)

    def link(self, ids: Sequence[int]) -> None:
        self._held += [number for number in ids if number not in self._held]

    def forget(self, ids: Sequence[int]) -> None:
        self._held = [number for number in self._held if number not in ids]

    def finish(self) -> None:
        owner = (self.one.column1, self.owner)
        self.env.rows.relink(self.one.table, owner, self.one.column2, self._held)
