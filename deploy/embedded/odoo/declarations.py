"""The models as `models.txt` declares them: one line a field.

`model NAME "LABEL" [transient] [nolog]` begins a model. A field is `NAME TYPE WORDS...`; words:

    COMODEL cascade|restrict|null      many2one: what its foreign key does on delete
    COMODEL INVERSE                    one2many
    COMODEL TABLE COLUMN1 COLUMN2      many2many
    CURRENCY                           monetary: the field with its currency
    !  unique  translate  company      NOT NULL, unique, a value per language or company (jsonb)
    related PATH [stored]  computed    no column, unless stored
    label "TEXT"                       what users read, where the name is not enough

`binary` lies in an attachment, `bytea` in a column; `numeric` is Odoo's float with digits.
`@unique`, `@check` and `@index` belong to the table, `@unique_active` to its rows that are not
archived; `@inherits PARENT FIELD` is `_inherits`.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files
from typing import Final

MANY: Final = frozenset({"one2many", "many2many"})
ON_DELETE: Final = {"cascade": "cascade", "restrict": "restrict", "null": "set null"}

_COLUMNS: Final[Mapping[str, str]] = {
    "char": "varchar",
    "selection": "varchar",
    "text": "text",
    "html": "text",
    "monetary": "numeric",
    "numeric": "numeric",
    "float": "double precision",
    "integer": "integer",
    "many2one": "integer",
    "many2one_reference": "integer",
    "date": "date",
    "datetime": "timestamp",
    "boolean": "boolean",
    "json": "jsonb",
    "properties": "jsonb",
    "properties_definition": "jsonb",
    "bytea": "bytea",
}
_ODOO_TYPES: Final = {"numeric": "float", "bytea": "binary"}  # the others have Odoo's own name
_RELATIONAL: Final = MANY | {"many2one"}


@dataclass(frozen=True, slots=True)
class Declared:
    """One field; `column` is the column's type, "" where the table has none."""

    name: str
    type: str  # Odoo's ttype
    label: str
    column: str = ""
    relation: str = ""
    inverse: str = ""  # one2many
    table: str = ""  # many2many, with its two columns
    column1: str = ""
    column2: str = ""
    on_delete: str = ""  # the foreign key's, "" for none
    related: str = ""
    currency: str = ""
    required: bool = False
    unique: bool = False
    translate: bool = False
    company_dependent: bool = False
    store: bool = False  # what ir_model_fields says; x2many and images are "stored" too


@dataclass(slots=True)
class DeclaredModel:
    """One model; `constraints` are SQL, `indexes` and `unique_active` columns."""

    name: str
    label: str
    transient: bool
    log: bool  # has the four columns that tell who wrote a row and when
    fields: dict[str, Declared] = field(default_factory=dict)
    inherits: tuple[str, str] | None = None  # the parent model and the many2one to it
    constraints: list[str] = field(default_factory=list)
    indexes: list[str] = field(default_factory=list)
    unique_active: list[str] = field(default_factory=list)

    @property
    def table(self) -> str:
        """The table: none of these models has a name of its own for it."""
        return self.name.replace(".", "_")


@cache
def models() -> Mapping[str, DeclaredModel]:
    """Return all models in the order of the file, inherited fields included."""
    text = files(__package__).joinpath("models.txt").read_text(encoding="utf-8")
    found: dict[str, DeclaredModel] = {}
    current: DeclaredModel | None = None
    for line in text.splitlines():
        if line.startswith("model "):
            current = _begin(line)
            found[current.name] = current
        elif current and line.strip():
            _take(current, line.split())
    for model in found.values():
        if model.inherits:
            _inherit(model, found[model.inherits[0]], model.inherits[1])
    return found


