"""Values of `${file:...}` while a program runs: files that are rotated under it."""

from __future__ import annotations

import logging
import secrets
from pathlib import Path

import pytest

from schemas.config import load
from schemas.from_files import current
from schemas.masking import hide

TEXT = """\
source: {name: odoo_a, dsn: "postgresql://u:${file:run/secret}@db/odoo"}
kafka: {bootstrap.servers: "a:1", sasl.password: "${file:run/secret}"}
wso2: {url: "http://w", auth: {bearer: "${file:run/secret}"}}
acks: {token: '${file:run/secret}'}
targets: {webshop: {url: "http://shop"}}
routes: [{name: a, model: m, targets: [webshop], fields: [name]}]
"""


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """Mount a secret as Kubernetes does: the file is a link into a folder that is a link."""
    mount(tmp_path / "run", "first-value")
    return tmp_path / "run" / "secret"


def mount(folder: Path, text: str) -> None:
    folder.mkdir(exist_ok=True)
    version = folder / f"..{secrets.token_hex(4)}"
    version.mkdir()
    (version / "secret").write_text(text + "\n", encoding="utf-8")
    data, fresh = folder / "..data", folder / "..data_tmp"
    fresh.symlink_to(version.name)
    fresh.rename(data)  # at once, for all files of the mount
    if not (folder / "secret").is_symlink():
        (folder / "secret").symlink_to("..data/secret")


def values(path: Path) -> list[str]:
    (path / "sync.yaml").write_text(TEXT, encoding="utf-8")
    config = load(path / "sync.yaml", {})
    return [
        config.source.dsn,
        config.kafka["sasl.password"],
        config.wso2.auth["bearer"],
        config.acks.token,
    ]


def test_what_a_mounted_secret_says_is_read_again_when_the_mount_is_swapped(
    secret: Path, tmp_path: Path
) -> None:
    found = values(tmp_path)
    mount(secret.parent, "second-value")

    assert [current(each, at_once=True) for each in found] == [
        "postgresql://u:second-value@db/odoo",
        *["second-value"] * 3,
    ]
    assert found[-1] == "first-value"  # what was read stays what it was


def test_files_are_looked_at_now_and_then_and_not_at_every_use(
    secret: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [100.0]
    monkeypatch.setattr("schemas.from_files.time.monotonic", lambda: clock[0])
    token = values(tmp_path)[-1]
    secret.write_text("second-value", encoding="utf-8")

    assert current(token) == "first-value"
    clock[0] += 1.0
    assert current(token) == "second-value"


@pytest.mark.parametrize("gone", ["empty", "missing", "no text"])
def test_law_10_a_file_that_is_gone_changes_nothing_and_is_said_once(
    secret: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, gone: str
) -> None:
    token = values(tmp_path)[-1]
    match gone:
        case "empty":
            secret.write_text("\n", encoding="utf-8")
        case "missing":
            secret.unlink()
        case _:
            secret.write_bytes(b"\xff")

    with caplog.at_level(logging.WARNING):
        assert [current(token, at_once=True) for _ in range(3)] == ["first-value"] * 3

    (line,) = caplog.records
    assert "acks.token" in line.getMessage()


def test_a_rotated_secret_is_hidden_and_so_is_the_one_before(secret: Path, tmp_path: Path) -> None:
    token = values(tmp_path)[-1]
    mount(secret.parent, "second-value")
    current(token, at_once=True)

    assert hide("old first-value, new second-value") == "old ***, new ***"
