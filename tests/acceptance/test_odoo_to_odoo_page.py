"""docs/odoo-to-odoo.md is typed command by command, in two Odoos in which nobody has worked."""

from __future__ import annotations

import configparser
import re
import shlex
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from schemas.config import load
from schemas.conflict import Policy
from streams.applying import reading
from tests.odoo_client import Odoo
from tests.programs import COMMAND, ROOT, Program, said, until
from tests.rehearsal import rehearse, type_into
from tests.two_odoos import EXAMPLES, TwoOdoos, two_odoos

if TYPE_CHECKING:
    from embedded.kafka import Kafka
    from embedded.synapse import Synapse

pytestmark = pytest.mark.acceptance

PAGE: Final = ROOT / "docs" / "odoo-to-odoo.md"
TEXT: Final = PAGE.read_text(encoding="utf-8")
LOOKS: Final = ("queue", "trace")
HOME: Final = "/etc/odoo-cdc"
PROGRAM: Final = "/opt/odoo-cdc/bin/odoo-cdc"
IN_FORCE: Final = "the file is in force"
BARCODE: Final = "4006381333931"


def blocks(kind: str) -> list[str]:
    """Return the page's blocks of a kind."""
    return re.findall(rf"^```{kind}\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)


class Stage:
    """Who works in the Odoos, and who starts programs."""

    def __init__(self, line: TwoOdoos) -> None:
        self.line = line
        self.product = self.template = 0
        self.before = ""
        self.running: list[Program] = []

    def start(self) -> None:
        """Start the programs, the target as its unit does."""
        unit = configparser.ConfigParser()
        unit.optionxform = str  # type: ignore[assignment,method-assign]
        unit.read_string(blocks("ini")[0])
        words = shlex.split(unit["Service"]["ExecStart"].replace(HOME, str(self.line.folder)))
        assert words[:2] == [PROGRAM, "target"]
        self.running = [
            self.line.start_target(*words[2:]),
            self.line.start_capture(),
            self.line.start_worker(),
        ]
        self.line.settled()

    def sell(self) -> None:
        rpc = self.line.master.client()
        desk = {"name": "Desk", "default_code": "DESK", "list_price": 99.5}
        self.template = rpc("product.template", "create", desk)
        of_it = [["product_tmpl_id", "=", self.template]]
        (self.product,) = rpc("product.product", "search", of_it)
        customer = rpc("res.partner", "create", {"name": "The branch", "ref": "BRANCH"})
        line = {"product_id": self.product, "product_uom_qty": 2}
        values = {"partner_id": customer, "order_line": [(0, 0, line)]}
        order = rpc("sale.order", "create", values)
        assert order == 1
        rpc("sale.order", "action_confirm", [order])

    def refuse(self) -> None:
        own = {"name": "Its own", "barcode": BARCODE}
        self.line.branch.client()("product.template", "create", own)
        change = {"barcode": BARCODE}
        self.line.master.client()("product.product", "write", [self.product], change)

    def field(self) -> None:
        """Weigh the desk, while no route asks for it; then write what the page says."""
        self.line.calls(
            self.line.master.client(),
            "product.template",
            "write",
            self.template,
            {"weight": 7.5, "list_price": 98.5},  # a price, to see that it was published
        )
        before = "      list_price: list_price\n"
        _add(self.line.programs.config, before, before + "      weight: weight\n")
        _add(self.line.target_file, "type, list_price,", "type, weight, list_price,")

    def taken(self) -> None:
        """Have the programs take the files, in the order of the page."""
        self.before = self.line.newest("product.template", self.template)
        for program in self.running:
            before = said(program, IN_FORCE)
            program.process.send_signal(signal.SIGHUP)
            until(lambda p=program, n=before: said(p, IN_FORCE) > n, program)  # type: ignore[misc]

    def resent(self) -> None:
        """See that what nobody has changed since has its weight."""
        there = self.line.delivered("product.template", self.template, self.before)
        (desk,) = self.line.branch.client()("product.template", "read", [there], ["weight"])
        assert desk["weight"] == 7.5

    def type(self, line: str) -> str:
        words = shlex.split(line)
        if words[1] != "target":
            return type_into(self.line.programs, line, self.line.folder)
        done = subprocess.run(
            [*COMMAND, *words[1:]],
            cwd=self.line.folder,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return done.stdout + done.stderr


def _add(file: Path, before: str, after: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert before in text
    file.write_text(text.replace(before, after, 1), encoding="utf-8")


@pytest.fixture
def stage(
    fresh_odoos: tuple[Odoo, Odoo],
    kafka: Kafka,
    synapse: Callable[[Path], Synapse],
    tmp_path: Path,
) -> Iterator[Stage]:
    with two_odoos(tmp_path, kafka.bootstrap, fresh_odoos, synapse) as line:
        yield Stage(line)


def test_the_page_is_what_somebody_types_who_has_two_fresh_odoos(stage: Stage) -> None:
    happens = {
        "engine": stage.line.start_engine,
        "start": stage.start,
        "sell": stage.sell,
        "refuse": stage.refuse,
        "field": stage.field,
        "taken": stage.taken,
        "resent": stage.resent,
    }

    rehearse(PAGE, happens, stage.type, LOOKS)


def test_what_the_page_adds_for_two_ways_is_understood(tmp_path: Path) -> None:
    of_route, of_target, of_list, of_lines = blocks("yaml")
    (tmp_path / "secrets").mkdir()
    for name in ("dsn", "odoo_key", "target_token"):
        (tmp_path / "secrets" / name).write_text("x", encoding="utf-8")
    one_way = "    map: {name: name, parent_id: {ref: parent_id}}\n"
    sync = (EXAMPLES / "sync.yaml").read_text(encoding="utf-8")
    assert one_way in sync
    orders = "\n  - name: orders\n    model: sale.order\n    targets: [branch]\n    map:\n"
    both_ways = sync.replace(one_way, one_way + of_route)
    (tmp_path / "sync.yaml").write_text(f"{both_ways}{orders}{of_list}")
    target = (EXAMPLES / "target.yaml").read_text(encoding="utf-8")
    (tmp_path / "target.yaml").write_text(f"{target}{of_lines}{of_target}")

    routes = load(tmp_path / "sync.yaml").routes
    settings = reading.load(tmp_path / "target.yaml")

    (route,) = [each for each in routes if each.conflict]
    assert (route.ignore_writes_by, route.conflict) == (("sync@branch.example",), Policy())
    assert routes[-1].name == "orders"
    assert settings.system == "branch"
    assert settings.models["sale.order.line"].exact
