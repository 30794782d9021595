"""What keeps a checkout of Odoo from being run.

EmbeddedError
├── CheckoutUnfit    ODOO_SRC names no Odoo that this can run
└── NotInitialised   the checkout's Odoo does not make its database
"""

from __future__ import annotations

from embedded.errors import EmbeddedError


class CheckoutUnfit(EmbeddedError):
    """ODOO_SRC names no Odoo that can be run here."""

    hint = "Let ODOO_SRC name a folder with `odoo-bin` of Odoo 16, 17 or 18, or leave it unset."


class NotInitialised(EmbeddedError):
    """The Odoo of ODOO_SRC did not make its database."""

    hint = (
        "The end of its log stands above. Where a module of Python is missing, let ODOO_PYTHON "
        "name an interpreter that has what the checkout's requirements.txt asks for."
    )
