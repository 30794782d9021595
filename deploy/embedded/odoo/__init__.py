"""An Odoo-shaped database of our own: tables, rows that describe them, data, and a user."""

from __future__ import annotations

from embedded.odoo.database import create
from embedded.odoo.rows import DEMO, OPENED, SMALL, Size

__all__ = ["DEMO", "OPENED", "SMALL", "Size", "create"]
