"""The branch's Odoo: a real one where ODOO_SRC names a checkout, else the project's stand-in."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import Final

from embedded import odoo, real_odoo
from embedded.errors import EmbeddedError
from embedded.odoo_rpc import OdooRpc
from embedded.postgres import Postgres
from embedded.real_odoo import RealOdoo

DATABASE: Final = "branch"
USER: Final = "admin"
"""Who writes there; nobody else does."""

Odoo = OdooRpc | RealOdoo
Say = Callable[[str], None]


def start(stack: ExitStack, postgres: Postgres, seed: int, say: Say) -> Odoo:
    """Start it on a database that nobody has worked with; `stack` ends it.

    The stand-in's database is one of `postgres`; a real Odoo has a Postgres of its own.
    """
    return _real(stack, say) or _stand_in(stack, postgres, seed, say)


def is_real(branch: Odoo) -> bool:
    """Whether it is no stand-in."""
    return branch.kind != OdooRpc.kind


def title(branch: Odoo) -> str:
    """Return what people call it: `Odoo 18.0`, `stand-in for Odoo`."""
    return branch.kind.capitalize() if is_real(branch) else "stand-in for Odoo"


def _stand_in(stack: ExitStack, postgres: Postgres, seed: int, say: Say) -> OdooRpc:
    postgres.create_database(DATABASE)
    dsn = postgres.dsn(DATABASE)
    odoo.create(dsn, seed=seed, size=odoo.OPENED)
    branch = stack.enter_context(OdooRpc.start(dsn))
    say("a branch office with an Odoo of its own: a stand-in of ours, over a second database")
    return branch


def _real(stack: ExitStack, say: Say) -> RealOdoo | None:
    """Start the Odoo that the environment names; None where it names none that can be started."""
    try:
        checkout = real_odoo.Checkout.named()
        if checkout is None:
            return None
        say(f"Odoo {checkout.version} of ODOO_SRC: its database is made once, in some minutes")
        prepared = real_odoo.prepare(checkout)
        postgres = stack.enter_context(real_odoo.start_postgres(prepared))
        branch = stack.enter_context(RealOdoo.start(prepared, postgres, DATABASE))
    except EmbeddedError as error:
        say(f"the Odoo of ODOO_SRC cannot be had, a stand-in takes its place: {error}")
        return None
    say(f"a branch office with an {title(branch)} of its own")
    return branch
