"""The wheel holds all that an installation needs, and nothing that tests need."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    (file,) = folder.glob("*.whl")
    with zipfile.ZipFile(file) as archive:
        return archive.namelist()


def test_the_wheel_holds_every_file_of_the_packages(wheel: list[str]) -> None:
    for package, folder in (
        ("cdc", ROOT / "cdc"),
        ("streams", ROOT / "streams"),
        ("schemas", ROOT / "schemas"),
        ("embedded", ROOT / "deploy" / "embedded"),
    ):
        files = {
            f"{package}/{path.relative_to(folder).as_posix()}"
            for path in folder.rglob("*")
            if path.is_file() and "__pycache__" not in path.parts
        }
        assert files <= set(wheel), f"missing: {sorted(files - set(wheel))}"


def test_the_wheel_holds_the_artifacts_that_wso2_generate_writes(wheel: list[str]) -> None:
    artifacts = ROOT / "deploy" / "wso2"

    for path in artifacts.rglob("*.xml"):
        assert f"streams/flow/static/{path.relative_to(artifacts).as_posix()}" in wheel


def test_the_wheel_holds_no_tests_and_no_leftovers(wheel: list[str]) -> None:
    tops = {name.split("/")[0] for name in wheel}

    assert {top for top in tops if not top.endswith(".dist-info")} == {
        "cdc",
        "embedded",
        "schemas",
        "streams",
    }
    assert not [name for name in wheel if name.endswith(".pyc")]
