"""What `check` can know of WSO2 before anything is sent: is it there, and does it know us."""

from __future__ import annotations

import asyncio
import json
from typing import Final
from urllib.parse import urlsplit

from schemas.config import Config
from schemas.errors import OdooCdcError
from schemas.finding import Finding
from streams.chains.item import REQUIRED
from streams.chains.outcome import Unauthorised, Unavailable
from streams.wso2.credentials import Reply
from streams.wso2.sender import Wso2Sender

_WHERE: Final = "wso2.url"
_AUTH: Final = "wso2.auth"
_DEPLOY: Final = "make the artifacts with `odoo-cdc wso2 generate --out FOLDER` and deploy them"
_LOOPBACK: Final = frozenset({"localhost", "::1"})
_NOBODY: Final = "-"  # no target's name: the flow's answer says only that the flow is there


def findings(config: Config) -> list[Finding]:
    """Ask WSO2 for every target without delivering anything; blocking, no event loop may run."""
    try:
        return asyncio.run(_ask(config))
    except OdooCdcError as error:
        return [Finding("error", "wso2", None, str(error), error.hint)]


async def _ask(config: Config) -> list[Finding]:
    async with Wso2Sender(config.wso2) as sender:
        found = of_flow(config, await sender.probe(_NOBODY))
        if found:
            return found
        found += of_way_back(config)
        for target in sorted(config.targets):
            found += of_target(config, target, await sender.probe(target))
        return found


def of_flow(config: Config, reply: Reply | Unavailable | Unauthorised) -> list[Finding]:
    """Say what an answer to a request without headers tells of the flow; nothing of ours."""
    match reply:
        case Unavailable(why=why, remedy=remedy):
            return [
                _finding(
                    config,
                    _WHERE,
                    f"WSO2 cannot be asked at {config.wso2.url}: {why}",
                    remedy or "start WSO2 or correct wso2.url",
                )
            ]
        case Unauthorised(why=why):
            way = "".join(f".{way}" for way in config.wso2.auth)
            return [_finding(config, _AUTH, why, f"correct wso2.auth{way}")]
        case Reply(status=401 | 403 as status):
            return [
                _finding(
                    config,
                    _AUTH,
                    f"WSO2 answers {status}: it does not let us in",
                    "correct wso2.auth: basic, bearer or oauth2",
                )
            ]
        case Reply() if _status(reply) == "BAD_HEADERS":
            return []
        case Reply(status=status):
            return [
                _finding(
                    config,
                    _WHERE,
                    f"WSO2 answers {status}, not as our flow does: it is not at {config.wso2.url}",
                    f"{_DEPLOY}, or correct wso2.url; a flow of your own answers a POST without"
                    ' headers with 400 and {"status": "BAD_HEADERS"}',
                )
            ]


def of_way_back(config: Config) -> list[Finding]:
    """Warn where WSO2 runs elsewhere and would look for us on its own host."""
    waits = any(target.acknowledge == REQUIRED for target in config.targets.values())
    if not (waits and config.acks.listen and _is_loopback(config.acks.url)):
        return []
    if _is_loopback(config.wso2.url):
        return []
    where = "acks.url"
    return [
        Finding(
            "warning",
            where,
            config.lines.of(where),
            f"WSO2 is at {urlsplit(config.wso2.url).hostname}, and is told to send"
            f" acknowledgements to {config.acks.url}, which is its own host",
            "write the address of this host as WSO2 sees it as acks.url, listen there"
            f" (acks.listen), then {_DEPLOY} again",
        )
    ]


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    return host in _LOOPBACK or host.startswith("127.")


def of_target(
    config: Config, target: str, reply: Reply | Unavailable | Unauthorised
) -> list[Finding]:
    """Say whether the flow knows a target."""
    if isinstance(reply, Reply) and _status(reply) == "UNKNOWN_TARGET":
        return [
            _finding(
                config,
                f"targets.{target}",
                f"the deployed WSO2 artifacts do not know the target {target}",
                f"{_DEPLOY} again",
            )
        ]
    return []


def _status(reply: Reply) -> str:
    try:
        answer = json.loads(reply.body)
    except (ValueError, RecursionError):
        return ""
    return str(answer.get("status", "")) if isinstance(answer, dict) else ""


def _finding(config: Config, where: str, message: str, remedy: str) -> Finding:
    return Finding("error", where, config.lines.of(where), message, remedy)
