"""One company's value of a field that depends on the company: how it is sent and compared."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from schemas.company import of_one_company, reader
from schemas.document import Column
from schemas.domain.scalars import BASE_LANGUAGE
from schemas.fields import Kind
from schemas.mapping.scalars import Scalar, UnsendableValue, scalar


def company_scalar(
    column: Column, field: str, company: int, default: Any, *, number: bool
) -> tuple[Kind, Scalar]:
    """Return how one company's value of a column is handled, and as what kind.

    `default` is that of a company that the column says nothing of. A float has no digits of its
    own there: it is sent as the number that Odoo wrote.
    """
    inner = of_one_company(column)
    if inner is None:
        return Kind.COMPANY, Scalar(lambda raw: _refuse(raw, field), _same, _same)
    read = reader(inner.kind, company, default)

    def one(raw: Any) -> Any:
        try:
            return read(raw)
        except ValueError as error:
            raise UnsendableValue(field, raw, f"holds no {column.type}") from error

    number = number or column.type == "float"
    handled = scalar(inner.kind, field, lang=BASE_LANGUAGE, number=number)
    return inner.kind, replace(handled, read=lambda raw: handled.read(one(raw)))


def _refuse(raw: Any, field: str) -> Any:
    raise UnsendableValue(
        field,
        raw,
        "depends on the company",
        hint="Leave the field out of the route: such relations are not supported.",
    )


def _same(value: Any) -> Any:
    return value
