"""Attributes of products: the lines of a template say which variants it has."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any, Final

import psycopg

from embedded.odoo_rpc.environment import FALLBACK, Env
from embedded.odoo_rpc.model import Model, Values, registry, replaced

_BY_HAND: Final = "no_variant"
"""How an attribute says that it makes no variants."""


class Attribute(Model):
    """A colour, a size."""

    order = "sequence, id"
    knows_the_gone = False

    def defaults(self, env: Env, values: Values) -> Values:
        return {"sequence": 20, "create_variant": "always"}


class AttributeValue(Model):
    """One colour."""

    order = "attribute_id, sequence, id"
    knows_the_gone = False

    def display_names(self, env: Env, ids: Sequence[int]) -> dict[int, str]:
        found = env.ask(
            "SELECT v.id, concat(coalesce(a.name ->> %s, a.name ->> %s), ': ',"
            " coalesce(v.name ->> %s, v.name ->> %s)) FROM product_attribute_value v"
            " JOIN product_attribute a ON a.id = v.attribute_id WHERE v.id = ANY (%s)",
            *(env.lang, FALLBACK, env.lang, FALLBACK),
            list(ids),
        )
        return dict(found)


class AttributeLine(Model):
    """The values that a template has of one attribute."""

    order = "sequence, attribute_id, id"

    def defaults(self, env: Env, values: Values) -> Values:
        return {"sequence": 10, "active": True}

    def created(self, env: Env, number: int, values: Values) -> None:
        make_variants(env, self.remembered(env, [number]))

    def written(self, env: Env, ids: Sequence[int], values: Values, kept: Any) -> None:
        if {"value_ids", "active", "product_tmpl_id"} & values.keys():
            make_variants(env, sorted({*kept, *self.remembered(env, ids)}))

    def remembered(self, env: Env, ids: Sequence[int]) -> list[int]:
        query = "SELECT product_tmpl_id FROM product_template_attribute_line WHERE id = ANY (%s)"
        return [row[0] for row in env.ask(query, list(ids))]

    def gone(self, env: Env, kept: Any) -> None:
        make_variants(env, sorted(env.there("product_template", kept)))


class TemplateValue(Model):
    """A value as one template has it: what its variants are made of."""

    order = "attribute_line_id, product_attribute_value_id, id"


def make_variants(env: Env, templates: Sequence[int]) -> None:
    """Make the variants that lines ask for; unlink those that none does, or archive them."""
    for template in templates:
        _Variants(env, template).make()


class _Variants:
    """The variants of one template."""

    def __init__(self, env: Env, template: int) -> None:
        self._env = replaced(env, tracking_disable=True)
        self._template = template

    def make(self) -> None:
        axes = [self._values(line) for line in self._lines()]
        for axis in axes:
            if len(axis) == 1:
                self._give_all(axis[0])
        wanted = {_indices(combination): combination for combination in product(*axes)}
        held = self._held()
        for indices in wanted.keys() - held.keys():
            self._create(indices, wanted[indices])
        for indices, variant in held.items():
            if indices in wanted:
                self._env.rows.write("product_product", variant, active=self._active())
            else:
                self._drop(variant)
        self._forget_values([number for axis in axes for number in axis])

    def _lines(self) -> list[int]:
        found = self._env.ask(
            "SELECT l.id FROM product_template_attribute_line l"
            " JOIN product_attribute a ON a.id = l.attribute_id"
            " WHERE l.active AND l.product_tmpl_id = %s AND a.create_variant <> %s"
            " AND EXISTS (SELECT FROM product_attribute_value_product_template_attribute_line_rel"
            " r WHERE r.product_template_attribute_line_id = l.id) ORDER BY l.sequence, l.id",
            self._template,
            _BY_HAND,
        )
        return [row[0] for row in found]

    def _values(self, line: int) -> list[int]:
        """Return the line's values as this template has them; make those that are missing."""
        (attribute,) = registry()["product.template.attribute.line"].read_one(
            self._env, line, "attribute_id"
        )
        found = self._env.ask(
            "SELECT v.id, t.id FROM product_attribute_value_product_template_attribute_line_rel r"
            " JOIN product_attribute_value v ON v.id = r.product_attribute_value_id"
            " LEFT JOIN product_template_attribute_value t"
            " ON t.product_attribute_value_id = v.id AND t.attribute_line_id = %s"
            " WHERE r.product_template_attribute_line_id = %s ORDER BY v.sequence, v.id",
            line,
            line,
        )
        return [
            held
            or self._env.rows.create(
                "product_template_attribute_value",
                ptav_active=True,
                product_attribute_value_id=value,
                attribute_line_id=line,
                product_tmpl_id=self._template,
                attribute_id=attribute,
            )
            for value, held in found
        ]

    def _held(self) -> dict[str, int]:
        found = self._env.ask(
            "SELECT coalesce(combination_indices, ''), id FROM product_product"
            " WHERE product_tmpl_id = %s ORDER BY active, id DESC",
            self._template,
        )
        return dict(found)  # of several alike the first active one

    def _give_all(self, value: int) -> None:
        """Let variants that are there already have the only value of an attribute."""
        for indices, variant in self._held().items():
            held = [int(each) for each in indices.split(",") if each]
            if value not in held:
                self._combine(variant, [*held, value])

    def _create(self, indices: str, combination: Sequence[int]) -> None:
        registry()["product.product"].create(
            self._env,
            {
                "product_tmpl_id": self._template,
                "active": self._active(),
                "combination_indices": indices,
                "product_template_attribute_value_ids": [(6, 0, list(combination))],
            },
        )

    def _combine(self, variant: int, combination: Sequence[int]) -> None:
        owner = ("product_product_id", variant)
        column = "product_template_attribute_value_id"
        self._env.rows.relink("product_variant_combination", owner, column, combination)
        indices = _indices(combination)
        self._env.rows.write("product_product", variant, combination_indices=indices)

    def _drop(self, variant: int) -> None:
        """Delete a variant, or archive it where something needs it."""
        try:
            with self._env.cursor.connection.transaction():
                self._env.rows.unlink("product.product", [variant])
        except psycopg.errors.ForeignKeyViolation:
            self._env.rows.write("product_product", variant, active=False)

    def _forget_values(self, wanted: Sequence[int]) -> None:
        """Delete values that the template has no more, unless an archived variant has them."""
        self._env.cursor.execute(
            "DELETE FROM product_template_attribute_value t WHERE product_tmpl_id = %s"
            " AND id <> ALL (%s) AND NOT EXISTS (SELECT FROM product_variant_combination c"
            " WHERE c.product_template_attribute_value_id = t.id)",
            [self._template, list(wanted)],
        )

    def _active(self) -> bool:
        return bool(
            registry()["product.template"].read_one(self._env, self._template, "active")[0]
        )


def _indices(combination: Sequence[int]) -> str:
    return ",".join(map(str, sorted(combination)))
