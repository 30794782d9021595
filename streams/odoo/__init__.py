"""Odoo over RPC, for values that no column holds; the only room that imports its client.

`client` makes the calls and blocks, `reader` keeps them off the event loop, `checks` is what
`check` asks.
"""

from __future__ import annotations
