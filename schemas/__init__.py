"""The language that cdc and streams share: meaning, no services."""

from __future__ import annotations
