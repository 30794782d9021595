"""Opens a file of ours: bytes, YAML, and a section that is asked key by key."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from schemas.config.model import ConfigError, FileUnreadable
from schemas.config.references import References
from schemas.config.section import Notes, Section
from schemas.config.yaml_lines import Lines, Reader


def open_file(
    path: Path, env: Mapping[str, str], begin: str, example: str, *, hint: str = ""
) -> tuple[Section, str]:
    """Return the whole file as a section, and its fingerprint, 16 hex digits.

    `env` is where `${NAME}` comes from; `begin` and `example` help who wrote nothing into it,
    `hint` is the error's own.
    Raises FileUnreadable, and ConfigError where it holds no keys.
    """
    data = _bytes(path)
    reader = Reader(References(env, path.absolute().parent, []))
    values = reader.read(data.decode())
    notes = Notes(Lines(reader.lines), reader.findings)
    if values is None and not notes.findings:
        notes.error("", "the file is empty", f"{begin}; {example}")
    if values is not None and not isinstance(values, dict):
        notes.error("", "the file must hold keys with values", begin)
    if not isinstance(values, dict):
        raise ConfigError(path, notes.findings, hint=hint)
    return Section(notes, "", values), hashlib.sha256(data).hexdigest()[:16]


def _bytes(path: Path) -> bytes:
    try:
        data = path.read_bytes()
        data.decode()
    except OSError as error:
        raise FileUnreadable(f"{path} cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise FileUnreadable(f"{path} is not UTF-8 text: byte {error.start + 1}") from error
    return data
