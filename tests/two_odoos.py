"""The whole line from one Odoo into another, with the files of docs/examples/odoo-to-odoo."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.request import urlopen

from embedded.ports import free_ports
from schemas.topics import Topics
from tests.odoo_client import Odoo, Rpc
from tests.programs import COMMAND, ROOT, Program, Programs
from tests.streaming import Tail
from tests.waiting import LONG

if TYPE_CHECKING:
    from embedded.synapse import Synapse

EXAMPLES: Final = ROOT / "docs" / "examples" / "odoo-to-odoo"
STAND_IN: Final = "stand-in"
_WSO2: Final = "http://127.0.0.1:8290/cdc/v1/messages"
GROUPS: Final = (
    "base.group_user",
    "base.group_erp_manager",
    "base.group_partner_manager",
    "product.group_product_manager",
    "purchase.group_purchase_user",
    "account.group_account_readonly",
)
"""What docs/odoo-to-odoo.md tells to give to the user of the branch."""
FIRST: Final = frozenset(("product-categories", "partners"))
"""Routes that have something to load in a fresh master."""
_BETWEEN: Final = 0.05  # seconds between two questions to what tells nobody

Entry = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the programs of a line listen."""

    acks: int
    target: int
    worker: int


class TwoOdoos:
    """A master, a branch, and all that stands between them."""

    def __init__(
        self,
        folder: Path,
        kafka: str,
        odoos: tuple[Odoo, Odoo],
        synapse: Callable[[Path], Synapse],
    ) -> None:
        """Write the files; nothing is started."""
        self.folder = folder
        self.source = f"src_{secrets.token_hex(3)}"
        self.master, self.branch = odoos
        self._synapse = synapse
        self.at = Addresses(*free_ports(3))
        self._say_secrets()
        self.target_file = folder / "target.yaml"
        self.target_file.write_text(self._target(), encoding="utf-8")
        self.programs = Programs(folder, self._sync(kafka))
        self._kafka = kafka
        self.tail: Tail | None = None

    def close(self) -> None:
        """End the programs."""
        self.programs.__exit__(None, None, None)
        if self.tail is not None:
            self.tail.close()

    def begin(self) -> None:
        """Set all up and wait until what the master has is in the branch."""
        self.prepare()
        self.start_target()
        self.start_capture()
        self.start_worker()
        self.settled()

    def prepare(self) -> None:
        """Make topics, publication and slot, and start the flow."""
        self.programs.run("setup")
        self.programs.run("wso2", "generate", "--out", str(self.folder / "artifacts"))
        self.start_engine()

    def start_engine(self) -> None:
        """Start the flow; sync.yaml says where it is."""
        engine = self._synapse(self.folder / "artifacts")
        file = self.programs.config
        text = file.read_text(encoding="utf-8")
        file.write_text(_exchanged(text, {_WSO2: engine.url}), encoding="utf-8")

    def start_target(self, *options: str, launcher: tuple[str, ...] = COMMAND) -> Program:
        """Start the service that writes into the branch."""
        words = options or ("--config", str(self.target_file))
        program = self.programs.start("target", *words, launcher=launcher)
        self._until_ready(self.at.target, program)
        return program

    def start_capture(self) -> Program:
        return self.programs.start("capture")

    def start_worker(self) -> Program:
        return self.programs.start("stream", "--worker", "one")

    def settled(self) -> None:
        """Wait until what was there at the start has come to its end."""
        tail = self._tail()

        def is_settled() -> bool:
            routes = {each["route"] for each in tail.ledger.values()}
            return routes >= FIRST and not tail.open()

        tail.until(is_settled, LONG)

    def newest(self, model: str, record: int) -> str:
        """Return the sequence of the newest delivery that is known of a record."""
        return max((each["sequence"] for each in self._of(model, record)), default="")

    def ended(self, model: str, record: int, after: str = "") -> Entry:
        """Wait for the end of a newer delivery of a record; return its entry in the ledger."""

        def found() -> list[Entry]:
            newer = [e for e in self._of(model, record) if e["sequence"] > after]
            return [e for e in newer if e["final"] and e["state"] != "superseded"]

        self._tail().until(found, LONG)
        return max(found(), key=lambda each: str(each["sequence"]))

    def delivered(self, model: str, record: int, after: str = "") -> int:
        """Wait until a newer delivery of a record is there; return its id in the branch."""
        entry = self.ended(model, record, after)
        assert entry["state"] == "delivered", entry
        assert entry["target_id"], entry
        return int(entry["target_id"])

    def calls(self, rpc: Rpc, model: str, method: str, record: int, *args: Any) -> int:
        """Do something to a record of the master; return its id in the branch once it is there."""
        before = self.newest(model, record)
        rpc(model, method, [record], *args)
        return self.delivered(model, record, before)

    def metrics(self) -> str:
        """Return what the service counts."""
        return _read(f"http://127.0.0.1:{self.at.target}/metrics")

    def _of(self, model: str, record: int) -> list[Entry]:
        entries = list(self._tail().ledger.values())
        return [e for e in entries if (e["model"], e["record"]) == (model, record)]

    def _tail(self) -> Tail:
        if self.tail is None:
            self.tail = Tail(self._kafka, Topics(self.source))
        return self.tail

    def _until_ready(self, port: int, program: Program) -> None:
        deadline = time.monotonic() + LONG
        while not _ready(port):
            assert program.process.poll() is None, program.tail()
            assert time.monotonic() < deadline, program.tail()
            time.sleep(_BETWEEN)

    def _say_secrets(self) -> None:
        user, key = sync_user(self.branch)
        self._user = user
        folder = self.folder / "secrets"
        folder.mkdir()
        said = {"dsn": self.master.dsn, "odoo_key": key, "target_token": secrets.token_hex(16)}
        for name, text in said.items():
            (folder / name).write_text(text, encoding="utf-8")

    def _sync(self, kafka: str) -> str:
        return _exchanged(
            (EXAMPLES / "sync.yaml").read_text(encoding="utf-8"),
            {
                "name: master\n": f"name: {self.source}\n",
                "/var/lib/odoo-cdc": str(self.folder / "state"),
                "127.0.0.1:9092": kafka,
                "127.0.0.1:8091": f"127.0.0.1:{self.at.acks}",
                "127.0.0.1:8094": f"127.0.0.1:{self.at.target}",
            },
        )

    def _target(self) -> str:
        return _exchanged(
            (EXAMPLES / "target.yaml").read_text(encoding="utf-8"),
            {
                "http://127.0.0.1:8069": self.branch.url,
                "/var/lib/odoo-cdc": str(self.folder),
                "database: branch": f"database: {self.branch.database}",
                "sync@branch.example": self._user,
                "127.0.0.1:8094": f"127.0.0.1:{self.at.target}",
            },
        )


