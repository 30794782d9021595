"""Every `fix_*.py` beside this file is a plugin: services, an Odoo-shaped database, stand-ins."""

from __future__ import annotations

import signal
from pathlib import Path

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell's background job ignores it, and so would every program that the tests start.
    signal.signal(signal.SIGINT, signal.default_int_handler)

pytest_plugins = [f"tests.{path.stem}" for path in sorted(Path(__file__).parent.glob("fix_*.py"))]
