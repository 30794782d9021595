"""What a check found: where it is, what it is, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Level = Literal["error", "warning"]


def advised(message: str, remedy: str) -> str:
    """Join what is wrong and what to do: in one sentence, or in two where the remedy is one."""
    if not remedy:
        return message
    if not remedy[0].isupper():
        return f"{message}; {remedy}"
    stop = "" if message.endswith((".", "?", "!")) else "."
    return f"{message}{stop} {remedy}"


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding; `where` is a key of sync.yaml (`routes[3].domain`) or names a service.

    `line` counts from 1 and is None where no line of the file is to blame. `remedy` is the
    reader's next step, "" where the message says it all.
    """

    level: Level
    where: str
    line: int | None
    message: str
    remedy: str = ""

    def text(self, file: object) -> str:
        """Return it as one line: `sync.yaml:14: routes[0].feilds: unknown key; did you ...`."""
        place = f"{file}:{self.line}" if self.line else str(file)
        where = f"{self.where}: " if self.where else ""
        return f"{place}: {where}{advised(self.message, self.remedy)}"

    def to_json(self) -> dict[str, Any]:
        """Return the object that `check --json` lists."""
        return {
            "level": self.level,
            "where": self.where,
            "line": self.line,
            "message": self.message,
            "remedy": self.remedy,
        }


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a domain or a mapping, before anybody knows where in a file it stands.

    `key` is the place inside the route, `map.order_line.map.name` for instance, "" for the whole.
    """

    message: str
    remedy: str
    key: str = ""


def described(value: Any) -> str:
    """Name a value by its kind and never by its text, which may be a secret."""
    match value:
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "a text"
        case list():
            return "a list"
        case dict():
            return "keys with values"
        case _:
            return "nothing"
