"""A webshop that takes deliveries as any target should: once each, the newest wins."""

from __future__ import annotations
