from __future__ import annotations

from pathlib import Path

import pytest

from embedded import installations
from embedded.errors import NotInstalled
from embedded.installations import Installation


def made(folder: Path, version: str, *extensions: str) -> Installation:
    share = folder / version / "share"
    (share / "extension").mkdir(parents=True)
    for extension in extensions:
        (share / "extension" / f"{extension}.control").touch()
    return Installation(folder / version / "bin", version, share)


@pytest.fixture(autouse=True)
def three(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = (
        made(tmp_path, "16.14", "plpgsql"),
        made(tmp_path, "18.4", "plpgsql"),
        made(tmp_path, "17.10", "plpgsql", "pg_trgm"),
    )
    monkeypatch.setattr(installations, "installed", lambda: found)


@pytest.mark.parametrize(
    ("version", "extension", "found"),
    [
        pytest.param(None, None, "16.14", id="the preferred"),
        pytest.param(18, None, "18.4", id="by version"),
        pytest.param(None, "pg_trgm", "17.10", id="by extension"),
        pytest.param(17, "pg_trgm", "17.10", id="by both"),
    ],
)
def test_the_first_that_fits_is_chosen(
    version: int | None, extension: str | None, found: str
) -> None:
    assert installations.find(version, extension).version == found


def test_what_is_not_there_is_named_beside_what_is() -> None:
    expected = r"no Postgres 16 with pg_trgm is installed \(found: 16\.14, 18\.4, 17\.10\)"
    with pytest.raises(NotInstalled, match=expected) as raised:
        installations.find(16, "pg_trgm")
    assert "odoo-cdc[embedded]" in raised.value.hint


def test_a_copy_takes_the_libraries_beside_a_wheels_package(tmp_path: Path) -> None:
    wheel = tmp_path / "site" / "pgserver"
    for file in ("pginstall/bin/postgres", "pginstall/share/a.sql", "pginstall/include/a.h"):
        (wheel / file).parent.mkdir(parents=True)
        (wheel / file).touch()
    (tmp_path / "site" / "pgserver.libs").mkdir()
    (tmp_path / "site" / "pgserver.libs" / "libpq.so").touch()
    installation = Installation(wheel / "pginstall/bin", "16.14", wheel / "pginstall/share")
    copy = tmp_path / "copy"

    installation.copy(copy)

    files = {str(path.relative_to(copy)) for path in copy.rglob("*") if path.is_file()}
    assert files == {
        "pgserver/pginstall/bin/postgres",
        "pgserver/pginstall/share/a.sql",
        "pgserver.libs/libpq.so",
    }
    assert installation.within(copy) == copy / "pgserver/pginstall/bin"
