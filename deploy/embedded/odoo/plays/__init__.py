"""What people and crons do in an Odoo: each play is one transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from embedded.odoo.plays import noise, partners, products, sales
from embedded.odoo.transaction import Transaction


class Play(NamedTuple):
    """What is done, and how often beside the others."""

    weight: float
    act: Callable[[Transaction], None]


PLAYS: Final[Mapping[str, Play]] = {
    "quotation": Play(12, sales.quote),
    "quotation sent": Play(3, sales.send),
    "sale": Play(9, sales.confirm),
    "line changed": Play(12, sales.change_line),
    "line added": Play(3, sales.add_line),
    "line removed": Play(2, sales.remove_line),
    "customer changed": Play(2, sales.change_customer),
    "order tags changed": Play(3, sales.change_tags),
    "order locked": Play(2, sales.lock),
    "order cancelled": Play(4, sales.cancel),
    "order unlinked": Play(2, sales.unlink),
    "product created": Play(4, products.create),
    "price changed": Play(9, products.change_price),
    "cost changed": Play(3, products.change_cost),
    "translation changed": Play(4, products.translate),
    "taxes changed": Play(2, products.change_taxes),
    "product archived": Play(3, products.archive),
    "product unlinked": Play(1, products.unlink),
    "prices written in bulk": Play(0.3, products.write_in_bulk),
    "partner created": Play(5, partners.create),
    "partner renamed": Play(5, partners.rename),
    "partner merged": Play(1, partners.merge),
    "partner tags changed": Play(4, partners.change_tags),
    "partner archived": Play(2, partners.archive),
    "partner unlinked": Play(1, partners.unlink),
    "long text kept": Play(3, partners.keep_long_text),
    "company value changed": Play(2, partners.change_trust),
    "nothing changed": Play(5, noise.write_nothing),
    "partners written in bulk": Play(0.3, partners.write_in_bulk),
    "mail": Play(8, noise.mail),
    "image changed": Play(2, noise.change_image),
    "everything touched": Play(0.3, noise.touch_everything),
    "rolled back": Play(3, noise.fail),
}
