"""The Carbon application holds what the plain files hold, as WSO2 reads it."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import PurePosixPath
from xml.etree import ElementTree as ET
from zipfile import ZipFile

import pytest

from schemas.config import Config
from streams.flow.artifacts import generate
from streams.flow.capp import VERSION, application, car

Configure = Callable[..., Config]
TYPES = {
    "synapse/local-entry": "local-entries",
    "synapse/endpoint": "endpoints",
    "synapse/sequence": "sequences",
    "synapse/api": "api",
}


def parsed(archive: ZipFile, path: str) -> ET.Element:
    return ET.fromstring(archive.read(path))  # noqa: S314 - our own text


@pytest.mark.parametrize("to_kafka", [False, True])
def test_it_holds_what_the_plain_files_hold(
    wso2_config: Configure,
    to_kafka: bool,  # noqa: FBT001  a parameter of the test
) -> None:
    config = wso2_config(targets={"a": "http://a/in", "b-c": "https://b/in?x=1&y=2"})
    artifacts = generate(config, to_kafka=to_kafka)

    archive = ZipFile(io.BytesIO(car(artifacts, application(config.source.name))))

    assert archive.testzip() is None
    (app,) = parsed(archive, "artifacts.xml")
    assert (app.get("name"), app.get("type")) == ("odoo-cdc-odoo_a", "carbon/application")
    found = {}
    kinds = []
    for part in app:
        name, version = part.get("artifact"), part.get("version")
        assert part.get("serverRole") == "EnterpriseIntegrator"
        folder = f"{name}_{version}/"
        assert archive.getinfo(folder).is_dir()
        about = parsed(archive, f"{folder}artifact.xml")
        assert (about.get("name"), about.get("version")) == (name, version) == (name, VERSION)
        kind = TYPES[about.get("type") or ""]
        (file,) = about
        found[f"{kind}/{name}.xml"] = archive.read(f"{folder}{file.text}").decode()
        kinds.append(kind)
    assert found == {path: artifact.text for path, artifact in artifacts.items()}
    assert len(archive.namelist()) == 1 + 3 * len(artifacts)
    assert kinds == sorted(kinds, key=list(TYPES.values()).index)


def test_what_names_an_artifact_agrees(wso2_config: Configure) -> None:
    artifacts = generate(wso2_config())
    archive = ZipFile(io.BytesIO(car(artifacts, "odoo-cdc-odoo_a")))

    for path in archive.namelist():
        name = PurePosixPath(path).name
        if name.endswith(f"-{VERSION}.xml"):
            assert parsed(archive, path).get("name") == name.removesuffix(f"-{VERSION}.xml")


def test_the_same_file_gives_the_same_bytes(wso2_config: Configure) -> None:
    artifacts = generate(wso2_config())

    again = dict(reversed(artifacts.items()))
    assert car(artifacts, "x") == car(again, "x")
