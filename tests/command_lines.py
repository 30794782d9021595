"""Which commands there are, and which ones a text names."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from functools import cache
from importlib.metadata import entry_points
from typing import Final

_NAMED: Final = re.compile(r"odoo-cdc ([a-z][a-z0-9-]*)((?: (?:--[a-z][a-z-]*|[^\s`|;]+))*)")
_VERBS: Final = frozenset({"is", "needs", "sets"})  # `odoo-cdc sets it` is no command line


@cache
def commands() -> dict[str, frozenset[str]]:
    """Return the options of every command, by name."""
    found = {}
    for entry in entry_points(group="odoo_cdc.commands"):
        parser = argparse.ArgumentParser()
        for option in ("-c", "--config", "--json", "--log-format"):
            parser.add_argument(option)
        entry.load().configure(parser)
        found[entry.name] = frozenset(
            option
            for action in parser._actions  # noqa: SLF001  argparse tells nobody else
            for option in action.option_strings
        )
    return found


def unknown(text: str) -> Iterator[str]:
    """Give every command and option that a text names and there is not."""
    for name, rest in _NAMED.findall(text):
        if name in _VERBS:
            continue
        if name not in commands():
            yield f"odoo-cdc {name}"
            continue
        for word in rest.split():
            option = word.partition("=")[0].rstrip(".,:)")
            if option.startswith("--") and option not in commands()[name] | {"--help"}:
                yield f"odoo-cdc {name} {option}"
