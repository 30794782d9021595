"""Two Odoos that sync products and orders to each other, every program of ours between them.

Each has a database with a stand-in for Odoo's RPC, a capture, a worker, a WSO2 that hands what it
takes to the other's target service and says its word, and a target service. Kafka is one.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

import aiohttp
import psycopg

from embedded.odoo_rpc import OdooRpc
from embedded.ports import free_ports
from tests.fix_services import Database
from tests.fix_wso2 import TAKEN, Wso2StandIn
from tests.odoo_client import Odoo, Rpc
from tests.programs import Programs, sync_yaml
from tests.stand_ins import Received
from tests.target_service import RETRIED, TargetService

PRODUCT: Final = "product.template"
FIELDS: Final = ("name", "default_code", "list_price", "active", "description_sale")
SYNC: Final = "sync"
PATIENCE: Final = 60.0  # seconds until a test gives up; none waits that long
ROUTES: Final = """
routes:
  - name: products
    model: product.template
    targets: [other]
    map:
      name: name
      default_code: default_code
      list_price: list_price
      active: active
      description_sale: description_sale
    ignore_writes_by: [sync]
    conflict: later
  - name: orders
    model: sale.order
    targets: [other]
    map:
      client_order_ref: client_order_ref
      partner_id: {match: {name: partner_id.name}}
      order_line:
        each: order_line
        map:
          key: key
          external_id: external_id
          name: name
          product_id: {match: {default_code: product_id.default_code}}
          product_uom_qty: product_uom_qty
          price_unit: price_unit
    ignore_writes_by: [sync]
    conflict: later
"""
MODELS: Final = """
models:
  product.template:
    fields: [name, default_code, list_price, active, description_sale]
    match: [default_code]
    defaults: {type: consu}
  sale.order: {fields: [client_order_ref, partner_id, order_line], on_delete: unlink}
  sale.order.line: {fields: [name, product_id, product_uom_qty, price_unit], exact: true}
"""


class Turns:
    """People write between two deliveries, never inside one.

    For those who edit one record on both sides at once: what is written between the look of a
    target and its write is written over, and the sides differ then. docs/configuration.md says so,
    and tests/integration/target/test_conflicts.py shows it.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._delivering = 0
        self._writing = False

    def begin(self) -> None:
        """Begin a delivery; blocks while somebody writes."""
        with self._changed:
            self._changed.wait_for(lambda: not self._writing)
            self._delivering += 1

    def end(self) -> None:
        """End a delivery."""
        with self._changed:
            self._delivering -= 1
            self._changed.notify_all()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Write inside, once what is being delivered has come to its end."""
        with self._changed:
            self._writing = True  # there is one writer
            self._changed.wait_for(lambda: not self._delivering)
        try:
            yield
        finally:
            with self._changed:
                self._writing = False
                self._changed.notify_all()


class Office(OdooRpc):
    """A stand-in with a user for the sync, beside the one that people work as."""

    def __init__(self, dsn: str, home: Path | None = None, *, keep: bool | None = None) -> None:
        super().__init__(dsn, home, keep=keep)
        self.keys[SYNC] = f"{self.keys['admin']}-of-the-sync"
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute(
                "WITH made AS (INSERT INTO res_users (login, partner_id, company_id, active)"
                " VALUES ('sync', 1, 1, true) RETURNING id)"
                " INSERT INTO res_company_users_rel (user_id, cid) SELECT id, 1 FROM made"
            )

    def command(self) -> list[str]:
        return [*super().command(), f"--writer={SYNC}"]


class Handing(Wso2StandIn):
    """WSO2 with the flow of a target: it hands over what it takes, and tells the answer."""

    def __init__(self) -> None:
        self.target: TargetService | None = None
        self.turns = Turns()
        self.acks = ""
        self.answers: list[tuple[str, int, dict[str, Any]]] = []
        super().__init__()

    async def after(self, scripted: object, request: Received) -> None:
        if not isinstance(scripted, TAKEN):
            return
        assert self.target is not None
        async with aiohttp.ClientSession() as session:
            await asyncio.to_thread(self.turns.begin)
            try:
                url = f"{self.target.url}/deliveries"
                async with session.post(url, data=request.body) as answer:
                    status, said = answer.status, await answer.json()
            finally:
                self.turns.end()
            word = "rejected"
            if status < 300:
                word = "delivered"
            elif status in RETRIED or status >= 500:
                word = "retry"
            with self._arrival:
                self.answers.append((request.id, status, said))
                self._arrival.notify_all()
            told = {"id": request.id, "status": word, "attempt": request.attempt}
            async with session.post(self.acks, json=told) as taken:
                assert taken.status == 204


@dataclass
class Side:
    """One of the two. `admin` is what people work with."""

    name: str
    odoo: Odoo
    wso2: Handing
    target: TargetService
    programs: Programs
    turns: Turns = field(default_factory=Turns)
    admin: Rpc = field(init=False)

    def __post_init__(self) -> None:
        self.admin = self.odoo.client()

    def create(self, **values: Any) -> int:
        return int(self.admin(PRODUCT, "create", {"type": "consu", **values}))

    def write(self, number: int, **values: Any) -> None:
        self.admin(PRODUCT, "write", [number], values)

    def found(self, name: str) -> list[int]:
        """Return the ids of the products, archived ones too, with a name like this."""
        domain = [["name", "like", name]]
        found = self.admin(PRODUCT, "search", domain, context={"active_test": False})
        return list(found)

    def products(self, mark: str) -> list[tuple[Any, ...]]:
        """Return what there is of the products whose name begins with a mark."""
        domain = [["name", "=like", f"{mark}%"]]
        rows = self.admin(
            PRODUCT, "search_read", domain, [*FIELDS], context={"active_test": False}
        )
        return sorted(tuple(row[name] for name in FIELDS) for row in rows)

    @property
    def sent(self) -> list[str]:
        """The ids that WSO2 took from this side, in order."""
        return [request.id for request in self.wso2.taken()]

    def conflicts(self) -> list[str]:
        """What this side's target service has logged of conflicts."""
        lines = self.target.log().splitlines()
        return [line for line in lines if "action=conflict" in line]


