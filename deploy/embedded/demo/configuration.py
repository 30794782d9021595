"""The demo's sync.yaml."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Final

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

routes:
"""


def write(path: Path, places: Mapping[str, str]) -> Path:
    """Write sync.yaml; `places` are `dsn`, `kafka`, `wso2`, `acks` and `webshop`."""
    head = _HEAD.format(source=SOURCE, target=TARGET, health=HEALTH, **places)
    path.write_text(head + _routes(), encoding="utf-8")
    return path


def _routes() -> str:
    lines = []
    for question in QUESTIONS:
        lines.append(f"  - name: {question.route}\n    targets: [{TARGET}]")
        lines.append(textwrap.indent(textwrap.dedent(question.yaml).strip("\n").rstrip(), "    "))
    return "\n".join(lines) + "\n"
