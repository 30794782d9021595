"""A branch of its own for every test, in one Odoo for all."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.odoo_client import Odoo
from tests.target_rig import Branch, settings_of, target_yaml


@pytest.fixture
def branch(odoo_rpc: Odoo, module: str, tmp_path: Path) -> Branch:
    return Branch(settings_of(tmp_path, target_yaml(odoo_rpc)), module)
