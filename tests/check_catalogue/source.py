"""Every place in the source that makes a finding, with the texts that it can make.

Texts are patterns: what is known only while the program runs stands for anything. A place whose
message is not known at all passes on what another one says.
"""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from schemas.finding import Fault, Finding
from tests.check_catalogue.texts import ANYTHING, Scope, Text, name_of, own

ROOT: Final = Path(__file__).parents[2]
MODULES: Final = (  # what `check` asks, and what says why these refuse
    "schemas/config/*.py",
    "schemas/domain/*.py",
    "schemas/mapping/check.py",
    "schemas/mapping/parse.py",
    "schemas/fields.py",
    "schemas/folder.py",
    "schemas/shaping.py",
    "cdc/checks/*.py",
    "cdc/kafka_admin.py",
    "cdc/selection.py",
    "cdc/todo.py",
    "streams/odoo/checks.py",
    "streams/wso2/checks.py",
    "streams/wso2/credentials.py",
    "streams/wso2/sender.py",
    "streams/wso2/tls.py",
)
_BEFORE: Final = "(?:.*: )?"
_LOGGER: Final = "logger"


class Made(NamedTuple):
    """Where a function that makes findings takes message and remedy, from 0."""

    message: int
    remedy: int
    form: str = "{}"  # what it makes of the message


_FUNCTIONS: Final = {
    "BadDomain": Made(0, 9),
    "Fault": Made(0, 1),
    "Finding": Made(3, 4),
    "PartitionsFixed": Made(0, 9),
    "Trouble": Made(0, 1),
    "Unauthorised": Made(0, 9),
    "Unavailable": Made(0, 9),
    "Unknown": Made(0, 9),
    "Unreadable": Made(0, 9),
    "Unresolved": Made(0, 1),
    "_error": Made(0, 1),
    "_finding": Made(2, 3),
    "_publication": Made(1, 2),
    "_slot": Made(1, 2),
    "_warning": Made(0, 1),
}
_METHODS: Final = {
    "_bad": Made(0, 1),
    "_fault": Made(1, 2),
    "_found": Made(2, 3),
    "_mistyped": Made(2, 3, "{} is wanted here, not "),
    "error": Made(1, 2),
    "warning": Made(1, 2),
}
_REMEDIES: Final = ("remedy", "hint")  # as keywords
_TEXTS: Final = {("cdc/todo.py", "unfit")}  # functions that return a message


class Missing(NamedTuple):
    """A text that no finding shows."""

    place: Place
    what: str  # message or remedy
    pattern: str

    def __str__(self) -> str:
        """Name the place, and what is said there."""
        text = self.pattern.removeprefix(_BEFORE).replace(".*", "...")
        text = re.sub(r"\\(.)", r"\1", text)
        return f"{self.place}: no row shows the {self.what} {text}"


@dataclass(frozen=True, slots=True)
class Place:
    """One place that makes a finding; `function` is "" for the module itself."""

    file: str
    line: int
    function: str
    messages: tuple[re.Pattern[str], ...]
    remedies: tuple[re.Pattern[str], ...]

    def __str__(self) -> str:
        """Name it as an editor finds it."""
        return f"{self.file}:{self.line}"


def missing(findings: Sequence[Finding | Fault]) -> list[Missing]:
    """Return every text of the source that none of the findings shows."""
    return [each for place in places() for each in _missing(place, findings)]


def passed_on() -> set[tuple[str, str]]:
    """Return file and function of the places whose messages are others'."""
    return {
        (place.file, place.function)
        for place in places()
        if not all(is_known(pattern) for pattern in place.messages)
    }


def _missing(place: Place, findings: Sequence[Finding | Fault]) -> Iterator[Missing]:
    mine = [each for each in findings if any(m.fullmatch(each.message) for m in place.messages)]
    for pattern in place.messages:
        if is_known(pattern) and not any(pattern.fullmatch(each.message) for each in mine):
            yield Missing(place, "message", pattern.pattern)
    for pattern in place.remedies:
        if is_known(pattern) and not any(pattern.fullmatch(each.remedy) for each in mine):
            yield Missing(place, "remedy", pattern.pattern)


def files() -> list[str]:
    """Return the files that are looked at, below the root."""
    found = {each for pattern in MODULES for each in ROOT.glob(pattern)}
    return sorted(each.relative_to(ROOT).as_posix() for each in found)


def places() -> list[Place]:
    """Return every place in these files."""
    return [place for file in files() for place in _of_file(file)]


def makers() -> set[str]:
    """Return all files of the programs that make a Finding or a Fault."""
    found = set()
    for package in ("schemas", "cdc", "streams"):
        for path in (ROOT / package).rglob("*.py"):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            names = {name_of(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
            if names & {"Finding", "Fault"}:
                found.add(path.relative_to(ROOT).as_posix())
    return found


def _of_file(file: str) -> Iterator[Place]:
    module = importlib.import_module(
        file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    )
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    for function in (tree, *_functions(tree)):
        name = getattr(function, "name", "")
        for node in own(function):
            scope = Scope(module, function, getattr(node, "lineno", 0))
            if isinstance(node, ast.Call) and (made := _made(node)) is not None:
                yield Place(file, node.lineno, name, *_said(node, made, scope))
            elif isinstance(node, ast.Return) and (file, name) in _TEXTS and node.value:
                texts = [text for text in scope.texts(node.value) if any(text)]
                yield Place(file, node.lineno, name, _patterns(texts, "{}", ends=False), ())


def _functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def _made(call: ast.Call) -> Made | None:
    match call.func:
        case ast.Name(id=name):
            return _FUNCTIONS.get(name)
        case ast.Attribute(value=ast.Name(id=receiver), attr=_) if receiver == _LOGGER:
            return None
        case ast.Attribute(attr=name):
            return _METHODS.get(name)
        case _:
            return None


Patterns = tuple[re.Pattern[str], ...]


def _said(call: ast.Call, made: Made, scope: Scope) -> tuple[Patterns, Patterns]:
    named = {each.arg: each.value for each in call.keywords}
    # What is given as a list is not known.
    given = [] if any(isinstance(a, ast.Starred) for a in call.args) else call.args
    message = given[made.message] if made.message < len(given) else named.get("message")
    remedy = given[made.remedy] if made.remedy < len(given) else None
    remedy = remedy or next((named[each] for each in _REMEDIES if each in named), None)
    messages = [ANYTHING] if message is None else scope.texts(message)
    remedies = [] if remedy is None else [text for text in scope.texts(remedy) if any(text)]
    ends = made.form == "{}"
    return _patterns(messages, made.form, ends=ends), _patterns(remedies, "{}", ends=True)


def _patterns(texts: list[Text], form: str, *, ends: bool) -> Patterns:
    before, after = form.split("{}")
    found = {
        re.compile(
            # What passes it on may say before where it is: a term, a service.
            (_BEFORE if ends or before or after else ".*")
            + re.escape(before)
            + "".join(".*" if part is None else re.escape(part) for part in text)
            + re.escape(after)
            + ("" if ends else ".*"),
            re.DOTALL,
        )
        for text in texts
    }
    return tuple(sorted(found, key=lambda each: each.pattern))


def is_known(pattern: re.Pattern[str]) -> bool:
    """Whether a pattern says more than that there is a text."""
    return bool(re.search("[A-Za-z]", pattern.pattern))
