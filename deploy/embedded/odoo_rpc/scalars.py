"""Fields as SQL: a column, a translated or company's value, what is read through relations."""

from __future__ import annotations

from itertools import count
from typing import Final

from psycopg import sql

from embedded.odoo.declarations import MANY, Declared, DeclaredModel, models
from embedded.odoo_rpc.environment import FALLBACK

TEXT: Final = frozenset({"char", "text", "html", "selection"})
NUMBERS: Final = frozenset({"integer", "float", "monetary", "many2one_reference"})


class Scalars:
    """Writes fields down as SQL, for one language and company."""

    def __init__(self, lang: str, company: int) -> None:
        self.lang = lang
        self.company = company
        self._numbers = count(1)

    def alias(self) -> sql.Identifier:
        """Return a name that no other table of the query has."""
        return sql.Identifier(f"t{next(self._numbers)}")

    def of(self, model: DeclaredModel, alias: sql.Identifier, name: str) -> sql.Composable:
        """Return the field's value in the row `alias`; ValueError where SQL cannot say it."""
        one = field(model, name)
        if one.column:
            return self._column(one, alias)
        if one.related:
            return self._through(model, alias, one.related)
        if name == "display_name":
            return self.of(model, alias, name_field(model))
        raise ValueError(f"the stand-in cannot search {model.name}.{name}: no column holds it")

    def _column(self, one: Declared, alias: sql.Identifier) -> sql.Composable:
        column = sql.SQL("{}.{}").format(alias, sql.Identifier(one.name))
        if one.translate:
            return sql.SQL("coalesce({0} ->> {1}, {0} ->> {2})").format(
                column, sql.Literal(self.lang), sql.Literal(FALLBACK)
            )
        if one.company_dependent:
            kind = "float8" if one.type in NUMBERS else "int" if one.relation else "text"
            return sql.SQL("({} ->> {})::{}").format(
                column, sql.Literal(str(self.company)), sql.SQL(kind)
            )
        return column

    def _through(self, model: DeclaredModel, alias: sql.Identifier, path: str) -> sql.Composable:
        head, _, rest = path.partition(".")
        if not rest:
            return self.of(model, alias, head)
        link = field(model, head)
        other, inner = models()[link.relation], self.alias()
        joined = (
            sql.SQL("{}.{} = {}.id").format(inner, sql.Identifier(link.inverse), alias)
            if link.type in MANY
            else sql.SQL("{}.id = {}").format(inner, self.of(model, alias, head))
        )
        return sql.SQL("(SELECT {} FROM {} {} WHERE {} ORDER BY {}.id LIMIT 1)").format(
            self._through(other, inner, rest), sql.Identifier(other.table), inner, joined, inner
        )


def field(model: DeclaredModel, name: str) -> Declared:
    """Return a field; ValueError where the model has none of this name."""
    try:
        return model.fields[name]
    except KeyError:
        raise ValueError(f"Invalid field {name!r} on model {model.name!r}") from None


def name_field(model: DeclaredModel) -> str:
    """Return the field that names a record."""
    names = ("complete_name", "name", "login", "subject")
    known = [one for one in names if one in model.fields and model.fields[one].store]
    return next(iter(known), "name" if "name" in model.fields else "id")
