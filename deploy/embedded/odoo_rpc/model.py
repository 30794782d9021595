"""A model: create, write, unlink. What a model does beyond that stands in `business/`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from psycopg import sql

from embedded.odoo.declarations import MANY, Declared, DeclaredModel, models
from embedded.odoo_rpc import commands
from embedded.odoo_rpc.environment import FALLBACK, Env
from embedded.odoo_rpc.facts import MAGIC
from embedded.odoo_rpc.faults import MissingError
from embedded.odoo_rpc.scalars import Scalars, field, name_field
from embedded.odoo_rpc.values import to_column

Values = dict[str, Any]
Action = Callable[[Env, Sequence[int]], Any]


class Model:
    """One model; subclasses fill in, compute and refuse what is theirs."""

    order: ClassVar[str] = "id"
    chatter: ClassVar[bool] = False
    """Whether a new record says so in its chatter."""
    knows_the_gone: ClassVar[bool] = True
    """Whether deleting a record that is gone is an error."""

    def __init__(self, declared: DeclaredModel) -> None:
        self.declared = declared
        self.name = declared.name
        self.table = declared.table

    def defaults(self, env: Env, values: Values) -> Values:
        """Return what is filled in where `values` say nothing."""
        return {}

    def created(self, env: Env, number: int, values: Values) -> None:
        """Compute what follows from a new record."""

    def written(self, env: Env, ids: Sequence[int], values: Values, kept: Any) -> None:
        """Compute what follows from a change; `kept` is what `remembered` said before it."""

    def checked(self, env: Env, ids: Sequence[int], values: Values) -> None:
        """Refuse a change before it is made."""

    def leaving(self, env: Env, ids: Sequence[int]) -> None:
        """Refuse a deletion, or take along what goes with it."""

    def gone(self, env: Env, kept: Any) -> None:
        """Compute what follows from a deletion; `kept` is what `remembered` said before it."""

    def remembered(self, env: Env, ids: Sequence[int]) -> Any:
        """Say what has to be known of records when they have changed or gone."""
        return None

    def display_names(self, env: Env, ids: Sequence[int]) -> dict[int, str]:
        """Return what users see of records."""
        scalars, alias = Scalars(env.lang, env.company), sql.Identifier("t")
        value = scalars.of(self.declared, alias, name_field(self.declared))
        query = sql.SQL("SELECT id, {} FROM {} t WHERE id = ANY (%s)").format(
            value, sql.Identifier(self.table)
        )
        return {number: str(name or "") for number, name in env.ask(query, list(ids))}

    def of_the_model(self) -> Mapping[str, Callable[..., Any]]:
        """Return the methods that RPC calls without records."""
        return {}

    def inverse(self, env: Env, ids: Sequence[int], name: str, value: Any) -> None:
        """Write a field that no column of this model holds."""

    def computed(self, env: Env, name: str, ids: Sequence[int]) -> Mapping[int, Any]:
        """Return the values of a field that no column holds, where there is one."""
        return {}

    def actions(self) -> Mapping[str, Action]:
        """Return the methods that RPC may call beyond those of every model."""
        return {}

    def create(self, env: Env, given: Values) -> int:
        """Make a record, and what stands in its x2many fields; return its id."""
        env.refuse_writing(self.name)
        values = self._known(given)
        values = self.defaults(env, values) | values
        columns, through = self._sorted(values)
        if self.declared.inherits:
            self._with_parent(env, columns, through)
        number = env.rows.create(self.table, **self._inserted(env, columns))
        self._spread(env, [number], through, fresh=True)
        self.created(env, number, values)
        if self.chatter and not env.quiet:
            env.rows.post(self.name, number, f"{self.declared.label} created")
        return number

    def write(self, env: Env, ids: Sequence[int], given: Values) -> None:
        """Change records; a write that changes nothing touches them all the same."""
        env.refuse_writing(self.name)
        if not ids:
            return
        self.exist(env, ids)
        values = self._known(given)
        self.checked(env, ids, values)
        kept = self.remembered(env, ids)
        columns, through = self._sorted(values)
        env.rows.write(self.table, ids, **self._updated(env, ids, columns))
        self._spread(env, ids, through, fresh=False)
        self.written(env, ids, values, kept)

    def unlink(self, env: Env, ids: Sequence[int]) -> None:
        """Delete records; the database refuses or takes along what points at them."""
        env.refuse_writing(self.name)
        if self.knows_the_gone:
            self.exist(env, ids)
        self.leaving(env, ids)
        kept = self.remembered(env, ids)
        env.rows.unlink(self.name, ids)
        self.gone(env, kept)

    def exist(self, env: Env, ids: Sequence[int]) -> None:
        """Raise MissingError for the first of these that does not."""
        there = env.there(self.table, ids)
        for number in ids:
            if number not in there:
                raise MissingError(self.name, number, env.user.id)

    def read_one(self, env: Env, number: int, *names: str) -> tuple[Any, ...]:
        """Return columns of a row as they are; MissingError where it is gone."""
        columns = sql.SQL(", ").join(map(sql.Identifier, names))
        query = sql.SQL("SELECT {} FROM {} WHERE id = %s").format(
            columns, sql.Identifier(self.table)
        )
        rows = env.ask(query, number)
        if not rows:
            raise MissingError(self.name, number, env.user.id)
        return rows[0]

    def field(self, name: str) -> Declared:
        """Return a field; ValueError where there is none of this name."""
        return field(self.declared, name)

    def _known(self, given: Values) -> Values:
        return {n: v for n, v in given.items() if self.field(n).name not in MAGIC}

    def _sorted(self, values: Values) -> tuple[Values, Values]:
        """Tell columns from what is written elsewhere."""
        columns = {n: v for n, v in values.items() if self.field(n).column}
        return columns, {n: v for n, v in values.items() if n not in columns}

    def _with_parent(self, env: Env, columns: Values, through: Values) -> None:
        """Make the record that this one inherits from, or write it."""
        name, link = self.declared.inherits or ("", "")
        parent = registry()[name]
        inherited = [n for n in through if self.field(n).related == f"{link}.{n}"]
        values = {n: through.pop(n) for n in inherited}
        if columns.get(link):
            parent.write(env, [columns[link]], values)
        else:
            quiet = replaced(env, tracking_disable=True, from_child=True)
            columns[link] = parent.create(quiet, values)

    def _inserted(self, env: Env, columns: Values) -> Values:
        return {n: self._held(env, n, value, fresh=True) for n, value in columns.items()}

    def _updated(self, env: Env, ids: Sequence[int], columns: Values) -> Values:
        """Return the columns of one UPDATE; values by language or company are merged before."""
        plain: Values = {}
        for name, value in columns.items():
            one = self.field(name)
            held = self._held(env, name, value, fresh=False)
            if held is None or not (one.translate or one.company_dependent):
                plain[name] = held
            else:
                self._merge(env, ids, name, held)
        return plain

    def _held(self, env: Env, name: str, value: Any, *, fresh: bool) -> Any:
        one = self.field(name)
        held = to_column(self.name, one, value)
        if held is None or not (one.translate or one.company_dependent):
            return held
        if one.company_dependent:
            return {str(env.company): held}
        return ({FALLBACK: held} if fresh else {}) | {env.lang: held}

    def _merge(self, env: Env, ids: Sequence[int], name: str, values: Values) -> None:
        """Write one language or company; the first text of all is English too."""
        query = sql.SQL("SELECT id FROM {} WHERE id = ANY (%s) AND {} IS NULL").format(
            sql.Identifier(self.table), sql.Identifier(name)
        )
        empty = {row[0] for row in env.ask(query, list(ids))}
        first = {FALLBACK: next(iter(values.values()))} if self.field(name).translate else {}
        for number in ids:
            env.rows.merge(self.table, number, name, (first if number in empty else {}) | values)

    def _spread(self, env: Env, ids: Sequence[int], through: Values, *, fresh: bool) -> None:
        """Write what other tables hold."""
        for name, value in through.items():
            one = self.field(name)
            if one.type in MANY and not one.related:
                for number in ids:
                    commands.apply(env, self, number, one, value)
            elif one.related and not fresh and self._inherits(one):
                self._write_parent(env, ids, name, value)
            else:
                self.inverse(env, ids, name, value)

    def _inherits(self, one: Declared) -> bool:
        return bool(self.declared.inherits) and one.related == (
            f"{self.declared.inherits and self.declared.inherits[1]}.{one.name}"
        )

    def _write_parent(self, env: Env, ids: Sequence[int], name: str, value: Any) -> None:
        model, link = self.declared.inherits or ("", "")
        parents = sorted({self.read_one(env, number, link)[0] for number in ids})
        registry()[model].write(env, parents, {name: value})


def replaced(env: Env, **context: Any) -> Env:
    """Return the same surroundings with more in the context."""
    return Env(env.cursor, env.user, {**env.context, **context}, env.now)


_MODELS: dict[str, Model] = {}


def registry() -> Mapping[str, Model]:
    """Return all models by name; those without business of their own are plain."""
    if not _MODELS:
        from embedded.odoo_rpc.business import BUSINESS  # noqa: PLC0415 - it builds on this module

        for name, declared in models().items():
            _MODELS[name] = BUSINESS.get(name, Model)(declared)
    return _MODELS
