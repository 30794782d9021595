"""A worker's core without Kafka, and an operator who asks it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.core_rig import Rig
from tests.operator_rig import Operator


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    """Give a worker's core that has begun; nothing fatal may have happened in the end."""
    made = Rig(tmp_path)
    await made.begin()
    yield made
    await made.end()
    assert not made.fatal


@pytest.fixture
def operator(rig: Rig) -> Operator:
    """Give somebody who asks that core."""
    return Operator(rig)
