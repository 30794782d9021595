"""Rows of tables while they are made up: ids, and the columns that tell who wrote them when."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final, NamedTuple

EPOCH: Final = datetime(2026, 1, 5, 8, 0)  # noqa: DTZ001 - as Odoo stores it: UTC, without a zone
ADMIN: Final = 2
SHOP_COMPANY: Final = 1

Values = dict[str, Any]


class Size(NamedTuple):
    """How many records there are at first, about."""

    partners: int
    products: int
    orders: int


OPENED: Final = Size(0, 0, 0)
"""An Odoo that nobody has worked with: companies, users, taxes and the like."""
SMALL: Final = Size(60, 20, 40)
DEMO: Final = Size(2_000, 500, 1_000)


@dataclass(slots=True)
class Rows:
    """Rows of every table; ids count from 1 in each."""

    rng: Random
    size: Size
    tables: dict[str, list[Values]] = field(default_factory=dict)
    clock: datetime = EPOCH

    def add(self, table: str, *, log: bool = True, **values: Any) -> int:
        """Add a row; return its id."""
        rows = self.tables.setdefault(table, [])
        row: Values = {"id": len(rows) + 1}
        if log:
            self.clock += timedelta(seconds=self.rng.randrange(1, 90), microseconds=217)
            row |= {"create_uid": ADMIN, "create_date": self.clock}
            row |= {"write_uid": ADMIN, "write_date": self.clock}
        rows.append(row | values)
        return int(row["id"])

    def chance(self, share: float) -> bool:
        """Throw dice."""
        return self.rng.random() < share

    def link(self, table: str, **values: int) -> None:
        """Add a row to a relation table."""
        self.tables.setdefault(table, []).append(values)

    def linked(self, table: str, column: str, number: int, other: str) -> list[int]:
        """Return what a record is linked to, sorted."""
        return sorted(row[other] for row in self.tables[table] if row[column] == number)

    def name(self, model: str, number: int, external_id: str) -> None:
        """Give a record an external id."""
        module, name = external_id.split(".")
        self.add("ir_model_data", module=module, name=name, model=model, res_id=number)

    def row(self, table: str, number: int) -> Values:
        """Return a row by its id."""
        return self.tables[table][number - 1]


def jsonb(value: object) -> str:
    """Write a jsonb value."""
    return json.dumps(value, ensure_ascii=False)


def names(english: str, french: str | None) -> str:
    """Write a translated name."""
    return jsonb({"en_US": english} | ({"fr_FR": french} if french else {}))
