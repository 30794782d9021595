"""A configuration file is read, or it is refused with findings: nothing else ever happens."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.config import Config, ConfigError, FileUnreadable, Part, load, load_part

EXAMPLE = (Path(__file__).parents[2] / "docs" / "examples" / "sync.yaml").read_bytes()
LINES = EXAMPLE.decode().splitlines()
PIECES = [
    *["{", "}", "[", "]", ": ", "- ", "#", "&a ", "*a", "!!x ", "|", ">", "'", '"', "\t", "\n"],
    *["${X}", "${X:-}", "${file:/}", "${", "null", "true", "0", "1e999", "-", "~", "\ue000", "é"],
    *["each", "map", "path", "table", "else", "match", "ref", "value", "domain", "company"],
]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("config") / "sync.yaml"


def outcome(file: Path) -> Config | ConfigError | FileUnreadable:
    try:
        return load(file, {"X": "x: [1"})
    except (ConfigError, FileUnreadable) as error:
        return error


def source_of(file: Path) -> Part | ConfigError:
    try:
        return load_part(file, lambda _: ("source",), {"X": "x: [1"})
    except ConfigError as error:
        return error


def attempt(file: Path, data: bytes) -> None:
    file.write_bytes(data)
    match outcome(file):
        case Config(routes=routes):
            assert routes
            assert all(route.reads() is not None for route in routes)
        case FileUnreadable(hint=hint):
            assert hint
        case ConfigError(findings=findings):
            assert findings
            # YAML counts lines at \r, \x85 and their like, too.
            last = len(data.decode().splitlines()) + 1
            assert all(finding.message for finding in findings)
            assert all(f.line is None or 1 <= f.line <= last for f in findings)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """Return the example with pieces put in, cut out and lines moved."""
    lines = list(LINES)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(lines) - 1))
        match draw(st.sampled_from(["insert", "cut", "swap", "indent", "drop"])):
            case "insert":
                where = draw(st.integers(0, len(lines[at])))
                piece = draw(st.sampled_from(PIECES))
                lines[at] = lines[at][:where] + piece + lines[at][where:]
            case "cut":
                where = draw(st.integers(0, len(lines[at])))
                lines[at] = lines[at][:where]
            case "swap":
                other = draw(st.integers(0, len(lines) - 1))
                lines[at], lines[other] = lines[other], lines[at]
            case "indent":
                lines[at] = "  " + lines[at]
            case _:
                lines[at] = ""
    return "\n".join(lines).encode()


@given(data=mutated())
def test_a_mutated_file_is_read_or_refused_with_findings(file: Path, data: bytes) -> None:
    attempt(file, data)


@given(data=st.lists(st.tuples(st.integers(0, len(EXAMPLE) - 1), st.integers(0, 255)), max_size=5))
def test_flipped_bytes_are_read_or_refused(file: Path, data: Iterable[tuple[int, int]]) -> None:
    text = bytearray(EXAMPLE)
    for at, byte in data:
        text[at] = byte
    attempt(file, bytes(text))


@given(data=st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(file: Path, data: bytes) -> None:
    attempt(file, data)


@given(data=mutated())
def test_a_part_of_a_mutated_file_is_refused_or_read_for_what_stands_there(
    file: Path, data: bytes
) -> None:
    file.write_bytes(data)
    whole = outcome(file)
    findings = whole.findings if isinstance(whole, ConfigError) else []
    errors = [found for found in findings if found.level == "error"]
    ours = [f for f in errors if f.where in {"", "source"} or f.where.startswith("source.")]

    match source_of(file):
        case Part(config=config, left=left):
            assert (ours, list(left)) == ([], errors)
            assert config.source.name
        case ConfigError(findings=refused):
            assert refused == ours
            assert ours
