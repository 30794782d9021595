"""People's questions, answered from the topics: no group, no worker, no cache.

`lookup` reads; `overview` counts and lists deliveries, `journey` tells one's way; `status` is
what `odoo-cdc status` shows; `prose` writes times and tables.
"""

from __future__ import annotations