def relations() -> dict[str, tuple[tuple[str, str], tuple[str, str]]]:
    """Return the many2many tables: each column with the table that it points to.

    The column that is declared second comes first, as in tables whose other side was made first.
    """
    found: dict[str, tuple[tuple[str, str], tuple[str, str]]] = {}
    for model in models().values():
        for one in model.fields.values():
            if one.table and one.table not in found:
                other = models()[one.relation].table
                found[one.table] = ((one.column1, model.table), (one.column2, other))
    return found


def _begin(line: str) -> DeclaredModel:
    _, name, label, *words = shlex.split(line)
    model = DeclaredModel(name, label, "transient" in words, "nolog" not in words)
    for magic in _magic(log=model.log):
        model.fields[magic.name] = magic
    return model


def _magic(*, log: bool) -> Iterator[Declared]:
    yield Declared("id", "integer", "ID", "integer", store=True)
    yield Declared("display_name", "char", "Display Name")
    for prefix, verb in (("create", "Created"), ("write", "Last Updated")) if log else ():
        who = Declared(f"{prefix}_uid", "many2one", f"{verb} by", "integer", store=True)
        yield replace(who, relation="res.users", on_delete="set null")
        yield Declared(f"{prefix}_date", "datetime", f"{verb} on", "timestamp", store=True)


def _take(model: DeclaredModel, words: list[str]) -> None:
    match words:
        case ["@unique", *columns]:
            model.constraints.append(f"UNIQUE ({' '.join(columns)})")
        case ["@check", *expression]:
            model.constraints.append(f"CHECK ({' '.join(expression)})")
        case ["@unique_active", *columns]:
            model.unique_active.append(" ".join(columns))
        case ["@index", *columns]:
            model.indexes.append(" ".join(columns))
        case ["@inherits", parent, name]:
            model.inherits = parent, name
        case [name, kind, *rest]:
            model.fields[name] = _field(name, kind, shlex.split(" ".join(rest)))
        case _:
            raise ValueError(f"models.txt: {' '.join(words)!r} is no declaration")


def _field(name: str, kind: str, words: list[str]) -> Declared:
    """Read a field's words, those of its type first."""
    words = list(words)
    label = name.removesuffix("_id").replace("_", " ").title()
    one = Declared(name, _ODOO_TYPES.get(kind, kind), label)
    if kind in _RELATIONAL:
        one = replace(one, relation=words.pop(0))
    if kind == "one2many":
        one = replace(one, inverse=words.pop(0))
    elif kind == "many2many":
        one = replace(one, table=words.pop(0), column1=words.pop(0), column2=words.pop(0))
    elif kind == "monetary":
        one = replace(one, currency=words.pop(0))
    elif kind == "many2one" and words and words[0] in ON_DELETE:
        one = replace(one, on_delete=ON_DELETE[words.pop(0)])
    return _column(_flags(one, words), kind, words)


def _flags(one: Declared, words: list[str]) -> Declared:
    def after(word: str) -> str:
        return words[words.index(word) + 1] if word in words else ""

    return replace(
        one,
        label=after("label") or one.label,
        related=after("related"),
        required="!" in words,
        unique="unique" in words,
        translate="translate" in words,
        company_dependent="company" in words,
    )


def _column(one: Declared, kind: str, words: list[str]) -> Declared:
    """Say whether the field has a column, and of which type."""
    elsewhere = "computed" in words or (bool(one.related) and "stored" not in words)
    if elsewhere:
        return replace(one, on_delete="")
    column = "jsonb" if one.translate or one.company_dependent else _COLUMNS.get(kind, "")
    return replace(one, column=column, store=True)


def _inherit(model: DeclaredModel, parent: DeclaredModel, link: str) -> None:
    """Add the parent's fields: they read through the link."""
    for one in parent.fields.values():
        if one.name not in model.fields:
            model.fields[one.name] = Declared(
                one.name,
                one.type,
                one.label,
                relation=one.relation,
                inverse=one.inverse,
                related=f"{link}.{one.name}",
                translate=one.translate,
                company_dependent=one.company_dependent,
            )
