"""`odoo-cdc status`: how far everything is, from all who know a part of it."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from cdc.contributors import ask
from cdc.prose import columns
from schemas.config import load
from schemas.errors import OdooCdcError
from schemas.terminal import visible

HELP: Final = "lag, WAL held, queue depths, waiting chains, dead letters, rates"
EXAMPLE: Final = "odoo-cdc status --json"
GROUP: Final = "odoo_cdc.status"

_UNAVAILABLE: Final = 3
_WARNINGS: Final = "warnings"
_AWAY: Final = "unavailable"
_UNITS: Final = ("B", "KiB", "MiB", "GiB", "TiB")
_STEP: Final = 1024


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare no arguments of its own."""


def run(args: argparse.Namespace) -> int:
    """Print the reports; 3 where a service could not be asked."""
    config = load(args.config)
    reports: dict[str, dict[str, Any]] = ask(GROUP, config, _unavailable)
    if args.json:
        print(json.dumps({"source": config.source.name, **reports}))
    else:
        print("\n".join(map(visible, lines(config.source.name, reports))))
    away = any(report.get(_AWAY) for report in reports.values())
    return _UNAVAILABLE if away else 0


def _unavailable(error: OdooCdcError) -> dict[str, Any]:
    hint = f" ({error.hint})" if error.hint else ""
    return {_AWAY: f"{error}{hint}"}


def lines(source: str, reports: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Lay the reports out for people: what is one value is a line, what is many a table."""
    found = [f"source {source}"]
    said: list[str] = []
    for name, report in reports.items():
        found += ["", name]
        for key, value in report.items():
            if key in {_WARNINGS, _AWAY}:
                said += [value] if isinstance(value, str) else value
            elif _is_table(value):
                found += ["", f"  {key}", *(f"    {row}" for row in _table(_rows(value)))]
            else:
                found.append(f"  {_label(key):<18} {_text(key, value)}")
    return found + [""] * bool(said) + [f"warning: {each}" for each in said]


def _is_table(value: Any) -> bool:
    if isinstance(value, dict):
        return any(isinstance(each, dict) for each in value.values())
    return isinstance(value, list) and any(isinstance(each, dict) for each in value)


def _rows(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, dict):
        return [{"name": name, **each} for name, each in value.items()]
    return list(value)


def _table(rows: list[dict[str, Any]]) -> Iterable[str]:
    names = list(dict.fromkeys(name for row in rows for name in row))
    cells = [[_label(n) for n in names]]
    cells += [[_text(name, row.get(name)) for name in names] for row in rows]
    return columns(cells)


def _label(key: str) -> str:
    return key.removesuffix("_bytes").replace("_seconds", "_time").replace("_", " ")


def _text(key: str, value: Any) -> str:
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case int() | float() if key.endswith("_bytes"):
            return _size(float(value))
        case int() | float() if key.endswith("_seconds"):
            return _duration(float(value))
        case list() | dict():
            pairs = value.items() if isinstance(value, dict) else ((each, "") for each in value)
            return ", ".join(f"{name} {_part(key, each)}".rstrip() for name, each in pairs) or "-"
        case _:
            return str(value)


def _part(key: str, value: Any) -> str:
    return _text(key, value) if isinstance(value, int | float) else str(value)


def _size(value: float) -> str:
    for unit in _UNITS:
        if value < _STEP or unit == _UNITS[-1]:
            break
        value /= _STEP
    return f"{value:.0f} {unit}" if unit == _UNITS[0] else f"{value:.1f} {unit}"


def _duration(seconds: float) -> str:
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.1f} s"
