"""Capture of a small database that somebody works in: what most of its tests begin with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from embedded.kafka import Kafka
    from tests.programs import Programs
    from tests.sources import Source


@pytest.fixture
def installed(
    own_odoo: Source, kafka: Kafka, kafka_prefix: str, tmp_path: Path
) -> Iterator[Programs]:
    """Programs of a source that is loaded and published."""
    from tests.capturing import programs_of  # noqa: PLC0415 - unit tests load nothing of it

    with programs_of(tmp_path, own_odoo, kafka_prefix, kafka) as made:
        made.run("setup")
        made.caught_up()
        yield made
