"""Every error has a hint, every hint names what exists, and the page of them is current."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.command_lines import unknown
from tests.error_catalogue import FILE, errors, page, sentence

ROOT = Path(__file__).parents[2]


def test_law_10_every_error_says_what_happened_and_what_to_do() -> None:
    for error in errors():
        assert sentence(error).endswith("."), error
        assert error.hint, error


def test_every_command_that_a_text_names_exists_with_its_options() -> None:
    for place, text in texts():
        assert list(unknown(text)) == [], place


def test_the_page_of_errors_is_what_the_code_says() -> None:
    assert FILE.read_text(encoding="utf-8") == page(), "run `python -m tests.error_catalogue`"


def texts() -> Iterator[tuple[str, str]]:
    """Give every string of the programs that is no docstring, whole, with its place."""
    for package in ("cdc", "streams", "schemas", "deploy/embedded"):
        for path in sorted((ROOT / package).rglob("*.py")):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
            for node in ast.walk(tree):
                place = f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}"
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    if id(node) not in docs:
                        yield place, node.value
                elif isinstance(node, ast.JoinedStr):
                    yield place, "".join(_part(value) for value in node.values)


def _part(value: ast.expr) -> str:
    return str(value.value) if isinstance(value, ast.Constant) else "{}"
