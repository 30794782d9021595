"""How to work on the demo from another terminal."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from pathlib import Path

from embedded.demo.branch.odoo import title
from embedded.demo.stage import Stage


def guide(stage: Stage) -> list[str]:
    """Return lines to be typed in another terminal, and where things lie."""
    command = shutil.which("odoo-cdc") or str(Path(sys.executable).with_name("odoo-cdc"))
    psql = stage.postgres.installation.bin / "psql"
    client = str(psql) if psql.exists() else "psql"
    office = shlex.quote(stage.branch.dsn)
    services = (stage.capture, stage.stream, stage.webshop, stage.synapse, stage.target)
    logs = [service.log for service in services]
    return [
        f"work on it: export ODOO_CDC_CONFIG={stage.config}",
        f"then: {command} status, {command} queue, {command} trace sale.order 42",
        f"its database: {client} {shlex.quote(stage.dsn)}",
        f"the branch's, of its Odoo ({title(stage.branch)}): {client} {office}",
        f"logs of capture, worker, webshop, WSO2 and target service: {' '.join(map(str, logs))}",
        f"end it: Ctrl-C, or kill {os.getpid()}",
    ]
