"""An initialised database, made once for each checkout and kept."""

from __future__ import annotations

import json
import secrets
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import psycopg

from embedded import folders, installations, users
from embedded.installations import Installation
from embedded.ports import LOOPBACK
from embedded.postgres import Postgres
from embedded.real_odoo import interpreter
from embedded.real_odoo.checkout import Checkout
from embedded.real_odoo.errors import NotInitialised

TEMPLATE: Final = "odoo_template"
ROLE: Final = "odoo"
"""Odoo refuses to work as `postgres`."""
ADMIN, READER = "admin", "demo"
"""Logins of one who may do everything, and of one who may read contacts and products."""
MODULES: Final = "sale_management,purchase"
LANGUAGES: Final = "en_US,fr_FR"
"""Both are said: with another one alone, English would not be active."""
_PATIENCE: Final = 1_200  # seconds; 45 on a laptop
_SMALL: Final = {"max_wal_size": "96MB", "min_wal_size": "32MB"}
_EXTENSION: Final = "pg_trgm"

# Fed to Odoo's own shell. RPC takes an API key or a password; only an administrator's key may last
# for ever, and a template does.
_PEOPLE: Final = """
import json
admin = env.ref("base.user_admin")
admin.write({"lang": "en_US", "tz": "UTC"})
env["res.users"].create({
    "name": "Reader", "login": %(reader)r, "password": %(password)r, "lang": "en_US", "tz": "UTC",
    "groups_id": [(6, 0, [env.ref("base.group_user").id])],
})
keys = env(user=admin.id)["res.users.apikeys"]
never = (None,) if %(major)d >= 18 else ()
made = {%(admin)r: keys._generate("rpc", "odoo-cdc", *never), %(reader)r: %(password)r}
env.cr.commit()
with open(%(file)r, "w") as file:
    json.dump(made, file)
"""


class Prepared(NamedTuple):
    """What an Odoo is started from."""

    checkout: Checkout
    python: Path
    folder: Path

    @property
    def filestore(self) -> Path:
        """The attachments that belong to the template."""
        return self.folder / "filestore"

    @property
    def keys(self) -> dict[str, str]:
        """API keys by login."""
        found: dict[str, str] = json.loads((self.folder / "keys.json").read_text(encoding="utf-8"))
        return found


def prepare(checkout: Checkout) -> Prepared:
    """Return the checkout's template, which is made at the first call: that takes minutes.

    Raises CheckoutUnfit or NotInitialised.
    """
    python = interpreter.find(checkout)
    installation = _installation()
    made_of = folders.key(checkout.key, installation.version, MODULES, LANGUAGES)
    name = f"odoo-{checkout.version}-{made_of}"

    def make(folder: Path) -> None:
        _make(checkout, python, installation, folder)

    return Prepared(checkout, python, folders.cached(name, make))


def start_postgres(prepared: Prepared) -> Postgres:
    """Start a Postgres that has the template `TEMPLATE` in it, for any number of Odoos."""
    home = folders.data("odoo-postgres", users.ordinary())
    shutil.copytree(prepared.folder / "data", home / "data", symlinks=True)
    return Postgres.start(home, keep=False)


def connection(postgres: Postgres, database: str, data: Path) -> list[str]:
    """Return the options that every run of Odoo needs."""
    return [
        f"--db_host={LOOPBACK}",
        f"--db_port={postgres.port}",
        f"--db_user={ROLE}",
        f"--database={database}",
        f"--data-dir={data}",
        "--workers=0",
        "--max-cron-threads=0",
    ]


def _installation() -> Installation:
    """Prefer one with the extension that Odoo indexes texts with; it does without."""
    found = installations.installed()
    return next((one for one in found if one.has(_EXTENSION)), None) or installations.find()


def _make(checkout: Checkout, python: Path, installation: Installation, folder: Path) -> None:
    home = folders.data("odoo-template", users.ordinary())
    try:
        with Postgres(home, keep=True, installation=installation, settings=_SMALL) as postgres:
            postgres.first_launch()
            with psycopg.connect(postgres.dsn(), autocommit=True) as server:
                server.execute(f"CREATE ROLE {ROLE} SUPERUSER LOGIN")
            _initialise(checkout, python, postgres, folder)
        shutil.copytree(home / "data", folder / "data", symlinks=True)
        shutil.rmtree(folder / "odoo" / "sessions", ignore_errors=True)
        made = folder / "odoo" / "filestore" / TEMPLATE
        if made.is_dir():
            made.rename(folder / "filestore")
        (folder / "filestore").mkdir(exist_ok=True)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _initialise(checkout: Checkout, python: Path, postgres: Postgres, folder: Path) -> None:
    options = connection(postgres, TEMPLATE, folder / "odoo")
    program = [str(python), str(checkout.program)]
    quiet = ["--no-http", "--log-level=warn"]
    install = [f"--init={MODULES}", "--without-demo=all", f"--load-language={LANGUAGES}"]
    _run([*program, *options, *quiet, *install, "--stop-after-init"], "", folder)
    people = _PEOPLE % {
        "admin": ADMIN,
        "reader": READER,
        "password": secrets.token_hex(16),
        "major": checkout.major,
        "file": str(folder / "keys.json"),
    }
    _run([*program, "shell", *options, *quiet], people, folder)
    if not (folder / "keys.json").is_file():
        raise NotInitialised("Odoo's shell has not made the keys of its users")


def _run(command: Sequence[str], said: str, folder: Path) -> None:
    try:
        done = subprocess.run(
            command,
            input=said,
            capture_output=True,
            text=True,
            check=False,
            cwd=folder,
            timeout=_PATIENCE,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotInitialised(f"Odoo was not initialised: {error}") from error
    if done.returncode:
        last = "\n".join((done.stdout + done.stderr).splitlines()[-25:])
        raise NotInitialised(f"Odoo ended with {done.returncode} while initialising:\n{last}")
