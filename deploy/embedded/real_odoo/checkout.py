"""A folder with an Odoo in it: which version it is, and what tells it from others."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final, NamedTuple

from embedded import folders
from embedded.real_odoo.errors import CheckoutUnfit

VARIABLE: Final = "ODOO_SRC"
KNOWN: Final = (16, 17, 18)
_VERSION: Final = re.compile(r"^version_info\s*=\s*\(\s*(\d+)\s*,\s*(\d+)", re.MULTILINE)
_MODULES: Final = ("odoo/addons/base", "addons/sale_management", "addons/purchase")


class Checkout(NamedTuple):
    """A checkout of a known version; `key` changes when it becomes another one."""

    folder: Path
    major: int
    minor: int
    key: str

    @property
    def version(self) -> str:
        """As people write it: `18.0`."""
        return f"{self.major}.{self.minor}"

    @property
    def program(self) -> Path:
        """What an interpreter runs."""
        return self.folder / "odoo-bin"

    @classmethod
    def named(cls) -> Checkout | None:
        """Return what the environment names; None where it names nothing."""
        name = os.environ.get(VARIABLE)
        return cls.at(Path(name)) if name else None

    @classmethod
    def at(cls, folder: Path) -> Checkout:
        """Look at a folder; raise CheckoutUnfit where there is no Odoo of a known version."""
        folder = folder.expanduser().resolve()
        release = folder / "odoo" / "release.py"
        if not (folder / "odoo-bin").is_file() or not release.is_file():
            raise CheckoutUnfit(f"{folder} holds no odoo-bin and odoo/release.py")
        found = _VERSION.search(release.read_text(encoding="utf-8"))
        major, minor = (int(found[1]), int(found[2])) if found else (0, 0)
        if major not in KNOWN:
            raise CheckoutUnfit(f"{folder} is Odoo {major}.{minor}, which is not known here")
        return cls(folder, major, minor, _key(folder))


def _key(folder: Path) -> str:
    told = [(folder / "odoo" / "release.py").read_bytes()]
    for module in _MODULES:
        manifest = folder / module / "__manifest__.py"
        if not manifest.is_file():
            raise CheckoutUnfit(f"{folder} has no module {module}")
        told.append(manifest.read_bytes())
    head = folder / ".git" / "HEAD"
    if head.is_file():
        named = head.read_text(encoding="utf-8").strip().removeprefix("ref: ")
        reference = folder / ".git" / named
        told.append(reference.read_bytes() if reference.is_file() else named.encode())
    return folders.key(folder, *told)
