"""The same artifacts as one Carbon application (`.car`), which WSO2 deploys whole. Pure.

A zip: `artifacts.xml` lists what the application is made of, a folder `NAME_VERSION/` of each
artifact holds its description (`artifact.xml`) and its file. Folders have entries of their own,
since what unpacks them makes none. The same artifacts give the same bytes.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Final
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from streams.flow.artifact import Artifact

VERSION: Final = "1.0.0"
"""Of every application: two of different versions would stand beside each other."""
_ROLE: Final = "EnterpriseIntegrator"
_TYPES: Final = {  # in the order of deployment: what is named stands before who names it
    "local-entries": "synapse/local-entry",
    "endpoints": "synapse/endpoint",
    "sequences": "synapse/sequence",
    "api": "synapse/api",
}
_LONG_AGO: Final = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip can say
_FILE: Final = 0o100644 << 16
_FOLDER: Final = (0o40755 << 16) | 0x10  # the flag of a folder beside its mode

_APPLICATION: Final = """\
<?xml version="1.0" encoding="UTF-8"?>
<artifacts>
    <artifact name="{name}" version="{version}" type="carbon/application">
{dependencies}
    </artifact>
</artifacts>
"""
_DEPENDENCY: Final = """\
        <dependency artifact="{name}" version="{version}" include="true" serverRole="{role}"/>"""
_ARTIFACT: Final = """\
<?xml version="1.0" encoding="UTF-8"?>
<artifact name="{name}" version="{version}" type="{kind}" serverRole="{role}">
    <file>{file}</file>
</artifact>
"""


def application(source: str) -> str:
    """Return the name of a source's application: `odoo-cdc-odoo_a`."""
    return f"odoo-cdc-{source}"


def car(artifacts: Mapping[str, Artifact], name: str) -> bytes:
    """Return the application of artifacts, by relative path and named as their files.

    What is none of them, but of the server's own configuration, is left out.
    """
    buffer = io.BytesIO()
    with ZipFile(buffer, "w", ZIP_DEFLATED) as archive:
        for path, text in _entries(artifacts, name):
            info = ZipInfo(path, _LONG_AGO)
            info.external_attr = _FOLDER if path.endswith("/") else _FILE
            info.create_system = 3  # Unix, wherever it is made
            info.compress_type = ZIP_DEFLATED
            archive.writestr(info, text)
    return buffer.getvalue()


def _entries(artifacts: Mapping[str, Artifact], name: str) -> Iterator[tuple[str, str]]:
    order = list(_TYPES)
    mine = [path for path in artifacts if path.split("/")[0] in order]
    paths = sorted(mine, key=lambda path: (order.index(path.split("/")[0]), path))
    names = [PurePosixPath(path).stem for path in paths]
    dependencies = "\n".join(
        _DEPENDENCY.format(name=each, version=VERSION, role=_ROLE) for each in names
    )
    about = {"name": name, "version": VERSION, "dependencies": dependencies}
    yield "artifacts.xml", _APPLICATION.format(**about)
    for path, each in zip(paths, names, strict=True):
        folder, file = f"{each}_{VERSION}/", f"{each}-{VERSION}.xml"
        kind = _TYPES[path.split("/")[0]]
        yield folder, ""
        yield (
            f"{folder}artifact.xml",
            _ARTIFACT.format(name=each, version=VERSION, kind=kind, role=_ROLE, file=file),
        )
        yield f"{folder}{file}", artifacts[path].text
