"""How property tests run: on a busy machine too, and with more examples when asked.

`pytest --hypothesis-profile=deep` runs 5,000 examples of each.
"""

from __future__ import annotations

from hypothesis import HealthCheck, settings

_BUSY = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}

settings.register_profile("normal", max_examples=100, print_blob=True, **_BUSY)
settings.register_profile("deep", max_examples=5_000, print_blob=True, **_BUSY)
settings.load_profile("normal")
