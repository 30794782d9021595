"""All artifacts against WSO2's own schemas, where somebody has them: they are not on a registry.

`WSO2_SCHEMAS` names the folder with `synapse_config.xsd`, `schemas/440` of WSO2's language server.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import xmlschema

from schemas.config import Config
from streams.flow.artifacts import KINDS, generate

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif("WSO2_SCHEMAS" not in os.environ, reason="WSO2_SCHEMAS names no folder"),
]
OAUTH = {"token_url": "https://id.example/token", "client_id": "us", "client_secret": "s3cret-id"}
CONNECTOR = re.compile(  # its operations are in no schema
    r"<kafkaTransport\.publishMessages.*</kafkaTransport\.publishMessages>", re.DOTALL
)
TARGETS: dict[str, Any] = {
    "open": "http://open.example/in?a=1&b=2",
    "user": {"url": "http://a/in", "auth": {"basic": {"user": "us", "password": "s3cret-word"}}},
    "token": {"url": "http://b/in", "auth": {"bearer": "s3cret-token"}},
    "oauth": {"url": "http://c/in", "auth": {"oauth2": OAUTH}},
}


@pytest.fixture(scope="module")
def schema() -> xmlschema.XMLSchema:
    file = Path(os.environ["WSO2_SCHEMAS"]) / "synapse_config.xsd"
    # Lax about the schemas themselves: of mediators that we do not use some attributes come twice.
    return xmlschema.XMLSchema(str(file), validation="lax")


@pytest.mark.parametrize("vault", [False, True], ids=["in clear", "vault"])
@pytest.mark.parametrize("to_kafka", [False, True], ids=["http", "kafka"])
def test_every_artifact_is_valid(
    schema: xmlschema.XMLSchema,
    wso2_config: Callable[..., Config],
    to_kafka: bool,  # noqa: FBT001  a parameter of the test
    vault: bool,  # noqa: FBT001
) -> None:
    config = wso2_config(targets=TARGETS, token="s3cret-acks")

    artifacts = generate(config, to_kafka=to_kafka, vault=vault, guard=vault)

    faults = {
        path: str(error.reason)
        for path, artifact in artifacts.items()
        if path.split("/")[0] in KINDS
        for error in schema.iter_errors(CONNECTOR.sub("", artifact.text))
    }
    assert faults == {}


def test_what_is_not_valid_is_found(schema: xmlschema.XMLSchema) -> None:
    text = '<sequence xmlns="http://ws.apache.org/ns/synapse" name="a"><sed/></sequence>'

    assert not schema.is_valid(text)
