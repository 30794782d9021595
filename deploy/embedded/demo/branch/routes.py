"""What the branch gets: the routes of sync.yaml that lead there."""

from __future__ import annotations

from typing import Final

BRANCH: Final = "branch"
"""The target's name."""

MODELS: Final = ("product.attribute", "product.attribute.value", "product.product")
"""What is captured for it alone."""

CATEGORY: Final = "Office"
"""The products that it carries: a third of all, as many as a stand-in writes in a minute."""

# A sale is bought when it is confirmed, and no more once it is cancelled: it leaves the domain.
# The vendor is the company that sold, the first partner; customers go along, to be delivered to.
ROUTES: Final = f"""\
  - name: branch-attributes
    model: product.attribute
    targets: [{BRANCH}]
    map: {{name: name, create_variant: create_variant}}
  - name: branch-values
    model: product.attribute.value
    targets: [{BRANCH}]
    map: {{name: name, attribute_id: {{ref: attribute_id}}}}
  - name: branch-products
    model: product.template
    domain: [["categ_id.name", "=", "{CATEGORY}"]]
    targets: [{BRANCH}]
    map:
      name: {{path: name, lang: "*"}}
      list_price: list_price
      default_code: default_code
      sale_ok: sale_ok
      active: active
      attribute_line_ids:
        each: attribute_line_ids
        map: {{key: key, attribute_id: {{ref: attribute_id}}, value_ids: {{ref: value_ids}}}}
  - name: branch-variants
    model: product.product
    domain: [["product_tmpl_id.categ_id.name", "=", "{CATEGORY}"]]
    targets: [{BRANCH}]
    map:
      default_code: default_code
      product_tmpl_id: {{ref: product_tmpl_id}}
      product_template_attribute_value_ids.product_attribute_value_id:
        {{ref: product_template_attribute_value_ids.product_attribute_value_id}}
  - name: branch-partners
    model: res.partner
    domain:
      - "|"
      - ["id", "=", 1]
      - - sale_order_ids
        - any
        - [["state", "=", "sale"], ["order_line.product_id.categ_id.name", "=", "{CATEGORY}"]]
    targets: [{BRANCH}]
    map:
      name: name
      email: email
      ref: ref
      is_company: is_company
      active: active
      country_id: {{ref: country_id}}
  - name: branch-purchases
    model: sale.order
    domain: [["state", "=", "sale"], ["order_line.product_id.categ_id.name", "=", "{CATEGORY}"]]
    targets: [{BRANCH}]
    target_model: purchase.order
    map:
      state: {{path: state, table: {{sale: purchase}}}}
      partner_ref: name
      partner_id: {{ref: company_id.partner_id}}
      dest_address_id: {{ref: partner_shipping_id}}
      date_order: date_order
      order_line:
        each: order_line
        domain: [["product_id.categ_id.name", "=", "{CATEGORY}"]]
        map:
          key: key
          name: name
          product_id: {{ref: product_id}}
          product_qty: product_uom_qty
          price_unit: price_unit
"""
