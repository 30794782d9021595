from __future__ import annotations

import os
from pathlib import Path

import pytest

from embedded.users import User

STRANGER = User(64_001, 64_001)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "folder"
    found.mkdir()
    return found


def owner(path: Path) -> User:
    found = path.stat()
    return User(found.st_uid, found.st_gid)


@pytest.mark.parametrize(
    ("mode", "reached"),
    [
        pytest.param(0o700, True, id="read and pass"),
        pytest.param(0o500, True, id="unwritable"),
        pytest.param(0o600, False, id="not to be passed"),
        pytest.param(0o077, False, id="open to all but its owner"),
    ],
)
def test_the_owners_bits_count_for_the_owner(folder: Path, *, mode: int, reached: bool) -> None:
    folder.chmod(mode)

    assert owner(folder).reaches(folder) is reached
    folder.chmod(0o700)


def test_a_folder_on_the_way_keeps_strangers_out(tmp_path: Path, folder: Path) -> None:
    folder.chmod(0o755)
    tmp_path.chmod(0o700)

    assert not STRANGER.reaches(folder)
    assert not STRANGER.gets_to(folder)
    assert owner(tmp_path).gets_to(folder)


def test_the_root_of_all_folders_is_reached_by_strangers() -> None:
    assert STRANGER.reaches(Path("/"))
    assert STRANGER.gets_to(Path("/anything"))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_folder_is_given_away_with_all_that_is_in_it(folder: Path) -> None:
    (folder / "file").touch()
    (folder / "link").symlink_to("/etc/passwd")

    STRANGER.owns(folder)

    assert {path.lstat().st_uid for path in [folder, *folder.iterdir()]} == {STRANGER.uid}
    assert Path("/etc/passwd").stat().st_uid == 0
