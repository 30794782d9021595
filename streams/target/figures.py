"""What the target service counts and measures."""

from __future__ import annotations

from typing import Final

from streams.metrics import Catalogue

FIGURES: Final = Catalogue(
    "odoo_cdc_target_",
    {
        "answers": ("answer", "answers to deliveries: delivered, stale, or a code"),
        "reloads": ("result", "files taken or refused while it ran"),
        "refused": ("http_status", "requests turned away unread"),
        "odoo_calls": ("outcome", "calls to Odoo, each a transaction there"),
    },
    {
        "delivery": "seconds from the arrival of a delivery to its answer",
        "odoo": "seconds of one call to Odoo",
    },
)
