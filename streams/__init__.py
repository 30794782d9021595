"""Turns events into deliveries and deliveries into acknowledgements."""

from __future__ import annotations
