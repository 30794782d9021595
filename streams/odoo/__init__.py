"""Odoo over RPC; the only room that imports its client.

`client` makes the calls that read values which no column holds, and blocks; `reader` keeps them
off the event loop, `checks` is what `check` asks. `port` is how the target service asks.
"""

from __future__ import annotations
