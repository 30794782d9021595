"""Token endpoints that give no token: a reason, never the worker's end."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from streams.chains.outcome import Unauthorised
from streams.wso2.credentials import Client, ClientCredentials, Reply

URL = "http://127.0.0.1:9/token"
NESTED = b"[" * 100_000


@pytest.mark.parametrize(
    "body", [NESTED, b"", b"[]", b'{"access_token": "x", "expires_in": []}'], ids=range(4)
)
async def test_law_10_an_answer_without_a_token_is_a_reason(body: bytes) -> None:
    async def post(url: str, form: Mapping[str, str], authorization: str) -> Reply:
        assert (url, dict(form)) == (URL, {"grant_type": "client_credentials"})
        assert authorization.startswith("Basic ")
        return Reply(200, body)

    credentials = ClientCredentials(Client(URL, "us", "secret"), post)

    assert isinstance(await credentials.header(), Unauthorised)
