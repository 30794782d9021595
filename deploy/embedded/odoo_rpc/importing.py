"""From the texts of `load` to values for create and write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from embedded.odoo.declarations import Declared
from embedded.odoo_rpc import names
from embedded.odoo_rpc.commands import Named
from embedded.odoo_rpc.environment import Env
from embedded.odoo_rpc.model import Model, Values, registry
from embedded.odoo_rpc.reading import choices, search
from embedded.odoo_rpc.values import DATE, DATETIME

OWN: Final = ("id", ".id")
_TRUE, _FALSE = frozenset({"1", "true", "yes"}), frozenset({"0", "false", "no", ""})


class Problem(NamedTuple):
    """What is wrong with a record; `field` is one of the record, whatever lies below it."""

    field: str
    label: str
    message: str


class Columns(NamedTuple):
    """Where the columns of a model stand in a row: its own, and those of fields below it."""

    own: dict[str, int]
    below: dict[str, Columns]


class _Bad(Exception):
    """One value is wrong."""


def tree(model: Model, paths: Sequence[tuple[str, ...]]) -> Columns:
    """Sort columns by what they belong to; ValueError for one that is no field."""
    found = Columns({}, {})
    for place, path in enumerate(paths):
        here, at = found, model
        for step, name in enumerate(path):
            if name not in OWN and name not in at.declared.fields:
                raise ValueError(f"Invalid field name '{'/'.join(path)}'")
            if step == len(path) - 1:
                here.own[name] = place
            else:
                here = here.below.setdefault(name, Columns({}, {}))
                at = registry()[at.field(name).relation]
    return found


class Importer:
    """Reads the rows of one record and gathers what is wrong with them."""

    def __init__(self, env: Env) -> None:
        self._env = env
        self.problems: list[Problem] = []

    def values(self, model: Model, columns: Columns, rows: Sequence[list[Any]]) -> Values:
        """Return values with `id` (an ExternalId) and `.id` (a number) where rows name them."""
        found: Values = {}
        for name, place in columns.own.items():
            self._take(found, model, name, rows[0][place])
        for name, below in columns.below.items():
            one = model.field(name)
            try:
                found[name] = self._relation(one, below, rows)
            except _Bad as error:
                self.problems.append(Problem(name, one.label, str(error)))
        return found

    def _take(self, found: Values, model: Model, name: str, text: Any) -> None:
        try:
            if name == ".id":
                found.update({".id": self._database_id(model, text)} if text else {})
            elif name == "id":
                found.update({"id": self._external_id(model, text)} if text else {})
            else:
                one = model.field(name)
                found[name] = self._plain(model, one, text) if text else False
        except _Bad as error:
            label = "" if name in OWN else model.field(name).label
            own = "" if name == "id" else name
            self.problems.append(Problem(own, label, str(error)))

    def _database_id(self, model: Model, text: Any) -> int:
        try:
            number = int(text)
        except ValueError:
            raise _Bad(f"Invalid database id '{text}'") from None
        if number not in self._env.there(model.table, [number]):
            raise _Bad(f"Unknown database identifier '{text}'")
        return number

    def _external_id(self, model: Model, text: str) -> names.ExternalId:
        name = names.ExternalId.parse(text)
        found = names.look_up(self._env, name)
        if found and found.model != model.name:
            raise _Bad(f"The external id {name} belongs to a record of {found.model}")
        return name

    def _plain(self, model: Model, one: Declared, text: Any) -> Any:
        if one.type == "boolean":
            return _boolean(one, text.lower())
        if one.type == "selection":
            return self._choice(model, one, str(text))
        if one.relation:
            return self._by_name(one, text)
        convert = _READERS.get(one.type)
        if convert is None:
            return text
        reader, kind = convert
        try:
            read = reader(text)
        except (ValueError, TypeError):
            raise _Bad(f"'{text}' does not seem to be {kind} for field '{one.label}'") from None
        return self._in_utc(read) if isinstance(read, datetime) else read

    def _in_utc(self, local: datetime) -> str:
        zone = ZoneInfo(str(self._env.context.get("tz") or "UTC"))
        return local.replace(tzinfo=zone).astimezone(UTC).strftime(DATETIME)

    def _choice(self, model: Model, one: Declared, text: str) -> str:
        for value, label in choices(self._env, model.name, one.name):
            if text.lower() in {value.lower(), label.lower()}:
                return value
        raise _Bad(f"Value '{text}' not found in selection field '{one.label}'")

    def _by_name(self, one: Declared, text: Any) -> Any:
        wanted = str(text).split(",") if one.type == "many2many" else [str(text)]
        other = registry()[one.relation]
        found = []
        for name in wanted:
            ids = search(self._env, other, [["display_name", "=", name]], limit=1)
            if not ids:
                raise _Bad(f"No matching record found for name '{name}' in field '{one.label}'")
            found += ids
        return [(6, 0, found)] if one.type == "many2many" else found[0]

    def _relation(self, one: Declared, columns: Columns, rows: Sequence[list[Any]]) -> Any:
        if one.type == "one2many":
            return self._lines(one, columns, rows)
        if len(columns.own) != 1 or columns.below or not columns.own.keys() <= set(OWN):
            raise _Bad(f"Field '{one.label}' is given by an external or a database id, not both")
        ((kind, place),) = columns.own.items()
        text = str(rows[0][place] or "")
        wanted = text.split(",") if one.type == "many2many" else [text]
        found = [self._target(one, kind, each.strip()) for each in wanted if each.strip()]
        if one.type == "many2many":
            return [(6, 0, found)]
        return found[0] if found else False

    def _target(self, one: Declared, kind: str, text: str) -> int:
        other = registry()[one.relation]
        if kind == ".id":
            if text.isdigit() and self._env.there(other.table, [int(text)]):
                return int(text)
            raise _Bad(f"No matching record found for database id '{text}' in field '{one.label}'")
        name = names.ExternalId.parse(text)
        found = names.look_up(self._env, name)
        if found and found.model != other.name:
            raise _Bad(
                f"Invalid external ID {name}: expected model '{other.name}', found '{found.model}'"
            )
        if found is None or not found.exists:
            raise _Bad(f"No matching record found for external id '{text}' in field '{one.label}'")
        return found.number

    def _lines(
        self, one: Declared, columns: Columns, rows: Sequence[list[Any]]
    ) -> list[Sequence[Any]]:
        """Return a command for each row that says anything of a line."""
        other, found = registry()[one.relation], list[Sequence[Any]]()
        for row in rows:
            if not _says(columns, row):
                continue
            inner = Importer(self._env)
            values = inner.values(other, columns, [row])
            if inner.problems:
                raise _Bad(inner.problems[0].message)
            found += self._commands(values)
        return found

    def _commands(self, values: Values) -> list[Sequence[Any]]:
        """Link and write a line that is known, wherever it was; make another."""
        name, number = values.pop("id", None), values.pop(".id", None)
        if name is not None:
            held = names.look_up(self._env, name)
            number = held.number if held and held.exists else None
        if number:
            return [(4, number), (1, number, values)]
        return [(0, 0, Named(values, name) if name is not None else values)]


def _says(columns: Columns, row: Sequence[Any]) -> bool:
    own = any(row[place] for place in columns.own.values())
    return own or any(_says(below, row) for below in columns.below.values())


def _boolean(one: Declared, text: str) -> bool:
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise _Bad(f"Unknown value '{text}' for boolean field '{one.label}'")


def _date(text: str) -> str:
    return datetime.strptime(text, DATE).strftime(DATE)  # noqa: DTZ007 - a day


def _datetime(text: str) -> datetime:
    form = DATE if len(text) == len("2026-01-01") else DATETIME
    return datetime.strptime(text, form)  # noqa: DTZ007 - in the zone of the context


_READERS: Final[Mapping[str, tuple[Any, str]]] = {
    "integer": (int, "an integer"),
    "float": (float, "a number"),
    "monetary": (float, "a number"),
    "date": (_date, "a valid date"),
    "datetime": (_datetime, "a valid datetime"),
}
