"""One question to an Odoo's JSON-RPC, for services that wait until theirs answers."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Sequence
from typing import Any

_PATIENCE = 20
"""Seconds for one answer."""


def ask(url: str, service: str, method: str, args: Sequence[Any]) -> Any:
    """Return the result; None where nobody answers, or with an error."""
    params = {"service": service, "method": method, "args": list(args)}
    body = json.dumps({"jsonrpc": "2.0", "method": "call", "id": 1, "params": params}).encode()
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{url}/jsonrpc", data=body, headers=headers)  # noqa: S310 - ours
    try:
        with urllib.request.urlopen(request, timeout=_PATIENCE) as answer:  # noqa: S310 - ours
            return json.load(answer).get("result")
    except (OSError, urllib.error.URLError, ValueError):
        return None