@dataclass
class Two:
    """Both sides; deliveries flow while `with` lasts."""

    a: Side
    b: Side
    _stack: ExitStack

    @classmethod
    def start(cls, databases: Callable[[], Database], kafka: str, prefix: str, home: Path) -> Self:
        """Start everything; both know the same products, those of the template."""
        stack = ExitStack()
        try:
            offices = [stack.enter_context(Office.start(databases().dsn)) for _ in "ab"]
            names = [f"{prefix}_{each}" for each in "ab"]
            sides = [
                _side(stack, name, office, kafka, home / name)
                for name, office in zip(names, offices, strict=True)
            ]
            for side, other in zip(sides, reversed(sides), strict=True):
                side.wso2.target = other.target
                side.wso2.turns = other.turns
            for side in sides:
                side.programs.run("setup")
                side.programs.start("capture").until_said("product.template is loaded")
                side.programs.start("stream", "--worker", "one").until_said("assigned")
        except BaseException:
            stack.close()
            raise
        return cls(sides[0], sides[1], stack)

    def close(self) -> None:
        self._stack.close()

    def sides(self) -> tuple[Side, Side]:
        return self.a, self.b

    def settled(self, mark: str) -> None:
        """Wait until nothing is in flight and nothing is sent any more.

        A last change on each side goes through the same pipes; once it has arrived, all that was
        committed before is published, and on its way at most.
        """
        for side in self.sides():
            side.create(name=f"last of {mark} at {side.name}", default_code=f"{side.name}-{mark}")
        for side, other in (self.sides(), self.sides()[::-1]):
            name = f"last of {mark} at {side.name}"
            until(lambda name=name, other=other: bool(other.found(name)))  # type: ignore[misc]
        before = -1
        while before != (before := self._sent()) or not self._nothing_open():
            pass

    @contextmanager
    def apart(self) -> Iterator[None]:
        """Let neither hear of the other inside; what was written goes out at the end."""
        for side in self.sides():
            side.programs.run("pause", "--target", "other")
        yield
        for side in self.sides():
            side.programs.run("resume", "--target", "other")

    def _sent(self) -> int:
        return sum(len(side.sent) for side in self.sides())

    def _nothing_open(self) -> bool:
        """Ask both ledgers: 1 is that there is nothing that is not final, dead or rejected."""
        asked = [side.programs.start("queue") for side in self.sides()]
        return [each.wait() for each in asked] == [1, 1]


def _side(stack: ExitStack, name: str, office: OdooRpc, kafka: str, home: Path) -> Side:
    home.mkdir()
    odoo = Odoo(
        kind=office.kind,
        url=office.url,
        database=office.database,
        user="admin",
        api_key=office.keys["admin"],
        reader="demo",
        reader_key=office.keys["demo"],
        dsn=office.dsn,
    )
    login = f"user: {SYNC}, api_key: {office.keys[SYNC]}"
    target = TargetService(
        home / "target",
        f"odoo: {{url: {odoo.url}, database: {odoo.database}, {login}}}\nsystem: {name}\n{MODELS}",
    )
    stack.enter_context(target)
    wso2 = Handing()
    stack.callback(wso2.close)
    (port,) = free_ports(1)
    wso2.acks = f"http://127.0.0.1:{port}/acks"
    source = {"name": name, "dsn": odoo.dsn, "initial_load": False}
    text = sync_yaml(
        source=name,
        dsn=odoo.dsn,
        kafka=kafka,
        wso2=wso2.url,
        targets=["other"],
        target={"acknowledge": "required", "ack_timeout": "20s"},
        routes=ROUTES,
        more={"source": source, "acks": {"listen": f"127.0.0.1:{port}"}},
    )
    programs = stack.enter_context(Programs(home, text))
    return Side(name, odoo, wso2, target, programs)


def until(condition: Callable[[], bool], patience: float = PATIENCE) -> None:
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)  # a database says nothing when a row changes
