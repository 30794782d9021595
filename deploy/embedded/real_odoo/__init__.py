"""A real Odoo 16, 17 or 18, where there is a checkout of one: `ODOO_SRC` names its folder.

`checkout` says what it is, `interpreter` finds a Python that can run it, `template` initialises a
database once and keeps it, `service` runs an Odoo on a copy of that.
"""

from __future__ import annotations

from embedded.real_odoo.checkout import Checkout
from embedded.real_odoo.service import RealOdoo
from embedded.real_odoo.template import prepare, start_postgres

__all__ = ["Checkout", "RealOdoo", "prepare", "start_postgres"]
