from __future__ import annotations

from pathlib import Path

import pytest

from embedded import folders


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "odoo-cdc"


def write(folder: Path) -> None:
    (folder / "made").write_text("once", encoding="ascii")


def fail(folder: Path) -> None:
    write(folder)
    raise OSError("disk full")


def test_a_cached_folder_is_made_once(cache: Path) -> None:
    folder = folders.cached("thing", write)

    assert folder == cache / "thing"
    assert folders.cached("thing", fail) == folder
    assert (folder / "made").read_text(encoding="ascii") == "once"


def test_a_folder_that_cannot_be_made_leaves_nothing(cache: Path) -> None:
    with pytest.raises(OSError, match="disk full"):
        folders.cached("thing", fail)

    assert [path.name for path in cache.iterdir()] == ["thing.lock"]


def test_keys_differ_with_every_part_and_its_bounds() -> None:
    assert len({folders.key("ab", "c"), folders.key("a", "bc"), folders.key("abc")}) == 3


def test_a_user_without_a_home_gets_a_private_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "nonexistent"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    folder = folders.cache()

    assert folder.parent == tmp_path
    assert folder.stat().st_mode & 0o777 == 0o700


def test_data_folders_are_the_users_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    one, other = folders.data("kafka"), folders.data("kafka")

    assert one != other
    assert one.stat().st_mode & 0o777 == 0o700
