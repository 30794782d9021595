"""How the source looks at its records: language, company, and what only Odoo's code says.

Three tables are keyed by `model.field`, of `name_fields` by model; what they say is held against
the database by `check`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from schemas.company import EVERY
from schemas.config.section import Section
from schemas.config.yaml_lines import is_broken, plain
from schemas.dates import WEEK_DAYS
from schemas.domain import BadDomain, Context, OwnFilter, parse

DEFAULTS: Final = "company_defaults"
FILTERS: Final = "field_domains"
NAMES: Final = "name_fields"
MODEL: Final = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)*")
FIELD: Final = re.compile(rf"{MODEL.pattern}\.[A-Za-z_][A-Za-z0-9_]*")
COMPANY: Final = re.compile(r"[1-9][0-9]*|\*")
_LANG: Final = re.compile(r"[a-z]{2,3}(_[A-Za-z0-9]+)?(@[a-z]+)?")
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_FIELD_HELP: Final = "write model and field: res.partner.trust"
_FILTER_HELP: Final = 'write a domain, [["active", "=", true]], or {domain: [...], archived: true}'


def read_context(section: Section) -> Context:
    """Return what `source` says of how records are looked at."""
    return Context(
        lang=section.matching(
            "lang", _LANG, "write Odoo's code with an underscore: en_US", "en_US"
        ),
        company=section.number("company", 1),
        week_start=1
        + WEEK_DAYS.index(section.choice("week_start", WEEK_DAYS[-1], WEEK_DAYS[:-1])),
        defaults=dict(_defaults(section)),
        filters=dict(_filters(section)),
        names=dict(_names(section)),
    )


def _defaults(section: Section) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, value in _table(section, DEFAULTS, FIELD, _FIELD_HELP):
        by_company = value if isinstance(value, dict) else {EVERY: value}
        sound = by_company and all(
            COMPANY.fullmatch(str(company)) and not isinstance(default, dict | list)
            for company, default in by_company.items()
        )
        if sound:
            yield name, {str(company): default for company, default in by_company.items()}
        else:
            remedy = 'write a value, or one for each company: {1: 10.0, "*": 0}'
            section.error(f"{DEFAULTS}.{name}", "this is no default", remedy)


def _filters(section: Section) -> Iterator[tuple[str, OwnFilter]]:
    for name, value in _table(
        section, FILTERS, FIELD, "write model and field: res.partner.child_ids"
    ):
        key = f"{FILTERS}.{name}"
        given = value if isinstance(value, dict) else {"domain": value}
        archived = given.get("archived", False)
        if given.keys() - {"domain", "archived"} or not isinstance(archived, bool):
            section.error(key, "this says no domain", _FILTER_HELP)
            continue
        try:
            found = parse(given.get("domain", []))
        except BadDomain as error:
            section.error(key, str(error), error.hint)
            continue
        # One that leads through another field could come back to itself.
        if any("." in term.path or term.operator in {"any", "not any"} for term in found.terms()):
            remedy = "ask for fields of the records themselves"
            section.error(key, "a field's own domain takes no paths", remedy)
            continue
        yield name, OwnFilter(found, archived)


def _names(section: Section) -> Iterator[tuple[str, tuple[str, ...]]]:
    for model, value in _table(section, NAMES, MODEL, "write a model: res.partner"):
        listed = value if isinstance(value, list) else [value]
        if listed and all(isinstance(name, str) and _NAME.fullmatch(name) for name in listed):
            yield model, tuple(listed)
        else:
            remedy = "write fields of the model itself: [name, code]"
            section.error(f"{NAMES}.{model}", "these are no fields", remedy)


def _table(
    section: Section, key: str, form: re.Pattern[str], remedy: str
) -> Iterator[tuple[str, Any]]:
    value = section.raw(key)
    if value is None or is_broken(value):
        return
    if not isinstance(value, dict):
        section.error(key, "names with values are wanted here", remedy)
        return
    for name, each in value.items():
        if form.fullmatch(str(name)):
            yield str(name), plain(each)
        else:
            section.error(f"{key}.{name}", f'"{name}" is no name here', remedy)
