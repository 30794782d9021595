"""What lets us into WSO2, over TLS and without: told as what it is, and changed while it runs."""

from __future__ import annotations

import asyncio
import base64
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from schemas.config import Config, Wso2, load
from streams.chains.outcome import Accepted, Outcome, Refused, Unauthorised, Unavailable
from streams.wso2 import checks
from streams.wso2.sender import Wso2Sender
from streams.wso2.tls import BadTls
from tests.deliveries import a_delivery
from tests.fix_certificates import Authority, Pair
from tests.fix_wso2 import Refuse, Wso2StandIn
from tests.programs import sync_yaml
from tests.stand_ins import Act, Answer, Received

pytestmark = pytest.mark.integration

ROUTES = "routes: [{name: a, model: sale.order, targets: [shop], fields: [name]}]"


def configured(folder: Path, wso2: dict[str, Any]) -> Config:
    file = folder / "sync.yaml"
    text = sync_yaml(
        source="odoo_a",
        dsn="host=127.0.0.1",
        kafka="127.0.0.1:9",
        targets=["shop"],
        routes=ROUTES,
        more={"wso2": {"timeout": "5s", **wso2}},
    )
    file.write_text(text, encoding="utf-8")
    return load(file, {})


async def sent(settings: Wso2) -> Outcome:
    async with Wso2Sender(settings) as sender:
        return await sender.send(a_delivery(), 1)


@dataclass(frozen=True)
class Case:
    """A server's certificate, what we show and trust, and what is said of it."""

    server: Callable[[Authority, Authority], Pair]
    ours: Callable[[Authority, Authority], dict[str, str]]
    why: str
    remedy: str
    clients: bool = False


def good(authority: Authority, _: Authority) -> Pair:
    return authority.issue("wso2")


def trusting(authority: Authority, _: Authority) -> dict[str, str]:
    return {"ca": str(authority.ca)}


def showing(pair: Pair, ca: Path) -> dict[str, str]:
    return {"ca": str(ca), "cert": str(pair.cert), "key": str(pair.key)}


