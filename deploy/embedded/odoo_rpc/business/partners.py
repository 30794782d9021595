"""Partners and their tags."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from embedded.odoo import computes
from embedded.odoo_rpc.business.base import Tree
from embedded.odoo_rpc.environment import FALLBACK, Env
from embedded.odoo_rpc.facts import SELECTIONS
from embedded.odoo_rpc.faults import RedirectWarning, ValidationError
from embedded.odoo_rpc.model import Model, Values, registry

_NAMED_BY: Final = frozenset({"name", "parent_id", "is_company", "type"})
_ADDRESS: Final = ("street", "street2", "zip", "city", "country_id")
_COMMERCIAL: Final = ("vat",)
_LABELS: Final = dict(SELECTIONS["res.partner", "type"])


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
        self._give_first_address(env, number)
        self._share(env, number, values)

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
        for number in ids:
            self._share(env, number, values)

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

    def remembered(self, env: Env, ids: Sequence[int]) -> list[int]:
        """Return those that stand right below."""
        query = "SELECT id FROM res_partner WHERE parent_id = ANY (%s) AND NOT id = ANY (%s)"
        return [row[0] for row in env.ask(query, list(ids), list(ids))]

    def gone(self, env: Env, kept: Any) -> None:
        for number in kept:
            self._compute(env, number)

    def _share(self, env: Env, number: int, values: Values) -> None:
        """Take what is the company's where one is given, and hand down what changed."""
        parent, kind, commercial = self.read_one(
            env, number, "parent_id", "type", "commercial_partner_id"
        )
        if values.get("parent_id") or values.get("type") == "contact":
            if commercial not in {None, number}:
                self._copy(env, commercial, [number], _COMMERCIAL)
            if parent and kind == "contact" and any(self.read_one(env, parent, *_ADDRESS)):
                self._copy(env, parent, [number], _ADDRESS)
        below = env.ask(
            "SELECT id FROM res_partner WHERE parent_id = %s AND type = 'contact'", number
        )
        contacts = [row[0] for row in below]
        changed = [name for name in _ADDRESS if name in values]
        self._copy(env, number, contacts, changed)
        if values.keys() & set(_COMMERCIAL) and commercial == number:
            members = env.ask(
                "SELECT id FROM res_partner WHERE commercial_partner_id = %s AND id <> %s",
                number,
                number,
            )
            self._copy(env, number, [row[0] for row in members], _COMMERCIAL)

    def _give_first_address(self, env: Env, number: int) -> None:
        """Let a parent without address take that of its first contact."""
        (parent,) = self.read_one(env, number, "parent_id")
        if not parent or any(self.read_one(env, parent, *_ADDRESS)):
            return
        children = env.ask("SELECT count(*) FROM res_partner WHERE parent_id = %s", parent)
        if children == [(1,)] and any(self.read_one(env, number, *_ADDRESS)):
            self._copy(env, number, [parent], _ADDRESS)

    def _copy(self, env: Env, source: int, targets: Sequence[int], names: Sequence[str]) -> None:
        if targets and names:
            held = dict(zip(names, self.read_one(env, source, *names), strict=True))
            env.rows.write(self.table, targets, **held)

    def _compute(self, env: Env, number: int) -> None:
        name, parent, company, kind = self.read_one(
            env, number, "name", "parent_id", "is_company", "type"
        )
        if not name and kind != "contact":
            name = _LABELS.get(kind)
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
