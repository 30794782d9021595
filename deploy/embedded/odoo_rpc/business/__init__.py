"""What single models fill in, compute and refuse."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from embedded.odoo_rpc.business.attributes import (
    Attribute,
    AttributeLine,
    AttributeValue,
    TemplateValue,
)
from embedded.odoo_rpc.business.base import ModelData, Users
from embedded.odoo_rpc.business.partners import Partner, PartnerCategory
from embedded.odoo_rpc.business.products import ProductCategory, ProductTemplate, ProductVariant
from embedded.odoo_rpc.business.purchases import PurchaseLine, PurchaseOrder
from embedded.odoo_rpc.business.sales import SaleCancel, SaleLine, SaleOrder
from embedded.odoo_rpc.model import Model

BUSINESS: Final[Mapping[str, type[Model]]] = {
    "ir.model.data": ModelData,
    "res.users": Users,
    "res.partner": Partner,
    "res.partner.category": PartnerCategory,
    "product.category": ProductCategory,
    "product.template": ProductTemplate,
    "product.product": ProductVariant,
    "product.attribute": Attribute,
    "product.attribute.value": AttributeValue,
    "product.template.attribute.line": AttributeLine,
    "product.template.attribute.value": TemplateValue,
    "sale.order": SaleOrder,
    "sale.order.line": SaleLine,
    "sale.order.cancel": SaleCancel,
    "purchase.order": PurchaseOrder,
    "purchase.order.line": PurchaseLine,
}