CASES = {
    "nobody is trusted": Case(good, lambda *_: {}, "nobody whom we trust", "wso2.tls.ca"),
    "another CA is trusted": Case(
        good, lambda _, other: {"ca": str(other.ca)}, "nobody whom we trust", "wso2.tls.ca"
    ),
    "expired": Case(
        lambda ours, _: ours.issue("late", days=-1), trusting, "has expired", "renew it in WSO2"
    ),
    "not valid yet": Case(
        lambda ours, _: ours.issue("early", begins=1), trusting, "not valid yet", "clocks"
    ),
    "another host": Case(
        lambda ours, _: ours.issue("elsewhere", "wso2.example"), trusting, "another", "wso2.url"
    ),
    "no certificate of ours": Case(
        good, trusting, "certificate from us", "wso2.tls.cert", clients=True
    ),
    "a certificate of ours that another CA signed": Case(
        good,
        lambda ours, other: showing(other.issue("stranger"), ours.ca),
        "certificate from us",
        "wso2.tls.cert",
        clients=True,
    ),
    "a certificate of ours that has expired": Case(
        good,
        lambda ours, _: showing(ours.issue("old", days=-1), ours.ca),
        "certificate from us",
        "wso2.tls.cert",
        clients=True,
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_law_10_tls_that_does_not_come_about_is_told_as_what_it_is_and_is_no_attempt(
    case: Case, wso2: Wso2StandIn, authority: Authority, stranger: Authority, tmp_path: Path
) -> None:
    pair = case.server(authority, stranger)
    wso2.serve_tls(authority.server(pair, clients=case.clients))
    config = configured(tmp_path, {"url": wso2.url, "tls": case.ours(authority, stranger)})

    outcome = asyncio.run(sent(config.wso2))
    (finding,) = checks.findings(config)

    assert isinstance(outcome, Unavailable)
    assert not outcome.counted
    assert case.why in outcome.why
    assert case.remedy in outcome.remedy
    assert (finding.level, finding.where) == ("error", "wso2.url")
    assert case.why in finding.message
    assert case.remedy in finding.remedy
    assert finding.line
    assert wso2.requests == []


@contextmanager
def telling(context: ssl.SSLContext) -> Iterator[int]:
    """Listen as OpenSSL's own servers do, which say why they end a handshake; give the port."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:  # closed: the test is over
                    return
                with (
                    suppress(OSError),
                    context.wrap_socket(connection, server_side=True) as secured,
                ):
                    secured.recv(1)

        threading.Thread(target=serve, daemon=True).start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
@pytest.mark.parametrize("ours", ["none", "foreign"])
def test_law_10_a_server_that_says_what_it_lacks_is_quoted(
    authority: Authority, stranger: Authority, tmp_path: Path, version: str, ours: str
) -> None:
    context = authority.server(authority.issue("wso2"), clients=True)
    context.minimum_version = context.maximum_version = ssl.TLSVersion[version]
    tls = {"ca": str(authority.ca)}
    if ours == "foreign":
        tls = showing(stranger.issue("stranger"), authority.ca)

    with telling(context) as port:
        config = configured(tmp_path, {"url": f"https://127.0.0.1:{port}/cdc", "tls": tls})
        outcome = asyncio.run(sent(config.wso2))
        (finding,) = checks.findings(config)

    assert isinstance(outcome, Unavailable)
    assert not outcome.counted
    said = "wants a certificate from us" if ours == "none" else "refuses our certificate"
    assert said in outcome.why
    assert said in finding.message
    assert "wso2.tls.cert" in finding.remedy


def test_a_server_without_tls_is_told_as_such(wso2: Wso2StandIn, tmp_path: Path) -> None:
    url = wso2.url.replace("http:", "https:")

    (finding,) = checks.findings(configured(tmp_path, {"url": url}))

    assert "does not speak TLS" in finding.message
    assert "http://" in finding.remedy


async def test_a_certificate_of_ours_lets_us_in(wso2: Wso2StandIn, authority: Authority) -> None:
    wso2.serve_tls(authority.server(authority.issue("wso2"), clients=True))

    outcome = await sent(Wso2(wso2.url, tls=showing(authority.issue("us"), authority.ca)))

    assert outcome == Accepted()


async def test_certificates_are_renewed_for_the_connections_to_come(
    wso2: Wso2StandIn, authority: Authority, stranger: Authority, tmp_path: Path
) -> None:
    mounted, looks = tmp_path / "tls", iter(range(1000))
    mounted.symlink_to(folder_of(stranger.issue("former"), authority.ca, tmp_path / "v1"))
    tls = {"ca": f"{mounted}/ca", "cert": f"{mounted}/cert", "key": f"{mounted}/key"}
    wso2.serve_tls(authority.server(authority.issue("wso2"), clients=True))

    async with Wso2Sender(Wso2(wso2.url, tls=tls), clock=lambda: float(next(looks))) as sender:
        refused = await sender.send(a_delivery(), 1)
        fresh = folder_of(authority.issue("renewed"), authority.ca, tmp_path / "v2")
        (fresh / "key").rename(fresh / "later")
        relink(mounted, fresh)
        half = await sender.send(a_delivery(), 1)
        (fresh / "later").rename(fresh / "key")
        accepted = await sender.send(a_delivery(), 1)

    assert isinstance(refused, Unavailable)
    assert isinstance(half, Unavailable)  # what it was stands while a file is missing
    assert accepted == Accepted()


def folder_of(pair: Pair, ca: Path, folder: Path) -> Path:
    folder.mkdir()
    for name, path in {"ca": ca, "cert": pair.cert, "key": pair.key}.items():
        (folder / name).write_bytes(path.read_bytes())
    return folder


def relink(link: Path, to: Path) -> None:
    fresh = link.with_suffix(".tmp")
    fresh.symlink_to(to)
    fresh.rename(link)


def test_law_10_a_certificate_that_cannot_be_read_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(BadTls):
        Wso2Sender(Wso2("https://127.0.0.1:9", tls={"ca": str(tmp_path / "none")}))


class Guarded(Wso2StandIn):
    """WSO2 that wants a certain Authorization; a token endpoint stands at /token."""

    def __init__(self) -> None:
        self.wanted = ""
        self.secret = ""
        self.seen: list[str] = []
        super().__init__()

    def decide(self, scripted: object, request: Received) -> Act:
        said = request.headers.get("Authorization", "")
        if request.path == "/token":
            if said != self.secret:
                return Answer(401, b'{"error": "invalid_client", "was": "%s"}' % said.encode())
            token = f"token-{len(self.requests)}-of-{self.secret[-6:].strip('=')}"
            self.wanted = f"Bearer {token}"
            body = json.dumps({"access_token": token, "expires_in": 3600})
            return Answer(200, body.encode())
        self.seen.append(said)
        return super().decide(scripted, request) if said == self.wanted else Answer(401)


@pytest.fixture
def guarded() -> Iterator[Guarded]:
    service = Guarded()
    yield service
    service.close()


@pytest.mark.parametrize("way", ["basic", "bearer"])
async def test_a_401_is_answered_with_what_the_file_says_by_then(
    guarded: Guarded, tmp_path: Path, way: str
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("former-one\n")
    given = "${file:secret}"
    auth = {"basic": {"user": "us", "password": given}} if way == "basic" else {way: given}
    header = basic if way == "basic" else "Bearer {1}".format
    config = configured(tmp_path, {"url": guarded.url, "auth": auth})
    guarded.wanted = header("us", "former-one")

    async with Wso2Sender(config.wso2) as sender:
        before = await sender.send(a_delivery(), 1)
        guarded.wanted = header("us", "second-one")
        unknown = await sender.send(a_delivery(), 1)
        secret.write_text("second-one\n")
        after = await sender.send(a_delivery(), 1)
        again = await sender.send(a_delivery(), 1)

    assert before == after == again == Accepted()
    assert isinstance(unknown, Unauthorised)
    former, second = header("us", "former-one"), header("us", "second-one")
    assert guarded.seen == [former, former, former, second, second]


async def test_a_client_secret_is_rotated_while_tokens_go_on(
    guarded: Guarded, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("former-one")
    client = {"client_id": "us", "client_secret": "${file:secret}"}
    token_url = f"http://127.0.0.1:{guarded.port}/token"
    auth = {"oauth2": {"token_url": token_url, **client}}
    config = configured(tmp_path, {"url": guarded.url, "auth": auth})
    guarded.secret = basic("us", "former-one")

    async with Wso2Sender(config.wso2) as sender:
        before = await sender.send(a_delivery(), 1)
        guarded.wanted, guarded.secret = "nothing any more", basic("us", "second-one")
        refused = await sender.send(a_delivery(), 1)
        secret.write_text("second-one")
        after = await sender.send(a_delivery(), 1)

    assert before == after == Accepted()
    assert isinstance(refused, Unauthorised)


async def test_law_10_a_file_with_what_no_header_can_carry_is_a_reason_and_no_end(
    guarded: Guarded, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("former-one")
    config = configured(tmp_path, {"url": guarded.url, "auth": {"bearer": "${file:secret}"}})
    secret.write_text("two\nlines")

    async with Wso2Sender(config.wso2) as sender:
        first = await sender.send(a_delivery(), 1)
        second = await sender.send(a_delivery(), 1)

    assert isinstance(first, Unauthorised)
    assert isinstance(second, Unauthorised)
    assert "wso2.auth.bearer" in second.why


async def test_an_answer_that_repeats_our_token_is_kept_without_it(
    wso2: Wso2StandIn, tmp_path: Path
) -> None:
    token = "t/" + "k" * 20
    config = configured(tmp_path, {"url": wso2.url, "auth": {"bearer": token}})
    wso2.next(Refuse(400, b"x" * 1990 + f"Bearer {token} is not good".encode()))

    outcome = await sent(config.wso2)

    assert isinstance(outcome, Refused)
    assert "k" not in outcome.answer  # cut in the middle neither


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
