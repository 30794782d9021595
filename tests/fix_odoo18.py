"""A real Odoo 18: its demo database and the transactions that were recorded on it.

The files are too large to belong to the project. ODOO_CDC_ODOO18 names the folder they are in,
else it is looked for beside the checkout; nothing else knows where they are.
"""

from __future__ import annotations

import lzma
import os
import re
import secrets
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tests.sources import Source, recorded
from tests.workload import Transaction, load

if TYPE_CHECKING:
    from embedded.postgres import Postgres

FOLDER: Final = "ODOO_CDC_ODOO18"
_BESIDE: Final = Path(__file__).parents[2] / "shared" / "odoo18"
_TEMPLATE: Final = "odoo18"
_RESTRICTION: Final = re.compile(rb"^\\(un)?restrict .*\n", re.MULTILINE)  # psql's, since 2025


class NoRecording(Exception):
    """The files are not there."""


@dataclass(slots=True)
class Recording:
    """A cluster that holds the demo database as it was before the workload."""

    cluster: Postgres
    folder: Path
    _copies: list[str] = field(default_factory=list)

    @classmethod
    def restore(cls, cluster: Postgres) -> Recording:
        """Restore the dump, once for all copies; 3 s. Raises NoRecording."""
        recording = cls(cluster, folder())
        cluster.create_database(_TEMPLATE, "template0")
        dump = recording.folder / "odoo18_demo.dump"
        if dump.exists():
            recording._run("pg_restore", "--no-owner", "--exit-on-error", str(dump))
        else:
            packed = recording.folder / "odoo18_demo.sql.xz"
            sql = _RESTRICTION.sub(b"", lzma.decompress(packed.read_bytes()))
            recording._run("psql", "--quiet", "--no-psqlrc", "-v", "ON_ERROR_STOP=1", text=sql)
        return recording

    def copy(self) -> str:
        """Return the connection string of a database of one's own."""
        name = f"odoo18_{secrets.token_hex(3)}"
        self.cluster.create_database(name, _TEMPLATE)
        self._copies.append(name)
        return self.cluster.dsn(name)

    def drop_copies(self) -> None:
        """Drop the databases that were handed out, and their slots."""
        while self._copies:
            self.cluster.drop_database(self._copies.pop())

    def workload(self) -> list[Transaction]:
        """Return the recorded transactions; played in order, each succeeds."""
        return load(self.folder / "odoo18_workload.sql.gz")

    def _run(self, program: str, *options: str, text: bytes | None = None) -> None:
        path = str(self.cluster.installation.bin / program)
        command = [path, "-d", self.cluster.dsn(_TEMPLATE)]
        done = subprocess.run([*command, *options], input=text, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode(errors="replace")


def folder() -> Path:
    """Return the folder of the recording; NoRecording where there is none."""
    named = os.environ.get(FOLDER)
    found = Path(named) if named else _BESIDE
    if not (found / "odoo18_workload.sql.gz").exists():
        raise NoRecording(f"no recorded workload in {found}; {FOLDER} names its folder")
    return found


@pytest.fixture(scope="session")
def odoo18_recording() -> Iterator[Recording | None]:
    """The recording in a cluster of its own, None where its files are not there."""
    from embedded.postgres import Postgres  # noqa: PLC0415 - unit tests load nothing of it

    try:
        folder()
    except NoRecording:
        yield None
        return
    with Postgres.start(extension="pg_trgm") as cluster:
        yield Recording.restore(cluster)


@pytest.fixture
def odoo18(odoo18_recording: Recording | None) -> Iterator[Recording | None]:
    """The same; the databases copied from it are dropped after the test."""
    yield odoo18_recording
    if odoo18_recording is not None:
        odoo18_recording.drop_copies()


@pytest.fixture
def recorded_odoo(odoo18: Recording | None, request: pytest.FixtureRequest) -> Source:
    """A real Odoo at work, our own Odoo-shaped database where its files are not there."""
    if odoo18 is None:
        own: Source = request.getfixturevalue("own_odoo")
        return own
    return recorded(odoo18.copy(), odoo18.workload())
