"""WSO2: `sender` hands deliveries over, `credentials` says who we are.

`checks` is what `odoo-cdc check` asks it, `artifacts` what it runs.
"""

from __future__ import annotations
