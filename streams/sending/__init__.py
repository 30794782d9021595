"""Calls to WSO2: what may go (`permits`), which chains have one (`in_flight`), and `calls`.

`holds` is where whatever sends or reads asks whether something may go, and why not. Who holds
something back: the `gate` (all of WSO2), `breakers` or `windows` (a target), `pauses` (whatever an
operator names), `odoo` only what wants its values; `breaker` is one target's, `trials` is when
what failed is tried again.

No network here: the sender is a port.
"""

from __future__ import annotations
