"""A folder is told for what it is, and what cannot be run is refused with a remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from embedded.real_odoo.checkout import Checkout
from embedded.real_odoo.errors import CheckoutUnfit
from embedded.real_odoo.interpreter import find, requirements

MODULES = ("odoo/addons/base", "addons/sale_management", "addons/purchase")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "odoo").mkdir()
    (tmp_path / "odoo-bin").touch()
    (tmp_path / "odoo" / "release.py").write_text("version_info = (17, 0, 0, FINAL, 0, '')\n")
    for module in MODULES:
        (tmp_path / module).mkdir(parents=True)
        (tmp_path / module / "__manifest__.py").write_text("{}")
    (tmp_path / "requirements.txt").write_text(
        "# what it needs\nBabel==2.9.1 ; python_version < '3.11'\npsycopg2==2.9.9\n"
        "python-ldap==3.4.0 ; sys_platform != 'win32'  # no\n\nlxml==4.9.3\n"
    )
    return tmp_path


def test_a_checkout_has_a_version(folder: Path) -> None:
    assert Checkout.at(folder).version == "17.0"


def test_another_state_of_a_checkout_has_another_key(folder: Path) -> None:
    before = Checkout.at(folder).key
    (folder / MODULES[1] / "__manifest__.py").write_text("{'version': '2'}")

    assert Checkout.at(folder).key != before


def test_another_commit_has_another_key(folder: Path) -> None:
    git = folder / ".git" / "refs" / "heads"
    git.mkdir(parents=True)
    (folder / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
    keys = set()

    for commit in ("a", "b"):
        (git / "main").write_text(commit)
        keys.add(Checkout.at(folder).key)

    assert len(keys) == 2


@pytest.mark.parametrize("missing", ["odoo-bin", "addons/purchase/__manifest__.py"])
def test_a_folder_that_lacks_something_is_refused(folder: Path, missing: str) -> None:
    (folder / missing).unlink()

    with pytest.raises(CheckoutUnfit) as caught:
        Checkout.at(folder)

    assert "ODOO_SRC" in caught.value.hint


def test_another_version_is_refused(folder: Path) -> None:
    (folder / "odoo" / "release.py").write_text("version_info = (15, 0, 0, FINAL, 0, '')\n")

    with pytest.raises(CheckoutUnfit, match=r"15\.0"):
        Checkout.at(folder)


def test_requirements_are_those_that_can_be_installed(folder: Path) -> None:
    assert list(requirements(Checkout.at(folder))) == [
        "Babel==2.9.1 ; python_version < '3.11'",
        "psycopg2-binary==2.9.9",
        "lxml==4.9.3",
        "setuptools<70",
    ]


def test_an_interpreter_that_is_not_there_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ODOO_PYTHON", str(folder / "nothing"))

    with pytest.raises(CheckoutUnfit) as caught:
        find(Checkout.at(folder))

    assert "ODOO_PYTHON" in caught.value.hint
