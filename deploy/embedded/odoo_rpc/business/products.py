"""Products: a template and its variants, which read and write through to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from embedded.odoo_rpc.business.base import Tree
from embedded.odoo_rpc.environment import FALLBACK, Env
from embedded.odoo_rpc.faults import ValidationError
from embedded.odoo_rpc.model import Model, Values, registry, replaced

_SHARED: Final[tuple[str, ...]] = ("default_code", "weight")
"""What a template with one variant has in common with it, each in a column of its own."""
_OF_THE_VARIANT: Final[tuple[str, ...]] = (*_SHARED, "barcode", "standard_price")

_NAMES: Final = (
    "SELECT p.id, p.default_code, coalesce(t.name ->> %s, t.name ->> %s),"
    " (SELECT string_agg(coalesce(v.name ->> %s, v.name ->> %s), ', ' ORDER BY l.sequence, l.id)"
    " FROM product_variant_combination c"
    " JOIN product_template_attribute_value tv ON tv.id = c.product_template_attribute_value_id"
    " JOIN product_template_attribute_line l ON l.id = tv.attribute_line_id"
    " JOIN product_attribute_value v ON v.id = tv.product_attribute_value_id"
    " WHERE c.product_product_id = p.id AND (SELECT count(*) FROM"
    " product_template_attribute_value o WHERE o.attribute_line_id = l.id) > 1)"
    " FROM product_product p JOIN product_template t ON t.id = p.product_tmpl_id"
    " WHERE p.id = ANY (%s)"
)
"""Variants by template and by the values that tell them apart."""


class ProductCategory(Tree):
    """Categories of products."""

    order = "complete_name, id"

    def place(self, env: Env, parent: int | None, number: int) -> Values:
        (name,) = self.read_one(env, number, "name")
        above = self.read_one(env, parent, "complete_name")[0] if parent else None
        complete = f"{above} / {name}" if above else name
        return super().place(env, parent, number) | {"complete_name": complete}


class ProductTemplate(Model):
    """What is sold and bought."""

    order = "name, id"
    chatter = True

    def defaults(self, env: Env, values: Values) -> Values:
        found: Values = {
            "type": "consu",
            "list_price": 1.0,
            "sale_ok": True,
            "purchase_ok": True,
            "active": True,
        }
        if "categ_id" not in values:
            found["categ_id"] = env.ask("SELECT min(id) FROM product_category")[0][0]
        for name, use in (("taxes_id", "sale"), ("supplier_taxes_id", "purchase")):
            found[name] = [(6, 0, _default_tax(env, use))]
        return found

    def created(self, env: Env, number: int, values: Values) -> None:
        """Make its variant, unless that was made by hand or makes the template itself."""
        own = {name: values[name] for name in _OF_THE_VARIANT if name in values}
        made = _variants(env, [number])
        if made or env.context.get("from_child"):
            if len(made) == 1 and own:
                registry()["product.product"].write(env, made, own)
            return
        registry()["product.product"].create(
            replaced(env, tracking_disable=True),
            {"product_tmpl_id": number, "active": bool(values.get("active")), **own},
        )

    def inverse(self, env: Env, ids: Sequence[int], name: str, value: Any) -> None:
        if name not in _OF_THE_VARIANT:
            return
        for number in ids:
            variants = _variants(env, [number])
            if len(variants) == 1:
                registry()["product.product"].write(env, variants, {name: value})

    def written(self, env: Env, ids: Sequence[int], values: Values, kept: Any) -> None:
        variants = registry()["product.product"]
        if "active" in values:
            env.rows.write(variants.table, _variants(env, ids), active=bool(values["active"]))
        shared = {name: values[name] for name in _SHARED if name in values}
        if shared:
            for number in ids:
                only = _variants(env, [number])
                if len(only) == 1:
                    variants.write(env, only, shared)

    def computed(self, env: Env, name: str, ids: Sequence[int]) -> Mapping[int, Any]:
        if name == "currency_id":
            currency = env.ask("SELECT currency_id FROM res_company WHERE id = %s", env.company)
            return dict.fromkeys(ids, currency[0][0])
        variants = {number: _variants(env, [number]) for number in ids}
        if name == "product_variant_count":
            return {number: len(found) for number, found in variants.items()}
        if name == "product_variant_id":
            return {number: found[0] for number, found in variants.items() if found}
        if name == "standard_price":
            return {
                number: _cost(env, found[0]) if len(found) == 1 else 0.0
                for number, found in variants.items()
            }
        return {}

    def display_names(self, env: Env, ids: Sequence[int]) -> dict[int, str]:
        found = env.ask(
            "SELECT id, default_code, coalesce(name ->> %s, name ->> %s) FROM product_template"
            " WHERE id = ANY (%s)",
            env.lang,
            FALLBACK,
            list(ids),
        )
        return {number: _with_code(code, name) for number, code, name in found}


class ProductVariant(Model):
    """One variant; with the last of a template, that goes too."""

    order = "default_code, name, id"

    def defaults(self, env: Env, values: Values) -> Values:
        return {"active": True, "combination_indices": ""}

    def created(self, env: Env, number: int, values: Values) -> None:
        self.written(env, [number], values, None)

    def written(self, env: Env, ids: Sequence[int], values: Values, kept: Any) -> None:
        if values.get("barcode"):
            _unique_barcodes(env, ids)
        for number in ids:
            (template,) = self.read_one(env, number, "product_tmpl_id")
            self._compute(env, template, values)

    def inverse(self, env: Env, ids: Sequence[int], name: str, value: Any) -> None:
        if name == "lst_price":
            self._write_parent(env, ids, "list_price", value)

    def computed(self, env: Env, name: str, ids: Sequence[int]) -> Mapping[int, Any]:
        if name != "lst_price":
            return {}
        found = env.ask(
            "SELECT p.id, t.list_price FROM product_product p"
            " JOIN product_template t ON t.id = p.product_tmpl_id WHERE p.id = ANY (%s)",
            list(ids),
        )
        return {number: float(price or 0) for number, price in found}

    def remembered(self, env: Env, ids: Sequence[int]) -> list[int]:
        found = env.ask("SELECT product_tmpl_id FROM product_product WHERE id = ANY (%s)", [*ids])
        return sorted({row[0] for row in found})

    def gone(self, env: Env, kept: Any) -> None:
        alone = [number for number in kept if not _variants(env, [number])]
        if alone:
            registry()["product.template"].unlink(env, alone)

    def display_names(self, env: Env, ids: Sequence[int]) -> dict[int, str]:
        found = env.ask(_NAMES, *(env.lang, FALLBACK, env.lang, FALLBACK), list(ids))
        return {
            number: _with_code(code, f"{name} ({values})" if values else name)
            for number, code, name, values in found
        }

    def _compute(self, env: Env, template: int, values: Values) -> None:
        """Write what a template computes of its variants."""
        found: Values = {}
        if "active" in values:
            active = "SELECT bool_or(active) FROM product_product WHERE product_tmpl_id = %s"
            found["active"] = bool(env.ask(active, template)[0][0])
        variants = _variants(env, [template])
        if len(variants) == 1 and any(name in values for name in _SHARED):
            held = self.read_one(env, variants[0], *_SHARED)
            found |= dict(zip(_SHARED, held, strict=True))
        if found:
            env.rows.write("product_template", template, **found)


def _variants(env: Env, templates: Sequence[int]) -> list[int]:
    query = "SELECT id FROM product_product WHERE product_tmpl_id = ANY (%s) ORDER BY id"
    return [row[0] for row in env.ask(query, list(templates))]


def _default_tax(env: Env, use: str) -> list[int]:
    found = env.ask(
        "SELECT id FROM account_tax WHERE type_tax_use = %s AND company_id = %s AND active"
        " ORDER BY sequence, id LIMIT 1",
        use,
        env.company,
    )
    return [row[0] for row in found]


def _cost(env: Env, variant: int) -> float:
    query = "SELECT (standard_price ->> %s)::float8 FROM product_product WHERE id = %s"
    return env.ask(query, str(env.company), variant)[0][0] or 0.0


def _unique_barcodes(env: Env, ids: Sequence[int]) -> None:
    twice = env.ask(
        "SELECT a.barcode FROM product_product a JOIN product_product b"
        " ON b.barcode = a.barcode AND b.id <> a.id WHERE a.id = ANY (%s)",
        list(ids),
    )
    if twice:
        raise ValidationError(f'The barcode "{twice[0][0]}" is assigned to another product.')


def _with_code(code: str | None, name: str | None) -> str:
    return f"[{code}] {name}" if code else str(name or "")
