"""Every `fix_*.py` beside this file is a plugin: services, an Odoo-shaped database, stand-ins."""

from __future__ import annotations

from pathlib import Path

pytest_plugins = [f"tests.{path.stem}" for path in sorted(Path(__file__).parent.glob("fix_*.py"))]
