"""What happens in an Odoo and means nothing to anybody else."""

from __future__ import annotations

import hashlib
from typing import Final

from embedded.odoo.plays import sales
from embedded.odoo.transaction import Transaction

_SIZES: Final = (1920, 1024, 512, 256, 128)


class Refused(Exception):
    """A user error: Odoo rolls back."""


def write_nothing(t: Transaction) -> None:
    """Write values that are there already."""
    match t.rng.randrange(3):
        case 0:
            t.write("res_partner", t.some("res_partner"))
        case 1:
            t.write("product_template", t.some("product_template"))
        case _:
            t.write("sale_order", t.some("sale_order"))


def mail(t: Transaction) -> None:
    """Write about an order."""
    order = t.some("sale_order")
    for _ in range(t.rng.randint(1, 3)):
        t.post("sale.order", order, f"Call {t.rng.randrange(1_000)}")


def change_image(t: Transaction) -> None:
    """Give a product another image: five attachments, the row itself is only touched."""
    template = t.some("product_template")
    t.run(
        "DELETE FROM ir_attachment WHERE res_model = 'product.template' AND res_id = %s", template
    )
    for size in _SIZES:
        checksum = hashlib.sha1(t.rng.randbytes(8), usedforsecurity=False).hexdigest()
        t.create(
            "ir_attachment",
            name=f"image_{size}",
            res_model="product.template",
            res_field=f"image_{size}",
            res_id=template,
            type="binary",
            store_fname=f"{checksum[:2]}/{checksum}",
            checksum=checksum,
            mimetype="image/png",
            file_size=size * 10,
        )
    t.write("product_template", template)


def touch_everything(t: Transaction) -> None:
    """Write all products as a cron does that changes none."""
    t.run("UPDATE product_template SET write_uid = 1, write_date = %s", t.now)


def fail(t: Transaction) -> None:
    """Sell something, and take everything back but the ids."""
    sales.quote(t)
    raise Refused
