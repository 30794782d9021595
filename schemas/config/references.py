"""`${NAME}`, `${NAME:-default}` and `${file:PATH}` in sync.yaml.

References are set aside before the text is read as YAML and filled in afterwards, scalar by
scalar: braces do not disturb `{...}`, comments are left alone, and no value of the environment
is ever read as YAML.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_REFERENCE: Final = re.compile(r"\$\{([^{}\n]*)\}")
_NAME: Final = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(?:(:-)(.*))?")
_FILE: Final = "file:"
_MARK: Final = re.compile("\ue000([0-9]+)\ue001")  # private use: nobody types it


class Unresolved(ValueError):
    """A reference leads nowhere."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class References:
    """The references of one file; relative paths start at `folder`."""

    env: Mapping[str, str]
    folder: Path
    found: list[str]

    def set_aside(self, text: str) -> str:
        """Return the text with a mark for every reference, line by line the same."""

        def mark(match: re.Match[str]) -> str:
            self.found.append(match[1])
            return f"\ue000{len(self.found) - 1}\ue001"

        return _REFERENCE.sub(mark, text)

    def fill_in(self, text: str) -> str:
        """Return a scalar with its references' values. Raises Unresolved."""
        return _MARK.sub(lambda match: self._value(self.found[int(match[1])]), text)

    def rereadable(self, text: str) -> bool:
        """Whether a scalar's value may change while the process runs: a file is part of it."""
        numbers = (int(match[1]) for match in _MARK.finditer(text))
        return any(self.found[number].startswith(_FILE) for number in numbers)

    def restore(self, text: str) -> str:
        """Return the text as it was written."""
        return _MARK.sub(lambda match: f"${{{self.found[int(match[1])]}}}", text)

    def _value(self, reference: str) -> str:
        if reference.startswith(_FILE):
            return self._file(reference.removeprefix(_FILE))
        match = _NAME.fullmatch(reference)
        if match is None:
            raise Unresolved(
                f"${{{reference}}} is not a reference",
                "write ${NAME}, ${NAME:-default} or ${file:PATH}",
            )
        name, has_default, default = match.groups()
        value = self.env.get(name, "")
        if value or (name in self.env and not has_default):
            return value
        if has_default:
            return default or ""
        raise Unresolved(
            f"the environment has no {name}", f"set it, or write ${{{name}:-default}}"
        )

    def _file(self, name: str) -> str:
        path = self.folder / Path(name).expanduser()
        try:
            return path.read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
            raise Unresolved(
                f"the file {path} cannot be read: {why}",
                "correct the path: a relative one starts at the folder of sync.yaml",
            ) from error
