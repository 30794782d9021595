"""What the file says of the defaults of company-dependent fields, against `ir_default`. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from schemas.company import Defaults, carried, default_of, of_one_company
from schemas.config import Config
from schemas.document import Column, Shape
from schemas.fields import Kind
from schemas.finding import Finding
from schemas.mapping import paths
from schemas.via import ManyToOne

TABLE = "ir_default"
MANY2ONE = "many2one"
_WHERE = "source.company_defaults"


def asked(shapes: tuple[Shape, ...]) -> dict[str, Column]:
    """Return the company-dependent columns that documents show or follow, by `model.field`."""
    found: dict[str, Column] = {}
    for shape in shapes:
        for link in shape.links:
            if isinstance(link.via, ManyToOne) and link.via.company:
                found[f"{shape.model}.{link.name}"] = Column(link.name, Kind.COMPANY, MANY2ONE)
        for column in shape.columns:
            if column.kind is Kind.COMPANY:
                found[f"{shape.model}.{column.name}"] = column
        found |= asked(tuple(link.shape for link in shape.links))
    return found


def findings(
    config: Config, columns: Mapping[str, Column], stored: Mapping[str, Defaults]
) -> Iterator[Finding]:
    """Tell of defaults that the file states otherwise than the database, of companies in use."""
    context = config.source.context
    routed = [path for route in config.routes for path, _ in paths(route.mapping)]
    companies = sorted({context.company, *(path.company or context.company for path in routed)})
    for name, column in sorted(columns.items()):
        said, kept = context.defaults.get(name, {}), stored.get(name, {})
        wrong = [
            company
            for company in ([context.company] if column.type == MANY2ONE else companies)
            if _value(column, said, company) != _value(column, kept, company)
        ]
        if wrong:
            yield Finding(
                "error",
                f"{_WHERE}.{name}" if name in context.defaults else _WHERE,
                None,
                f"{name} has the default {_shown(default_of(kept, wrong[0]))} in company"
                f" {wrong[0]}, and the file says {_shown(default_of(said, wrong[0]))}: records"
                " without a value of their own would be taken for others",
                f"write company_defaults: {{{name}: {_written(kept)}}}",
            )


def _value(column: Column, defaults: Defaults, company: int) -> Any:
    """Return a default as it is compared: empty ones are all the same."""
    inner = of_one_company(column)
    value = default_of(defaults, company)
    if inner is None:
        return None
    try:
        found = carried(inner.kind, value)
    except ValueError:
        return ("no value of its type", str(value))
    if inner.kind is Kind.NUMERIC:
        return float(found or 0)
    return found or None


def _shown(value: Any) -> str:
    return "none" if value is None or value is False else json.dumps(value, ensure_ascii=False)


def _written(defaults: Mapping[str, Any]) -> str:
    if not defaults:
        return "null"
    if list(defaults) == ["*"]:
        return json.dumps(defaults["*"], ensure_ascii=False)
    return json.dumps(defaults, ensure_ascii=False)
