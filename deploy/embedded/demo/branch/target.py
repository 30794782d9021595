"""The target.yaml of the branch's service."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from embedded.demo.branch.odoo import USER, Odoo

FILE: Final = "target.yaml"

_TEXT: Final = """\
# Written by `odoo-cdc demo`.
odoo: {{url: "{url}", database: {database}, user: {user}, api_key: "{key}"}}
listen: {listen}
state: ./target
models:
  product.attribute: {{fields: [name, create_variant], match: [name]}}
  product.attribute.value: {{fields: [name, attribute_id], match: [[name, attribute_id]]}}
  product.template:
    fields: [name, list_price, default_code, sale_ok, active, attribute_line_ids]
    match: [default_code]
    defaults: {{type: consu}}
    on_leave: archive
    on_delete: archive
  product.template.attribute.line: {{fields: [attribute_id, value_ids]}}
  product.product:                     # Odoo makes them of a template's attributes
    fields: [default_code, product_tmpl_id]
    create: false
    match:
      - [product_tmpl_id, product_template_attribute_value_ids.product_attribute_value_id]
      - [product_tmpl_id]
  res.partner:
    fields: [name, email, ref, is_company, active, country_id]
    on_leave: archive
    on_delete: unlink
    refused: archive                   # a purchase order still needs it
  purchase.order:
    fields: [partner_id, partner_ref, dest_address_id, date_order, order_line]
    on_leave: cancel
    on_delete: cancel
    actions: {{state: {{purchase: button_confirm, cancel: button_cancel, draft: button_draft}}}}
  purchase.order.line:
    fields: [name, product_id, product_qty, price_unit]
    emptied: {{product_qty: 0}}
"""


def write(folder: Path, branch: Odoo, listen: str) -> Path:
    """Write target.yaml into a folder, for a service that listens at HOST:PORT."""
    path = folder / FILE
    path.touch(mode=0o600)  # it holds a key
    text = _TEXT.format(
        url=branch.url, database=branch.database, user=USER, key=branch.keys[USER], listen=listen
    )
    path.write_text(text, encoding="utf-8")
    return path
