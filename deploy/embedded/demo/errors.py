"""What can end a demo.

DemoError
├── ProgramEnded   capture or a worker ended again and again
├── SetUpFailed    `odoo-cdc setup` did not succeed
└── NotSettled     deliveries are still on their way after a long wait
"""

from __future__ import annotations

from schemas.errors import OdooCdcError


class DemoError(OdooCdcError):
    """The demo cannot go on."""

    hint = "What it logged stands above; start it again, with --keep to look at its folder."


class ProgramEnded(DemoError):
    """A program of ours ended by itself."""


class SetUpFailed(DemoError):
    """`odoo-cdc setup` did not succeed."""


class NotSettled(DemoError):
    """Deliveries are still on their way."""

    hint = "`--keep` leaves the folder with every log; `odoo-cdc queue -c FILE` shows what waits."
