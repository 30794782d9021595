"""The token that lets acknowledgements in, exchanged while a worker runs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import aiohttp
import pytest

from schemas.config import Acks, load
from streams.http import tokens
from streams.http.intake import Intake, Response
from tests.programs import sync_yaml

pytestmark = pytest.mark.integration

ROUTES = "routes: [{name: a, model: sale.order, targets: [shop], fields: [name]}]"
WORD = {"id": "odoo_a/shop/sale.order/1/a/6743A1F0-00000000016B3748-00000003-0000"}


async def take(_: Sequence[Response]) -> None:
    """Have them."""


@pytest.fixture
def token(tmp_path: Path) -> Path:
    file = tmp_path / "token"
    file.write_text("former-token\n")
    return file


class Clock:
    """Seconds that pass when told."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def configured(token: Path) -> Acks:
    file = token.with_name("sync.yaml")
    acks = {"listen": "127.0.0.1:0", "token": "${file:token}"}
    text = sync_yaml(
        source="odoo_a", dsn="x", kafka="a:1", targets=["shop"], routes=ROUTES, more={"acks": acks}
    )
    file.write_text(text)
    return load(file, {}).acks


@pytest.fixture
async def listening(token: Path, clock: Clock) -> AsyncIterator[str]:
    async with Intake(configured(token), take, clock=clock) as opened:
        yield f"http://127.0.0.1:{opened.port}/acks"


def becomes(token: Path, text: str | None) -> None:
    if text is None:
        token.unlink()
    else:
        token.write_text(text)


async def said(url: str, token: str) -> int:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    body = {**WORD, "status": "delivered"}
    async with (
        aiohttp.ClientSession() as session,
        session.post(url, json=body, headers=headers) as answer,
    ):
        return answer.status


async def test_a_new_token_is_let_in_at_once_and_the_former_one_for_a_while(
    listening: str, token: Path, clock: Clock
) -> None:
    before = [await said(listening, each) for each in ("former-token", "fresh-token", "")]
    becomes(token, "fresh-token\n")

    during = [await said(listening, each) for each in ("fresh-token", "former-token", "none")]
    clock.now += tokens.OVERLAP
    after = [await said(listening, each) for each in ("fresh-token", "former-token", "")]

    assert before == [204, 401, 401]
    assert during == [204, 204, 401]
    assert after == [204, 401, 401]


async def test_what_is_turned_away_is_counted_and_said_once_a_minute(
    token: Path, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    counted: list[str] = []
    async with Intake(configured(token), take, clock=clock, count=counted.append) as opened:
        url = f"http://127.0.0.1:{opened.port}/acks"
        for _ in range(3):
            assert await said(url, "wrong") == 401
        clock.now += 60
        assert await said(url, "wrong") == 401
        async with (
            aiohttp.ClientSession() as session,
            session.post(url, data=b"{", headers={"Authorization": "Bearer former-token"}) as bad,
        ):
            assert bad.status == 400
        assert await said(url, "former-token") == 204

    assert counted == ["401"] * 4 + ["400"]
    lines = [r for r in caplog.records if r.name == "streams.http.refusals"]
    assert [vars(line)["action"] for line in lines] == ["alarm", "alarm", "acks_refused"]
    assert "wrong" not in caplog.text


@pytest.mark.parametrize("text", ["", "\n", None], ids=["empty", "a line break", "gone"])
async def test_law_10_a_token_that_goes_missing_opens_no_door(
    listening: str, token: Path, text: str | None
) -> None:
    becomes(token, text)

    assert await said(listening, "") == 401
    assert await said(listening, "none") == 401
    assert await said(listening, "former-token") == 204
