"""Partners and their tags."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from embedded.odoo import computes
from embedded.odoo_rpc.business.base import Tree
from embedded.odoo_rpc.environment import FALLBACK, Env
from embedded.odoo_rpc.faults import RedirectWarning, ValidationError
from embedded.odoo_rpc.model import Model, Values, registry

_NAMED_BY = frozenset({"name", "parent_id", "is_company"})


class Partner(Model):
    """Contacts: people and companies in a tree."""

    order = "complete_name, id desc"
    chatter = True

    def defaults(self, env: Env, values: Values) -> Values:
        return {
            "type": "contact",
            "active": True,
            "is_company": False,
            "lang": env.user.lang,
            "color": 0,
            "customer_rank": 0,
            "supplier_rank": 0,
        }

    def created(self, env: Env, number: int, values: Values) -> None:
        self._compute(env, number)

    def checked(self, env: Env, ids: Sequence[int], values: Values) -> None:
        above = values.get("parent_id")
        while isinstance(above, int) and above:
            if above in ids:
                raise ValidationError("A contact cannot stand below itself.")
            found = env.ask("SELECT parent_id FROM res_partner WHERE id = %s", above)
            above = found[0][0] if found else None

    def written(self, env: Env, ids: Sequence[int], values: Values, kept: Any) -> None:
        if _NAMED_BY & values.keys():
            for number in ids:
                self._compute(env, number)

    def leaving(self, env: Env, ids: Sequence[int]) -> None:
        """Refuse users' contacts; take quotations and cancelled orders along."""
        used = "SELECT 1 FROM res_users WHERE active AND partner_id = ANY (%s) LIMIT 1"
        if env.ask(used, list(ids)):
            raise RedirectWarning("These contacts belong to users who may log in.")
        orders = env.ask(
            "SELECT id FROM sale_order WHERE state IN ('draft', 'cancel')"
            " AND partner_id = ANY (%s)",
            list(ids),
        )
        registry()["sale.order"].unlink(env, [row[0] for row in orders])

    def _compute(self, env: Env, number: int) -> None:
        name, parent, company = self.read_one(env, number, "name", "parent_id", "is_company")
        commercial, above = number, None
        if parent and not company:
            above, commercial = self.read_one(env, parent, "name", "commercial_partner_id")
        env.rows.write(
            self.table,
            number,
            complete_name=computes.complete_name(name or "", above),
            commercial_partner_id=commercial,
        )
        for (below,) in env.ask("SELECT id FROM res_partner WHERE parent_id = %s", number):
            self._compute(env, below)


class PartnerCategory(Tree):
    """Tags of partners, shown with those above them."""

    def defaults(self, env: Env, values: Values) -> Values:
        return {"active": True, "color": 0}

    def display_names(self, env: Env, ids: Sequence[int]) -> dict[int, str]:
        found = env.ask(
            "SELECT c.id, string_agg(coalesce(p.name ->> %s, p.name ->> %s), ' / '"
            " ORDER BY length(p.parent_path)) FROM res_partner_category c"
            " JOIN res_partner_category p ON starts_with(c.parent_path, p.parent_path)"
            " WHERE c.id = ANY (%s) GROUP BY c.id",
            env.lang,
            FALLBACK,
            list(ids),
        )
        return dict(found)