@contextmanager
def two_odoos(
    folder: Path, kafka: str, odoos: tuple[Odoo, Odoo], synapse: Callable[[Path], Synapse]
) -> Iterator[TwoOdoos]:
    """Give a line of which nothing runs yet; its programs end with it."""
    line = TwoOdoos(folder, kafka, odoos, synapse)
    try:
        yield line
    finally:
        line.close()


def sync_user(odoo: Odoo) -> tuple[str, str]:
    """Return login and key of who writes into an Odoo: with no more rights than it needs.

    The stand-in has no rights of groups: there it is the administrator.
    """
    if odoo.kind == STAND_IN:
        return odoo.user, odoo.api_key
    rpc, login, key = odoo.client(), "sync@branch.example", secrets.token_hex(16)
    references = [name.partition(".") for name in GROUPS]
    groups = [rpc("ir.model.data", "check_object_reference", m, n)[1] for m, _, n in references]
    user = {
        "name": "Sync",
        "login": login,
        "email": login,
        "password": key,
        "groups_id": [(6, 0, groups)],
    }
    rpc("res.users", "create", {**user, "lang": "en_US", "tz": "UTC"})
    return login, key


def _exchanged(text: str, others: dict[str, str]) -> str:
    """Put others in the place of what a file says."""
    for said, other in others.items():
        assert said in text, said
        text = text.replace(said, other)
    return text


def _ready(port: int) -> bool:
    with suppress(OSError):  # it does not listen yet, or says 503
        _read(f"http://127.0.0.1:{port}/readyz")
        return True
    return False


def _read(url: str) -> str:
    with urlopen(url, timeout=LONG) as answer:  # noqa: S310  ours
        return str(answer.read().decode())
