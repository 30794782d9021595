"""Pages of a mapped file are given back, and read again as they were."""

from __future__ import annotations

import mmap
from pathlib import Path

import pytest

from cdc.shadow import mapped
from cdc.shadow.mapped import Mapped

SIZE = 32 * 1024 * 1024

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/statm").exists(), reason="only Linux tells of mappings"
)


def test_law_9_pages_that_were_looked_at_are_let_go_above_the_limit(tmp_path: Path) -> None:
    file = tmp_path / "data.mdb"
    file.write_bytes(b"x" * SIZE)
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, prot=mmap.PROT_READ) as view:
        assert view.find(b"y") == -1
        held = mapped.resident()

        Mapped(file, limit=1 << 40).trim()
        assert mapped.resident() >= held - 64

        Mapped(file, limit=0).trim()
        assert mapped.resident() < held - SIZE // mmap.PAGESIZE // 2
        assert view.find(b"y") == -1
        assert view[:3] == b"xxx"


def test_other_files_keep_their_pages(tmp_path: Path) -> None:
    file = tmp_path / "other.mdb"
    file.write_bytes(b"x" * SIZE)
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, prot=mmap.PROT_READ) as view:
        assert view.find(b"y") == -1
        held = mapped.resident()

        Mapped(tmp_path / "data.mdb", limit=0).trim()

        assert mapped.resident() > held - SIZE // mmap.PAGESIZE // 2
