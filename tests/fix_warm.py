"""Commands that are there at once: see `tests.warm`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.warm import Warm


@pytest.fixture(scope="session")
def warm() -> Iterator[Warm]:
    """The process that commands are forked from."""
    from tests.warm import Warm  # noqa: PLC0415 - unit tests load nothing of it

    with Warm() as process:
        yield process
