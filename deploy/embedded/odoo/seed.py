"""The first rows: two companies, two languages, partners, products and orders of every state.

The same size and seed give the same rows, byte for byte: all times come from a clock that begins
at EPOCH.
"""

from __future__ import annotations

from decimal import Decimal
from random import Random

from embedded.odoo import computes, words
from embedded.odoo.rows import SHOP_COMPANY, Rows, Size, Values, names
from embedded.odoo.trade import orders, partner_row, partners, products, purchases


def first_rows(rng: Random, size: Size) -> dict[str, list[Values]]:
    """Return the rows of every table but ir_model and ir_model_fields."""
    made = Rows(rng, size)
    for step in (_basics, _companies, _trees, partners, products, orders, purchases):
        step(made)
    return made.tables


def _basics(made: Rows) -> None:
    for code, name, week_start in (
        ("en_US", "English (US)", "7"),
        ("fr_FR", "French / Français", "1"),
    ):
        made.add("res_lang", code=code, name=name, active=True, week_start=week_start)
    for number, name in enumerate(("EUR", "USD"), 1):
        made.add("res_currency", name=name, rounding=Decimal("0.010000"), active=True)
        made.name("res.currency", number, f"base.{name}")
    for code, english, french in words.COUNTRIES:
        number = made.add("res_country", code=code, name=names(english, french))
        made.name("res.country", number, f"base.{words.COUNTRY_NAMES.get(code, code.lower())}")
    for english, french in words.ORDER_TAGS:
        made.add("crm_tag", name=names(english, french), color=made.rng.randrange(12))
    for english, french in (("Immediate Payment", "Paiement immédiat"), ("30 Days", "30 jours")):
        made.add("account_payment_term", name=names(english, french), active=True)


def _companies(made: Rows) -> None:
    """Two companies and three users, each with a partner of its own."""
    for company, name in enumerate(("YourCompany", "Second Company"), 1):
        partner = partner_row(made, name, is_company=True, country_id=made.rng.randrange(1, 8))
        number = made.add(
            "res_company", name=name, partner_id=partner, currency_id=1, parent_path=f"{company}/"
        )
        made.name("res.partner", partner, f"base.{'main' if number == 1 else 'second'}_partner")
        made.name("res.company", number, f"base.{'main' if number == 1 else 'second'}_company")
    for login, name in (
        ("__system__", "OdooBot"),
        ("admin", "Mitchell Admin"),
        ("demo", "Marc Demo"),
    ):
        partner = partner_row(made, name, parent_id=1, active=login != "__system__")
        number = made.add(
            "res_users",
            login=login,
            password="$pbkdf2-sha512$600000$kept$out",  # noqa: S106 - nobody's; must never travel
            partner_id=partner,
            company_id=SHOP_COMPANY,
            active=login != "__system__",
        )
        made.name("res.users", number, f"base.user_{login.strip('_')}")
        for company in (1, 2):
            made.link("res_company_users_rel", user_id=number, cid=company)
    for name, percent, use, company in (
        ("15%", 15, "sale", 1),
        ("5%", 5, "sale", 1),
        ("15% purchases", 15, "purchase", 1),
        ("20%", 20, "sale", 2),
    ):
        made.add(
            "account_tax",
            name=names(name, name.replace("%", " %") if company == SHOP_COMPANY else None),
            amount=Decimal(percent).quantize(Decimal("0.0001")),
            type_tax_use=use,
            company_id=company,
            sequence=1,
            active=True,
        )


def _trees(made: Rows) -> None:
    for number, (english, french) in enumerate(words.TAGS, 1):
        parent = words.TAGS_ABOVE.get(english)
        made.add(
            "res_partner_category",
            name=names(english, french),
            parent_id=parent,
            parent_path=computes.path(f"{parent}/" if parent else None, number),
            active=True,
            color=number,
        )
    for name, parent in (("All", None), ("Saleable", 1), ("Expenses", 1), ("Office", 2)):
        above = made.row("product_category", parent) if parent else {}
        number = len(made.tables.get("product_category", [])) + 1
        made.add(
            "product_category",
            name=name,
            complete_name=f"{above['complete_name']} / {name}" if above else name,
            parent_id=parent,
            parent_path=computes.path(above.get("parent_path"), number),
        )
    # Of every company, and of one.
    for name, value, company in (
        ("trust", '"normal"', None),
        ("property_payment_term_id", "1", SHOP_COMPANY),
    ):
        made.add("ir_default", field=("res.partner", name), company_id=company, json_value=value)
