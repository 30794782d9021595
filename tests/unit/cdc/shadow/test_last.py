from __future__ import annotations

from pathlib import Path

from cdc.engine.keys import row_key
from cdc.shadow.store import Shadow


def test_the_last_id_of_a_table_is_known_whatever_stands_beside_it(tmp_path: Path) -> None:
    with Shadow(tmp_path) as shadow:
        assert shadow.last(1) == -1
        for table, row in ((1, 3), (1, 300), (2, 9), (4, 1)):
            shadow.put(row_key(table, row), b"row")

        assert [shadow.last(table) for table in range(6)] == [-1, 300, 9, -1, 1, -1]
