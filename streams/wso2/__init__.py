"""WSO2: `sender` hands deliveries over, `credentials` says who we are, `checks` asks it."""

from __future__ import annotations
