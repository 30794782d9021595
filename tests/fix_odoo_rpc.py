"""Odoos to write into: the project's stand-in always, a real one where ODOO_SRC names a checkout.

What a test sees of one it must see of the other, so tests that use `odoo_rpc` run on both.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from embedded.odoo_rpc import OdooRpc
    from embedded.postgres import Postgres
    from embedded.real_odoo import RealOdoo
    from tests.odoo_client import Odoo, Rpc

STAND_IN, REAL = "stand-in", "real"
_FRESH = "odoo_fresh"


def kinds() -> list[str]:
    """Say what there is to test with."""
    return [STAND_IN, *([REAL] if os.environ.get("ODOO_SRC") else [])]


@pytest.fixture(scope="session", params=kinds())
def new_odoo_rpc(
    request: pytest.FixtureRequest, postgres: Postgres, odoo_template: str
) -> Iterator[Callable[[], Odoo]]:
    """Start another Odoo at each call, with a database of its own; all end with the session."""
    with ExitStack() as services:
        if request.param == STAND_IN:
            yield stand_ins(services, postgres, odoo_template)
        else:
            yield real_ones(services)


@pytest.fixture(scope="session")
def fresh_template(postgres: Postgres) -> str:
    """Name the database of an Odoo in which nobody has worked yet."""
    from embedded.odoo import OPENED, create  # noqa: PLC0415 - unit tests load nothing of it

    postgres.create_database(_FRESH, "template0")
    create(postgres.dsn(_FRESH), seed=1, size=OPENED)
    return _FRESH


@pytest.fixture(scope="module", params=kinds())
def fresh_odoos(
    request: pytest.FixtureRequest, postgres: Postgres, fresh_template: str
) -> Iterator[tuple[Odoo, Odoo]]:
    """Two Odoos in which nobody has worked yet."""
    with ExitStack() as services:
        if request.param == STAND_IN:
            start = stand_ins(services, postgres, fresh_template)
        else:
            start = real_ones(services)
        yield start(), start()


@pytest.fixture(scope="session")
def odoo_rpc(new_odoo_rpc: Callable[[], Odoo]) -> Odoo:
    """One Odoo for the session: tests make their own records, named by `module`."""
    return new_odoo_rpc()


@pytest.fixture
def rpc(odoo_rpc: Odoo) -> Rpc:
    """A client of it, as one who may do everything."""
    return odoo_rpc.client()


@pytest.fixture
def module() -> str:
    """A module for external ids that no other test has."""
    return f"test_{secrets.token_hex(4)}"


def stand_ins(services: ExitStack, postgres: Postgres, template: str) -> Callable[[], Odoo]:
    """Return what starts a stand-in over a copy of a database; `services` ends it."""
    from embedded.odoo_rpc import OdooRpc  # noqa: PLC0415 - unit tests load nothing of it

    def start() -> Odoo:
        name = f"target_{secrets.token_hex(4)}"
        postgres.create_database(name, template)
        services.callback(postgres.drop_database, name)
        return _handed_out(services.enter_context(OdooRpc.start(postgres.dsn(name))))

    return start


def real_ones(services: ExitStack) -> Callable[[], Odoo]:
    """Return what starts a real Odoo of the checkout that ODOO_SRC names."""
    from embedded import real_odoo  # noqa: PLC0415 - see above

    checkout = real_odoo.Checkout.named()
    assert checkout is not None
    prepared = real_odoo.prepare(checkout)
    postgres = services.enter_context(real_odoo.start_postgres(prepared))

    def start() -> Odoo:
        name = f"target_{secrets.token_hex(4)}"
        service = real_odoo.RealOdoo.start(prepared, postgres, name)
        return _handed_out(services.enter_context(service))

    return start


def _handed_out(service: OdooRpc | RealOdoo) -> Odoo:
    from tests.odoo_client import Odoo  # noqa: PLC0415 - it imports odoorpc

    return Odoo(
        kind=service.kind,
        url=service.url,
        database=service.database,
        user="admin",
        api_key=service.keys["admin"],
        reader="demo",
        reader_key=service.keys["demo"],
        dsn=service.dsn,
    )
