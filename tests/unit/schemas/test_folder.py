from __future__ import annotations

import errno
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from cdc.shadow.store import Shadow
from schemas import folder
from schemas.finding import Finding
from streams.cache.folder import StateFolder
from streams.target.applied import Memory

MOUNTS = [
    "/dev/sda1 / ext4 rw 0 0",
    "nas:/export /srv/state nfs4 rw 0 0",
    r"tmpfs /srv/two\040words tmpfs rw 0 0",
]


def looked_at(state: Path) -> list[Finding]:
    return list(folder.findings(state, folder.look(state)))


def test_a_folder_that_can_be_made_is_good(tmp_path: Path) -> None:
    assert looked_at(tmp_path / "not" / "there" / "yet") == []


def test_a_file_in_its_place_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("", encoding="utf-8")

    (found,) = looked_at(tmp_path / "state")

    assert (found.level, found.where) == ("error", "state")
    assert "is no folder" in found.message
    assert found.remedy


def test_a_folder_of_somebody_else_is_an_error(tmp_path: Path) -> None:
    place = replace(folder.look(tmp_path), writable=False)

    (found,) = folder.findings(tmp_path, place)

    assert "may not be written to" in found.message


def test_a_network_file_system_is_an_error(tmp_path: Path) -> None:
    place = replace(folder.look(tmp_path), file_system="nfs")

    (found,) = folder.findings(tmp_path / "state", place)

    assert "(nfs)" in found.message


@pytest.mark.parametrize(
    ("place", "kind"),
    [
        ("/var/lib", "ext4"),
        ("/srv/state/capture", "nfs4"),
        ("/srv/stately", "ext4"),
        ("/srv/two words/x", "tmpfs"),
    ],
    ids=["below the root", "below a mount", "beside a mount", "a name with a blank"],
)
def test_the_nearest_mount_decides(place: str, kind: str) -> None:
    assert folder.file_system(Path(place), MOUNTS) == kind


@pytest.mark.parametrize("opened", [Shadow, StateFolder, Memory])
def test_a_program_says_that_it_cannot_keep_its_state_there(
    opened: Callable[[Path], object], tmp_path: Path
) -> None:
    (tmp_path / "state").write_text("", encoding="utf-8")

    with pytest.raises(folder.StateUnusable, match=r"state/x cannot be made: Not a directory"):
        opened(tmp_path / "state" / "x")


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS])
def test_a_folder_that_may_not_be_made_is_no_fault_of_ours(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "mkdir", refuse)

    with pytest.raises(folder.StateUnusable, match="cannot be made") as caught:
        folder.made(tmp_path / "state")

    assert caught.value.exit_code == 2
    assert "ReadWritePaths" in caught.value.hint


def test_a_full_disk_is_another_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "mkdir", refuse)

    with pytest.raises(OSError, match="No space"):
        folder.made(tmp_path / "state")


def test_a_folder_that_is_there_and_may_not_be_written_to_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nowhere(*_: object) -> bool:
        return False

    monkeypatch.setattr(os, "access", nowhere)

    with pytest.raises(folder.StateUnusable, match="may not be written to"):
        folder.made(tmp_path)
