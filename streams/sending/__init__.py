"""Calls to WSO2: whether any may go (`gate`), which chains have one (`in_flight`), and `calls`.

No network here: the sender is a port.
"""

from __future__ import annotations
