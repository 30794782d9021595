"""Moves the wall clock of a program that a test starts: the seconds stand in a file."""

from __future__ import annotations

import os
import time
from pathlib import Path

_real = time.time
_file = Path(os.environ["ODOO_CDC_TEST_CLOCK"])


def _moved() -> float:
    return _real() + float(_file.read_text(encoding="ascii"))


time.time = _moved
