"""What the catalogue is made of: rows, and files of which `check` says something."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import yaml

from cdc.checks import companies, routes
from cdc.selection import select
from schemas.config import Config, ConfigError, load
from schemas.errors import OdooCdcError
from schemas.finding import Finding
from tests.check_catalogue.models import MODELS, STORED, USERS

FOLDER: Final = "/srv/sync"  # where the page has the file
_FILE: Final[Mapping[str, Mapping[str, str]]] = {  # one of which there is nothing to say
    "source": {"name": "odoo_a", "dsn": "postgresql:///odoo"},
    "kafka": {"bootstrap.servers": '"127.0.0.1:9092"'},
    "wso2": {"url": '"http://127.0.0.1:8290/cdc"'},
    "targets": {"url": '"http://shop.example/in"'},
    "routes": {
        "name": "orders",
        "model": "sale.order",
        "targets": "[webshop]",
        "fields": "[name]",
    },
}
_AROUND: Final = {"targets": ("{webshop: ", "}"), "routes": ("[", "]")}
_WHOLE: Final = "the whole file"


@dataclass(frozen=True, slots=True)
class Row:
    """One finding with its cause: what is written, in code, or what is the case, in words."""

    cause: str
    finding: Finding
    written: bool = True


@dataclass(frozen=True, slots=True)
class Room:
    """One part of the page."""

    title: str
    text: str
    rows: Sequence[Row]


@dataclass(frozen=True, slots=True)
class Case:
    """A file with one thing in it of which there is something to say.

    `written` stands in a section, in place of its own keys of the same names; "" is the file.
    `without` is left out of it. `words` are shown where what is written says too little.
    """

    section: str
    written: str = ""
    without: str = ""
    words: str = ""
    env: Mapping[str, str] = field(default_factory=dict)

    def row(self) -> Row:
        """Return what `check` says of it: one finding, or the case is not what it should be."""
        found = list(_found(self.text(), self.env))
        assert len(found) == 1, (self, found)
        words = self.words or ("" if self.written else f"no `{self.without}`" * bool(self.without))
        return Row(words or self.written, found[0], written=not words)

    def text(self) -> str:
        """Return the whole file."""
        if self.section == _WHOLE:
            return self.written
        gone = {*_keys(self.written), self.without}
        sections = dict(_FILE)
        if self.section:
            sections.setdefault(self.section, {})
        text = ""
        for name, keys in sections.items():
            if not self.section and name in gone:
                continue
            here = name == self.section
            inside = [f"{k}: {v}" for k, v in keys.items() if not here or k not in gone]
            inside += [self.written] if here and self.written else []
            before, after = _AROUND.get(name, ("", ""))
            text += f"{name}: {before}{{{', '.join(inside)}}}{after}\n"
        return text if self.section else text + self.written


def rows(cases: Iterable[Case]) -> list[Row]:
    """Return the rows of files."""
    return [case.row() for case in cases]


def facts(findings: Mapping[str, Iterable[Finding]]) -> list[Row]:
    """Return the rows of what is the case, one finding of each."""
    found = []
    for cause, said in findings.items():
        listed = list(said)
        assert len(listed) == 1, (cause, listed)
        found.append(Row(cause, listed[0], written=False))
    return found


def config(case: Case | None = None) -> Config:
    """Return a valid file, read."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sync.yaml"
        path.write_text((case or Case("source")).text(), encoding="utf-8")
        return load(path, {})


def whole(text: str, words: str = "") -> Case:
    """Return a file of exactly this text."""
    return Case(_WHOLE, text, words=words)


def _found(text: str, env: Mapping[str, str]) -> Iterator[Finding]:
    """Give what `check` says of a file and of the models of a database."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sync.yaml"
        path.write_text(text, encoding="utf-8")
        (Path(folder) / "latin1").write_bytes(b"caf\xe9")
        for each in _of_file(path, env):
            # macOS and Linux have other names for the same folder.
            told = each.message.replace(str(path.absolute().parent), FOLDER)
            yield replace(each, message=told)


def _of_file(path: Path, env: Mapping[str, str]) -> list[Finding]:
    try:
        config = load(path, env)
    except ConfigError as error:
        return error.findings
    found = [*config.warnings, *routes.findings(config, MODELS, USERS)]
    if found:
        return found
    try:
        selection = select(config, MODELS)
    except OdooCdcError as error:
        return [Finding("error", "routes", None, str(error), error.hint)]
    dear = routes.costs(config, MODELS)
    if dear:
        return dear
    return list(companies.findings(config, companies.asked(selection.shapes), STORED))


def _keys(written: str) -> set[str]:
    """Return the names of the keys that are written, none where it is no YAML."""
    for text in (written, f"{{{written}}}"):
        try:
            node = yaml.compose(text, Loader=yaml.BaseLoader)
        except yaml.YAMLError:
            continue
        if isinstance(node, yaml.MappingNode):
            return {key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)}
    return set()
