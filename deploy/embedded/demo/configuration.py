"""The demo's sync.yaml."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from embedded.demo.branch.routes import BRANCH, ROUTES
from embedded.demo.programs import HEALTH
from embedded.demo.questions import QUESTIONS, SOURCE, TARGET

_HEAD: Final = """\
# Written by `odoo-cdc demo`.
source: {{name: {source}, dsn: "{dsn}"}}
state: ./state
health: {{listen: "${{{health}:-}}"}}      # each program has an address of its own

kafka: {{bootstrap.servers: "{kafka}", session.timeout.ms: 6000}}
topics: {{partitions: 4, replication: 1, retention: 1d}}

wso2: {{url: "{wso2}", timeout: 5s}}
acks: {{listen: "{acks}", url: "http://{acks}/acks"}}

targets:
  {target}:
    url: {webshop}
    timeout: 5s
    ack_timeout: 10s
    retry: [1s, 2s, 5s, 5s, 10s, 30s]
  {office}:                            # a second Odoo, by `odoo-cdc target`
    url: {branch}
    timeout: {patience}s
    ack_timeout: {patience}s
    retry: [100ms, 300ms, 1s, 2s, 5s, 5s, 5s, 10s, 10s, 10s, 30s, 30s, 1m, 1m, 5m]

routes:
"""


def write(path: Path, places: Mapping[str, str], patience: int) -> Path:
    """Write sync.yaml; `places` are `dsn`, `kafka`, `wso2`, `acks`, `webshop` and `branch`.

    The branch answers within `patience` seconds, or a delivery is sent again.
    """
    names = {"source": SOURCE, "target": TARGET, "office": BRANCH, "health": HEALTH}
    head = _HEAD.format(**names, patience=patience, **places)
    path.write_text(head + _routes() + ROUTES, encoding="utf-8")
    return path


def _routes() -> str:
    lines = []
    for question in QUESTIONS:
        lines.append(f"  - name: {question.route}\n    targets: [{TARGET}]")
        lines.append(textwrap.indent(textwrap.dedent(question.yaml).strip("\n").rstrip(), "    "))
    return "\n".join(lines) + "\n"
