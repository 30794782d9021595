"""What `check` says of the state's folder, of Kafka and of WSO2: of facts and answers."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from aiohttp import ClientConnectionError

from cdc.checks import kafka
from cdc.topics import TopicPlan, wanted
from schemas import folder
from schemas.finding import Finding
from streams.chains.outcome import Unauthorised, Unavailable
from streams.filling.reads import Away
from streams.odoo.checks import of_refusal
from streams.wso2 import checks
from streams.wso2.credentials import Reply, of_settings
from streams.wso2.sender import of_error
from streams.wso2.tls import CLOSED, trouble
from tests.check_catalogue.rows import FOLDER, Case, Room, config, facts

Said = dict[str, list[Finding]]

_STATE: Final = Path(FOLDER) / "state"
_OAUTH: Final = {
    "oauth2": {"token_url": "https://wso2/token", "client_id": "a", "client_secret": "b"}
}
_EXPIRED, _EARLY, _HOST, _ADDRESS, _UNKNOWN, _REVOKED = 10, 9, 62, 64, 20, 23  # X509_V_ERR_...


@dataclass(frozen=True, slots=True)
class _Cluster:
    """What Kafka has."""

    topics: Mapping[str, int]
    count: int = 1
    other: tuple[str, ...] = ()  # topics with settings of their own

    def partitions(self) -> dict[str, int]:
        return dict(self.topics)

    def brokers(self) -> int:
        return self.count

    def differing(self, plans: list[TopicPlan]) -> list[TopicPlan]:
        return [plan for plan in plans if plan.name in self.other]


def rooms() -> list[Room]:
    """Return what is said of them."""
    return [
        Room("The folder of `state`", "", facts(_of_folder())),
        Room("Kafka", "", facts(_of_kafka())),
        Room("Odoo's RPC", "Of `source.odoo`, where it is set.", facts(_of_odoo())),
        Room("WSO2", "", facts({**_of_flow(), **_of_way_back(), **_of_trouble()})),
        Room("WSO2 by TLS", "", facts(_of_tls())),
        Room("WSO2 by OAuth 2, and secrets in files", "", facts(_of_tokens())),
    ]


def _of_folder() -> Said:
    def said(nearest: Path, **facts: Any) -> list[Finding]:
        good = {"is_folder": True, "writable": True, "file_system": "ext4"}
        return list(folder.findings(_STATE, folder.Place(nearest, **{**good, **facts})))

    return {
        "a file has its name": said(_STATE, is_folder=False),
        "a folder of somebody else": said(_STATE.parent, writable=False),
        "a folder on NFS": said(_STATE, file_system="nfs4"),
    }


def _of_kafka() -> Said:
    file = config()
    three = config(Case("topics", "replication: 3"))
    topics = {plan.name: plan.partitions for plan in wanted(file)}
    events = "odoo_a.sale.order"
    return {
        "`topics: {replication: 3}` and one broker": kafka.findings(three, _Cluster(topics)),
        "topics of another installation": kafka.findings(file, _Cluster({**topics, events: 4})),
        "before `setup`": kafka.findings(file, _Cluster({})),
        "another `topics.retention` before `setup`": kafka.findings(
            file, _Cluster(topics, other=(events,))
        ),
    }


def _of_flow() -> Said:
    file = config()
    unknown = Reply(422, json.dumps({"status": "UNKNOWN_TARGET"}).encode())
    return {
        "a password that is not right": checks.of_flow(file, Reply(401, b"")),
        "another service at the address": checks.of_flow(file, Reply(200, b"hello")),
        "a target since the artifacts were made": checks.of_target(file, "webshop", unknown),
    }


def _of_way_back() -> Said:
    far = config(Case("wso2", "url: http://wso2.example:8290/cdc"))
    return {"WSO2 on another host, `acks` as they are": checks.of_way_back(far)}


def _of_trouble() -> Said:
    file = config()
    silent = Unavailable("no answer within 10 s")
    return {
        "nothing listens there": checks.of_flow(
            file,
            Unavailable("no connection: Connect call failed ('127.0.0.1', 8290)", counted=False),
        ),
        "it takes too long": checks.of_flow(file, silent),
        "it hangs up": checks.of_flow(file, of_error(ClientConnectionError("closed"), None)),
    }


def _of_odoo() -> Said:
    written = 'odoo: {url: "http://odoo.example:8069", database: odoo, user: sync, api_key: k}'
    file = config(Case("source", written))
    refused = Away("Access Denied", unauthorised=True)
    return {
        "an API key that is not right": [of_refusal(file, refused)],
        "nothing listens there": [of_refusal(file, Away("[Errno 111] Connection refused"))],
    }


def _of_tls() -> Said:
    return {
        "a certificate of yesterday": _refused(_EXPIRED),
        "a certificate of tomorrow": _refused(_EARLY),
        "a certificate for another name": _refused(_HOST),
        "a certificate for another address": _refused(_ADDRESS),
        "a certificate of one's own CA": _refused(_UNKNOWN),
        "a certificate that was revoked": _refused(_REVOKED),
        "WSO2 asks for a client certificate": _alert("TLSV13_ALERT_CERTIFICATE_REQUIRED"),
        "WSO2 does not trust our CA": _alert("TLSV1_ALERT_UNKNOWN_CA"),
        "WSO2 hangs up when it has our certificate": checks.of_flow(
            config(), of_error(ConnectionResetError(), CLOSED)
        ),
        "the port is one of plain HTTP": _alert("WRONG_VERSION_NUMBER"),
        "another reason of OpenSSL": _alert("TLSV1_ALERT_PROTOCOL_VERSION"),
    }


def _refused(code: int) -> list[Finding]:
    error = ssl.SSLCertVerificationError()
    error.verify_code, error.verify_message = code, "certificate revoked"
    return _tls(error)


def _alert(reason: str) -> list[Finding]:
    error = ssl.SSLError()
    error.reason = reason
    return _tls(error)


def _tls(error: ssl.SSLError) -> list[Finding]:
    return checks.of_flow(config(), of_error(error, trouble(error)))


def _of_tokens() -> Said:
    empty, odd = b"{}", json.dumps({"access_token": "a\nb"}).encode()
    return {
        "a secret that is not right": _token(Reply(401, b"")),
        "the token endpoint is not ready": _token(Reply(503, b"")),
        "another service at `token_url`": _token(Reply(200, empty)),
        "a token with line breaks": _token(Reply(200, odd)),
        "a file of a token that has two lines": _header({"bearer": "one\ntwo"}, Reply(400, b"")),
    }


def _token(reply: Reply) -> list[Finding]:
    return _header(_OAUTH, reply)


def _header(auth: Mapping[str, Any], reply: Reply) -> list[Finding]:
    async def post(*_: object) -> Reply:
        return reply

    found = asyncio.run(of_settings(auth, post).header())
    assert isinstance(found, Unavailable | Unauthorised)
    return checks.of_flow(replace(config(), wso2=replace(config().wso2, auth=auth)), found)
