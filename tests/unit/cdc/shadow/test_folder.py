"""Who has the shadow's folder."""

from __future__ import annotations

import shutil
from contextlib import closing
from pathlib import Path

from cdc.shadow.folder import Lock


def test_one_has_it_until_it_lets_go(tmp_path: Path) -> None:
    with closing(Lock(tmp_path / "capture")) as first, closing(Lock(first.folder)) as second:
        assert first.take()
        assert first.take(), "twice is fine"
        assert not second.take()

        first.close()

        assert second.take()


def test_law_1_a_folder_that_was_removed_and_made_again_has_one_owner(tmp_path: Path) -> None:
    folder = tmp_path / "capture"
    with (
        closing(Lock(folder)) as first,
        closing(Lock(folder)) as waiting,
        closing(Lock(folder)) as later,
    ):
        assert first.take()
        assert not waiting.take()
        shutil.rmtree(folder)
        assert later.take()
        first.close()

        assert not waiting.take(), "what it waited for is gone, another has what is there"
