"""Every error has a hint, every hint names what exists, and the page of them is current."""

from __future__ import annotations

import argparse
import ast
import re
from collections.abc import Iterator
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path

from tests.error_catalogue import FILE, errors, page, sentence

ROOT = Path(__file__).parents[2]
COMMAND = re.compile(r"odoo-cdc ([a-z][a-z0-9]*)((?: --?[a-z][a-z-]*)*)")
NO_COMMANDS = {"is", "needs", "sets"}  # `odoo-cdc sets it`: the project, not a command line


def test_law_10_every_error_says_what_happened_and_what_to_do() -> None:
    for error in errors():
        assert sentence(error).endswith("."), error
        assert error.hint, error


def test_every_command_that_a_text_names_exists_with_its_options() -> None:
    parsers = commands()
    for place, text in texts():
        for name, options in COMMAND.findall(text):
            if name in NO_COMMANDS:
                continue
            assert name in parsers, f"{place} names `odoo-cdc {name}`, which there is not"
            for option in options.split():
                assert option in parsers[name], f"{place} names {name} {option}"


def test_the_page_of_errors_is_what_the_code_says() -> None:
    assert FILE.read_text(encoding="utf-8") == page(), "run `python -m tests.error_catalogue`"


@cache
def commands() -> dict[str, set[str]]:
    """Return the options of every command."""
    found = {}
    for entry in entry_points(group="odoo_cdc.commands"):
        parser = argparse.ArgumentParser()
        for option in ("-c", "--config", "--json", "--log-format"):
            parser.add_argument(option)
        entry.load().configure(parser)
        found[entry.name] = {
            option
            for action in parser._actions  # noqa: SLF001  argparse tells nobody else
            for option in action.option_strings
        }
    return found


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
