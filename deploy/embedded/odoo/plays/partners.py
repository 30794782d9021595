"""Partners: companies and their contacts, merged, renamed, tagged, archived."""

from __future__ import annotations

from typing import Final

from psycopg import sql

from embedded.odoo import computes, words
from embedded.odoo.declarations import models
from embedded.odoo.transaction import Transaction

_CUSTOMER: Final = "id > 5"  # the first belong to companies and users
_FREE: Final = (
    "id > 6 AND NOT EXISTS (SELECT FROM sale_order o WHERE o.state NOT IN ('draft', 'cancel')"
    " AND res_partner.id IN (o.partner_id, o.partner_invoice_id, o.partner_shipping_id))"
)
_ORDERS: Final = (
    "SELECT id FROM sale_order WHERE %s IN (partner_id, partner_invoice_id, partner_shipping_id)"
    " ORDER BY id"
)


def create(t: Transaction) -> None:
    """Create a company, with a contact often, an external id sometimes."""
    name = words.firm(t.rng)
    company = t.create(
        "res_partner",
        name=name,
        email=words.mail(name),
        type="contact",
        is_company=True,
        active=True,
        country_id=t.rng.randint(1, len(words.COUNTRIES)),
        comment=words.long_text(t.rng) if t.chance(0.1) else None,
    )
    t.write("res_partner", company, complete_name=name, commercial_partner_id=company, color=0)
    if t.chance(0.6):
        person = words.person(t.rng)
        contact = t.create(
            "res_partner", name=person, type="contact", active=True, parent_id=company
        )
        t.write(
            "res_partner",
            contact,
            complete_name=computes.complete_name(person, name),
            commercial_partner_id=company,
            is_company=False,
        )
    if t.chance(0.3):
        t.create(
            "ir_model_data",
            module="import",
            name=f"partner_late_{company}",
            model="res.partner",
            res_id=company,
            noupdate=False,
        )
    t.post("res.partner", company, "Contact created")


def rename(t: Transaction) -> None:
    """Rename a company; its contacts' complete names follow."""
    company = t.some("res_partner", "is_company AND id > 5")
    ((before,),) = t.rows("SELECT name FROM res_partner WHERE id = %s", company)
    name = words.firm(t.rng)
    t.write("res_partner", company, name=name)
    t.write("res_partner", company, complete_name=name)
    _follow(t, company, name)
    t.post("res.partner", company, "Renamed", (before, name))


def merge(t: Transaction) -> None:
    """Merge one company into another: in SQL, without a touch of what pointed at it."""
    gone = t.some("res_partner", "is_company AND parent_id IS NULL AND id > 6")
    kept = t.some("res_partner", "is_company AND parent_id IS NULL AND id > 5 AND id <> %s", gone)
    for table, column in _references():
        t.cursor.execute(
            sql.SQL("UPDATE {} SET {} = %s WHERE {} = %s").format(
                sql.Identifier(table), sql.Identifier(column), sql.Identifier(column)
            ),
            [kept, gone],
        )
    t.run(
        "INSERT INTO res_partner_res_partner_category_rel (category_id, partner_id)"
        " SELECT category_id, %s FROM res_partner_res_partner_category_rel WHERE partner_id = %s"
        " ON CONFLICT DO NOTHING",
        kept,
        gone,
    )
    t.run(
        "UPDATE mail_message SET res_id = %s WHERE model = 'res.partner' AND res_id = %s",
        kept,
        gone,
    )
    t.run(
        "UPDATE ir_model_data SET res_id = %s WHERE model = 'res.partner' AND res_id = %s",
        kept,
        gone,
    )
    t.unlink("res.partner", [gone])
    ((name,),) = t.rows("SELECT name FROM res_partner WHERE id = %s", kept)
    t.write("res_partner", kept)
    _follow(t, kept, name)


def change_tags(t: Transaction) -> None:
    """Tag a partner anew."""
    partner = t.some("res_partner", _CUSTOMER)
    tags = sorted(t.rng.sample(range(1, len(words.TAGS) + 1), t.rng.randrange(3)))
    t.relink("res_partner_res_partner_category_rel", ("partner_id", partner), "category_id", tags)
    t.write("res_partner", partner)


def archive(t: Transaction) -> None:
    """Archive a partner, or take one back."""
    back = t.chance(0.5)
    t.write("res_partner", t.some("res_partner", "id > 5 AND active <> %s", back), active=back)


def unlink(t: Transaction) -> None:
    """Delete a partner and the orders that may go with it."""
    partner = t.some("res_partner", _FREE)
    orders = [row[0] for row in t.rows(_ORDERS, partner)]
    if orders:
        t.unlink("sale.order", orders)
    t.unlink("res.partner", [partner])


def keep_long_text(t: Transaction) -> None:
    """Change a row whose long text stays; rarely the text."""
    partner = t.some("res_partner", "length(comment) > 8000")
    if t.chance(0.2):
        t.write("res_partner", partner, comment=words.long_text(t.rng))
    else:
        t.write("res_partner", partner, ref=f"R{t.rng.randrange(100_000):05d}")


def change_trust(t: Transaction) -> None:
    """Change a value of one company; the default is not stored."""
    partner = t.some("res_partner", _CUSTOMER)
    if t.chance(0.3):
        t.write("res_partner", partner, trust=None)
    else:
        t.merge("res_partner", partner, "trust", {"1": t.rng.choice(("good", "bad"))})


def write_in_bulk(t: Transaction) -> None:
    """Give new numbers to as many partners as a mass edit takes."""
    batch = t.rng.randrange(1_000)
    t.run(
        "UPDATE res_partner SET ref = %s || id, write_date = %s"
        " WHERE id IN (SELECT id FROM res_partner WHERE id > 5 ORDER BY id LIMIT %s)",
        f"B{batch}-",
        t.now,
        t.bulk,
    )


def _follow(t: Transaction, company: int, name: str) -> None:
    for number, own in t.rows(
        "SELECT id, name FROM res_partner WHERE parent_id = %s ORDER BY id", company
    ):
        t.write("res_partner", number, complete_name=computes.complete_name(own, name))


def _references() -> list[tuple[str, str]]:
    """Return every column with a foreign key to partners."""
    return [
        (model.table, one.name)
        for model in models().values()
        for one in model.fields.values()
        if one.relation == "res.partner" and one.on_delete and model.name != "mail.followers"
    ]
