"""Postgres on loopback, from a wheel or the system, ready for logical replication."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import ClassVar, Self

import psycopg
from psycopg import conninfo, sql

from embedded import folders, installations, jars, users
from embedded.errors import NotStarted, OutOfReach
from embedded.installations import Installation
from embedded.ports import LOOPBACK, accepts, free_ports
from embedded.process import Service

SUPERUSER = "postgres"
LONGEST_SOCKET = 100
"""Bytes; a Unix socket's path has room for 107 on Linux, 103 elsewhere."""

CTYPES = ("C.UTF-8", "C")
"""As Odoo has it: sorted by bytes, with cases for all letters; not every system has the first."""

SETTINGS = {
    "wal_level": "logical",
    "max_wal_senders": "24",
    "max_replication_slots": "24",
    "shared_buffers": "64MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "jit": "off",
    # Files in the data folder: a process that was killed leaves nothing behind in /dev/shm.
    "dynamic_shared_memory_type": "mmap",
    # A killed server loses nothing by it, a power cut does: data here is for a demo or a test.
    "fsync": "off",
    "full_page_writes": "off",
}


class Postgres(Service):
    """A cluster whose superuser `postgres` needs no password, over TCP and a Unix socket.

    Started by root, it runs as `nobody`, to whom `home` then belongs: Postgres refuses root.
    """

    name: ClassVar[str] = "postgres"
    stop_signal: ClassVar[signal.Signals] = signal.SIGINT  # "fast"
    abandon_signal: ClassVar[signal.Signals] = signal.SIGQUIT  # "immediate": frees shared memory

    def __init__(
        self,
        home: Path | None = None,
        *,
        keep: bool | None = None,
        installation: Installation | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        """Prepare a cluster in its folder; `settings` win over ours."""
        self.user = users.ordinary()
        keep = home is not None if keep is None else keep
        super().__init__(home or folders.data(self.name, self.user), keep=keep)
        self.installation = installation or installations.find()
        self.settings = dict(settings or {})
        self.data = self.home / "data"
        self.port = 0

    @classmethod
    def start(
        cls,
        data_dir: Path | None = None,
        *,
        keep: bool | None = None,
        version: int | None = None,
        extension: str | None = None,
        settings: Mapping[str, str] | None = None,
        progress: jars.Progress | None = None,
    ) -> Self:
        """Start a cluster; it answers when this returns.

        `data_dir` is a former cluster's or an empty folder; without it, a temporary one. `keep`
        says whether `close` leaves it, by default as long as it is the caller's. `version` (a
        major one) and `extension` choose among what is installed; a former cluster chooses its
        own. `settings` are lines of postgresql.conf. Each new cluster has an identity of its own.
        """
        if progress:
            progress(0, 1)
        wanted = _former_version(data_dir) or version
        service = cls(
            data_dir,
            keep=keep,
            installation=installations.find(wanted, extension),
            settings=settings,
        ).first_launch()
        if progress:
            progress(1, 1)
        return service

    def dsn(self, database: str = "postgres", user: str = SUPERUSER, **options: str | int) -> str:
        """Return the connection string of a database; `options` are libpq's own."""
        return conninfo.make_conninfo(
            "", host=LOOPBACK, port=self.port, dbname=database, user=user, **options
        )

    def has_extension(self, name: str) -> bool:
        """Whether databases can create this extension."""
        return self.installation.has(name)

    def create_database(self, name: str, template: str | None = None) -> None:
        """Create a database, empty or as a copy of one that nobody is connected to."""
        create = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        with self._administer() as server:
            server.execute(
                create.format(sql.Identifier(name), sql.Identifier(template or "template1"))
            )

    def drop_database(self, name: str) -> None:
        """Drop a database, its slots and its connections, if it is there."""
        with self._administer() as server:
            known = "SELECT 1 FROM pg_database WHERE datname = %s"
            if not server.execute(known, [name]).fetchone():
                return
            identifier = sql.Identifier(name)
            # A client that keeps trying would take its slot again between the two steps.
            server.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(identifier))
            _drop_slots(server, name)
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(identifier))

    def choose_ports(self) -> None:
        """Take one port."""
        (self.port,) = free_ports(1)

    def command(self) -> list[str]:
        """Make the cluster when there is none, write postgresql.conf, return what to run."""
        if self.user and not self.user.gets_to(self.home):
            raise OutOfReach(
                f"Postgres runs as user {self.user.uid}, who cannot reach {self.home}"
            )
        programs = self._programs()
        if self.user:
            self.user.owns(self.home)
        if not (self.data / "PG_VERSION").exists():
            self._make_cluster(programs)
        (self.data / "postgresql.conf").write_text(self._configuration(), encoding="utf-8")
        return [str(programs / "postgres"), "-D", str(self.data)]

    def answers(self) -> bool:
        """Whether it is our cluster that answers."""
        if not accepts(self.port):
            return False
        with contextlib.suppress(psycopg.Error), self._administer() as server:
            shown = server.execute("SHOW data_directory").fetchone()
            return shown == (str(self.data),)
        return False

    @contextlib.contextmanager
    def _administer(self) -> Iterator[psycopg.Connection]:
        with psycopg.connect(self.dsn(connect_timeout=5), autocommit=True) as server:
            yield server

    def _configuration(self) -> str:
        settings = SETTINGS | {
            "listen_addresses": LOOPBACK,
            "port": str(self.port),
            "unix_socket_directories": self._socket_folder(),
        }
        return "".join(f"{k} = {_quoted(v)}\n" for k, v in (settings | self.settings).items())

    def _socket_folder(self) -> str:
        return str(self.home) if len(os.fsencode(self.home)) < LONGEST_SOCKET - 20 else ""

    def _programs(self) -> Path:
        """Return the folder of the programs: a copy, where our user cannot reach the original."""
        original = self.installation.bin
        if not self.user or self.user.reaches(original / "postgres"):
            return original
        copy = self.home / "programs"
        if not copy.exists():
            unfinished = self.home / "copying"
            shutil.rmtree(unfinished, ignore_errors=True)
            self.installation.copy(unfinished)
            unfinished.rename(copy)
        return self.installation.within(copy)

    def _make_cluster(self, programs: Path) -> None:
        """Run initdb, as the user that the server runs as; it takes a third of a second."""
        command = [str(programs / "initdb"), "-D", str(self.data), "-U", SUPERUSER]
        options = ["--auth=trust", "--encoding=UTF8", "--no-sync", "--no-instructions"]
        said = ""
        for ctype in CTYPES:
            done = subprocess.run(
                [*command, *options, "--locale=C", f"--lc-ctype={ctype}"],
                capture_output=True,
                text=True,
                check=False,
                cwd=self.home,
                user=self.user and self.user.uid,
                group=self.user and self.user.gid,
                extra_groups=[] if self.user else None,
            )
            if not done.returncode:
                return
            said += done.stdout + done.stderr
        raise NotStarted(f"a Postgres cluster cannot be made:\n{said}")


def _drop_slots(server: psycopg.Connection, database: str) -> None:
    """End the readers of a database's slots, and drop them."""
    deadline = time.monotonic() + 10
    mine = "FROM pg_replication_slots WHERE database = %s"
    while server.execute(f"SELECT 1 {mine}", [database]).fetchone():
        server.execute(
            f"SELECT pg_terminate_backend(active_pid, 5000) {mine} AND active", [database]
        )
        try:
            server.execute(f"SELECT pg_drop_replication_slot(slot_name) {mine}", [database])
        except psycopg.errors.ObjectInUse:  # its reader has not let go of it yet
            if time.monotonic() > deadline:
                raise


def _former_version(folder: Path | None) -> int | None:
    marker = folder and folder / "data" / "PG_VERSION"
    return int(marker.read_text(encoding="ascii")) if marker and marker.exists() else None


def _quoted(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"
