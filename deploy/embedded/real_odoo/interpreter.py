"""A Python with what a checkout of Odoo needs: the one that is named, or one made for it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from embedded import folders
from embedded.real_odoo.checkout import Checkout
from embedded.real_odoo.errors import CheckoutUnfit

VARIABLE: Final = "ODOO_PYTHON"
_UNNEEDED: Final = frozenset({"python-ldap"})  # it is built from source, with libraries of its own
_INSTEAD: Final = {"psycopg2": "psycopg2-binary"}
_EXTRA: Final = ("setuptools<70",)  # Odoo asks for pkg_resources
_NAME: Final = re.compile(r"^[A-Za-z0-9._-]+")


def find(checkout: Checkout) -> Path:
    """Return the interpreter; raise CheckoutUnfit where none can be had."""
    named = os.environ.get(VARIABLE)
    if named:
        if not os.access(named, os.X_OK):
            raise CheckoutUnfit(
                f"{named} cannot be run", hint=f"Let {VARIABLE} name an interpreter of Python."
            )
        return Path(named).absolute()
    wanted = list(requirements(checkout))
    version = ".".join(map(str, sys.version_info[:2]))
    name = f"odoo-python-{checkout.version}-{folders.key(version, *wanted)}"

    # A venv does not survive that it is moved: what is cached is a word that it is complete.
    place = folders.cache() / f"{name}.venv"

    def make(folder: Path) -> None:
        _make(place, wanted)
        (folder / "complete").touch()

    folders.cached(name, make)
    return place / "bin" / "python"


def requirements(checkout: Checkout) -> Iterator[str]:
    """Give the lines of requirements.txt as they are installed here."""
    text = (checkout.folder / "requirements.txt").read_text(encoding="utf-8")
    for line in text.splitlines():
        wanted = line.partition("#")[0].strip()
        found = _NAME.match(wanted)
        if found and found[0].lower() not in _UNNEEDED:
            yield _INSTEAD.get(found[0].lower(), found[0]) + wanted[found.end() :]
    yield from _EXTRA


def _make(folder: Path, wanted: list[str]) -> None:
    _run([sys.executable, "-I", "-m", "venv", "--clear", str(folder)], {})
    held = folder / "constraints.txt"
    held.write_text("\n".join(_EXTRA) + "\n", encoding="utf-8")
    # What is built from source asks for pkg_resources as well, in an environment of its own.
    constrained = {"PIP_CONSTRAINT": str(held), "PIP_BUILD_CONSTRAINT": str(held)}
    install = [str(folder / "bin" / "python"), "-I", "-m", "pip", "install", "--quiet", *wanted]
    _run(install, constrained)


def _run(command: list[str], more: dict[str, str]) -> None:
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, **more}
    )
    if done.returncode:
        said = "\n".join((done.stdout + done.stderr).splitlines()[-25:])
        raise CheckoutUnfit(
            f"what Odoo needs cannot be installed:\n{said}",
            hint=f"Let {VARIABLE} name an interpreter that has it.",
        )
