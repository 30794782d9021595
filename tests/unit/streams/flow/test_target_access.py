"""How WSO2 makes itself known to targets, with secrets in clear and in its vault."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET
from zipfile import ZipFile

import pytest

from cdc.__main__ import main
from schemas.config import Config
from streams.commands.wso2 import write
from streams.flow.artifact import Artifact, NotGenerated
from streams.flow.artifacts import generate
from streams.flow.capp import car
from streams.flow.vault import secrets_of
from tests.fix_wso2_flow import sync_yaml

NS = "{http://ws.apache.org/ns/synapse}"
ALIAS = "{http://org.wso2.securevault/configuration}secretAlias"
HEADERS = "sequences/CdcTargetAuthorization.xml"
PROFILES = "conf/CdcTlsProfiles.xml"
SECRETS = {
    "password": "s3cret&password<'\">",
    "bearer": "s3cret-bearer",
    "client_secret": "s3cret&client",
    "keystore_password": "s3cret&keys",
    "truststore_password": "s3cret&trust",
    "token": "s3cret-acks",
}
OAUTH = {
    "token_url": "https://id.example/token?a=1&b=2",
    "client_id": "odoo&cdc",
    "client_secret": SECRETS["client_secret"],
}
TLS = {
    "keystore": "repository/resources/security/shop.p12",
    "keystore_password": SECRETS["keystore_password"],
    "truststore": "repository/resources/security/trust.jks",
    "truststore_password": SECRETS["truststore_password"],
}
TARGETS: dict[str, Any] = {
    "open": {"url": "http://open.example/in"},
    "user": {
        "url": "https://user.example/in",
        "auth": {"basic": {"user": "o'döo", "password": SECRETS["password"]}},
    },
    "token": {"url": "https://token.example/in", "auth": {"bearer": SECRETS["bearer"]}},
    "oauth": {"url": "https://oauth.example/in?x=1&y=2", "auth": {"oauth2": OAUTH}},
    "mutual": {"url": "https://mutual.example:8443/in", "tls": TLS},
}
Configure = Callable[..., Config]


@pytest.fixture
def config(wso2_config: Configure) -> Config:
    return wso2_config(targets=TARGETS, token=SECRETS["token"])


def root(artifacts: dict[str, Artifact], path: str) -> ET.Element:
    return ET.fromstring(artifacts[path].text)  # noqa: S314 - our own text


def header_of(artifacts: dict[str, Artifact], target: str) -> ET.Element:
    """Return the one header that a target gets."""
    cases = root(artifacts, HEADERS).findall(f"{NS}switch/{NS}case[@regex='{target}']")
    ((header,),) = cases
    assert (header.get("name"), header.get("scope")) == ("Authorization", "transport")
    return header


def test_basic_and_bearer_are_headers_of_their_targets_alone(config: Config) -> None:
    artifacts = generate(config)

    switch = root(artifacts, HEADERS).find(f"{NS}switch")
    assert switch is not None
    assert switch.get("source") == "$ctx:cdc_target"
    assert [case.get("regex") for case in switch] == ["token", "user"]
    assert header_of(artifacts, "token").get("value") == f"Bearer {SECRETS['bearer']}"
    scheme, coded = (header_of(artifacts, "user").get("value") or "").split(" ")
    assert scheme == "Basic"
    assert base64.b64decode(coded).decode() == f"o'döo:{SECRETS['password']}"


def test_with_oauth2_the_endpoint_fetches_its_tokens(config: Config) -> None:
    endpoint = root(generate(config), "endpoints/CdcTarget_oauth.xml")

    http = endpoint.find(f"{NS}http")
    assert http is not None
    assert (http.get("method"), http.get("uri-template")) == ("post", TARGETS["oauth"]["url"])
    given = http.find(f"{NS}authentication/{NS}oauth/{NS}clientCredentials")
    assert given is not None
    assert {each.tag.removeprefix(NS): each.text for each in given} == {
        "clientId": OAUTH["client_id"],
        "clientSecret": OAUTH["client_secret"],
        "tokenUrl": OAUTH["token_url"],
        "authMode": "header",
    }
    plain = root(generate(config), "endpoints/CdcTarget_open.xml").find(f"{NS}address")
    assert plain is not None
    assert [(each.tag, each[0].text) for each in http[:3]] == [
        (each.tag, each[0].text) for each in plain
    ]


def test_a_target_with_stores_has_a_profile_and_no_other(config: Config) -> None:
    (profile,) = root(generate(config), PROFILES)

    assert profile.findtext("servers") == "mutual.example:8443"
    stores = {
        store.tag: {each.tag: each.text for each in store}
        for store in profile
        if store.tag != "servers"
    }
    assert stores == {
        "KeyStore": {
            "Location": TLS["keystore"],
            "Type": "PKCS12",
            "Password": TLS["keystore_password"],
            "KeyPassword": TLS["keystore_password"],
        },
        "TrustStore": {
            "Location": TLS["truststore"],
            "Type": "JKS",
            "Password": TLS["truststore_password"],
        },
    }


def test_files_with_secrets_are_for_their_owner_only(config: Config, tmp_path: Path) -> None:
    artifacts = generate(config)

    write(artifacts, tmp_path)

    private = {
        str(file.relative_to(tmp_path))
        for file in tmp_path.rglob("*.xml")
        if file.stat().st_mode & 0o777 == 0o600
    }
    telling = {path for path, each in artifacts.items() if "s3cret" in each.text}
    telling |= {HEADERS}  # Basic hides nothing from who can read it
    assert private == telling
    assert telling == {
        HEADERS,
        PROFILES,
        "sequences/CdcAckAuthorization.xml",
        "endpoints/CdcTarget_oauth.xml",
    }


def holders(folder: Path) -> dict[str, int]:
    """Return the files that hold a secret, with their rights; of an archive all that is in it."""
    coded = base64.b64encode(f"o'döo:{SECRETS['password']}".encode())
    found = {}
    for file in (each for each in folder.rglob("*") if each.is_file()):
        data = file.read_bytes()
        if file.suffix == ".car":
            with ZipFile(file) as archive:
                data = b"".join(map(archive.read, archive.namelist()))
        if b"s3cret" in data or coded in data:
            found[str(file.relative_to(folder))] = file.stat().st_mode & 0o777
    return found


@pytest.mark.parametrize("acks", ["http", "kafka"])
def test_the_command_shows_no_secret_and_only_its_owner_reads_the_files_that_hold_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], acks: str
) -> None:
    config, out = tmp_path / "sync.yaml", tmp_path / "out"
    config.write_text(sync_yaml(targets=TARGETS, token=SECRETS["token"]))
    command = ["wso2", "generate", "-c", str(config), "--acks", acks]
    command += ["--out", str(out), "--car", str(out / "flow.car")]

    assert main(command) == 0
    held = holders(out)
    for file in held:  # as a copy or a checkout leaves them
        (out / file).chmod(0o644)
    assert main([*command, "--json"]) == 0
    again = holders(out)
    assert main([*command, "--vault"]) == 0
    assert main([*command, "--vault", "--json"]) == 0

    said = capsys.readouterr()
    assert not any(secret in said.out + said.err for secret in ("s3cret", *SECRETS.values()))
    files = {HEADERS, PROFILES, "endpoints/CdcTarget_oauth.xml", "flow.car"}
    if acks == "http":
        files.add("sequences/CdcAckAuthorization.xml")
    assert held == again == dict.fromkeys(files, 0o600)
    assert holders(out) == {}


def test_with_the_vault_no_file_holds_a_secret(config: Config) -> None:
    artifacts = generate(config, vault=True)

    coded = base64.b64encode(f"o'döo:{SECRETS['password']}".encode()).decode()
    for artifact in artifacts.values():
        assert not artifact.secret
        assert not any(secret in artifact.text for secret in ("s3cret", coded))
    assert header_of(artifacts, "token").get("expression") == (
        "concat('Bearer ', wso2:vault-lookup('odoo_cdc_bearer_of_token'))"
    )
    assert header_of(artifacts, "user").get("expression") == (
        "concat('Basic ', base64Encode("
        "concat(\"o'döo:\", wso2:vault-lookup('odoo_cdc_password_of_user'))))"
    )
    endpoint = root(artifacts, "endpoints/CdcTarget_oauth.xml")
    assert endpoint.findtext(f".//{NS}clientSecret") == (
        "{wso2:vault-lookup('odoo_cdc_client_secret_of_oauth')}"
    )
    passwords = [each for each in root(artifacts, PROFILES).iter() if "Password" in each.tag]
    assert [each.get(ALIAS) for each in passwords] == [
        "odoo_cdc_keystore_password_of_mutual",
        "odoo_cdc_keystore_password_of_mutual",
        "odoo_cdc_truststore_password_of_mutual",
    ]


def test_every_name_that_artifacts_look_up_is_listed(config: Config) -> None:
    names = list(secrets_of(config, to_kafka=False))

    texts = "".join(artifact.text for artifact in generate(config, vault=True).values())
    assert all(name.alias in texts for name in names)
    assert texts.count("vault-lookup(") == 4
    assert {name.where: name.text for name in names} == {
        "acks.token": SECRETS["token"],
        "targets.user.auth.basic.password": SECRETS["password"],
        "targets.token.auth.bearer": SECRETS["bearer"],
        "targets.oauth.auth.oauth2.client_secret": SECRETS["client_secret"],
        "targets.mutual.tls.keystore_password": SECRETS["keystore_password"],
        "targets.mutual.tls.truststore_password": SECRETS["truststore_password"],
    }


def test_names_in_the_vault_are_never_those_of_another_target(wso2_config: Configure) -> None:
    targets = {
        name: {
            "url": f"https://{name}.example/in",
            "auth": {"bearer": "s3cret-bearer"},
            "tls": TLS,
        }
        for name in ("a", "a_keystore", "of_a", "acks")
    }
    names = [name.alias for name in secrets_of(wso2_config(targets=targets), to_kafka=False)]

    assert len(names) == len(set(names)) == 12


def test_words_to_kafka_need_no_token(config: Config) -> None:
    assert "acks.token" not in [each.where for each in secrets_of(config, to_kafka=True)]


def test_an_application_leaves_the_servers_own_configuration_out(config: Config) -> None:
    artifacts = generate(config)

    names = ZipFile(io.BytesIO(car(artifacts, "x"))).namelist()

    assert len(names) == 1 + 3 * (len(artifacts) - 1)
    assert not any("CdcTlsProfiles" in name for name in names)


@pytest.mark.parametrize(
    ("targets", "said"),
    [
        pytest.param(
            {"a": {"url": "https://user:s3cret-word@a.example/in"}},
            "targets.a.url holds a password",
            id="a password in a URL",
        ),
        pytest.param(
            {"a": {"url": "https://a/in", "auth": {"oauth2": {**OAUTH, "client_secret": "{1}"}}}},
            "client_secret stands in braces",
            id="a secret that reads like an expression",
        ),
        pytest.param(
            {
                "a": {
                    "url": "https://a/in",
                    "auth": {"oauth2": {**OAUTH, "client_secret": "1\x07"}},
                }
            },
            "client_secret holds characters that XML cannot",
            id="a secret that XML cannot hold",
        ),
        pytest.param(
            {"a": {"url": "https://127.0.0.1/in", "tls": TLS}},
            "by an address",
            id="a profile for an address",
        ),
        pytest.param(
            {
                "a": {"url": "https://one.example/a", "tls": TLS},
                "b": {"url": "https://one.example:443/b"},
            },
            "targets a and b are one server, one.example:443",
            id="two profiles of one server",
        ),
    ],
)
def test_what_wso2_cannot_be_given_is_refused(
    wso2_config: Configure, targets: dict[str, Any], said: str
) -> None:
    with pytest.raises(NotGenerated, match=said) as refusal:
        generate(wso2_config(targets=targets))

    assert refusal.value.hint
    assert "s3cret" not in f"{refusal.value} {refusal.value.hint}"


def test_quotes_of_both_kinds_cannot_be_looked_up(wso2_config: Configure) -> None:
    auth = {"basic": {"user": "a'b\"c", "password": "s3cret-word"}}
    config = wso2_config(targets={"a": {"url": "https://a/in", "auth": auth}})

    assert HEADERS in generate(config)
    with pytest.raises(NotGenerated, match="quotes of both kinds"):
        generate(config, vault=True)


def test_the_command_names_what_is_left_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "sync.yaml").write_text(sync_yaml(targets=TARGETS, token=SECRETS["token"]))
    command = ["wso2", "generate", "-c", str(tmp_path / "sync.yaml"), "--vault"]

    assert main(command) == 0
    human = capsys.readouterr()
    assert main([*command, "--json"]) == 0
    machine = capsys.readouterr()

    assert "odoo_cdc_password_of_user  targets.user.auth.basic.password" in human.out
    assert PROFILES in human.out
    assert "s3cret" not in human.out + human.err + machine.out + machine.err
    said = json.loads(machine.out)
    assert {"alias": "odoo_cdc_acks_token", "where": "acks.token"} in said["secrets"]
    assert not any(artifact["secret"] for artifact in said["artifacts"])
