"""A stand-in for Odoo's RPC over the Odoo-shaped database: Odoo itself is in no registry.

It answers `/jsonrpc` as Odoo 18 does, in what a client needs that reads and writes partners,
products, sale and purchase orders: external ids, `load`, x2many commands, translations, states,
error classes, one transaction a call. What it does not do it refuses, it never pretends. It is no
Odoo: no views, no stock, no accounting, no rules of access beyond "may write" and "may read".
"""

from __future__ import annotations

from embedded.odoo_rpc.service import OdooRpc

__all__ = ["OdooRpc"]
