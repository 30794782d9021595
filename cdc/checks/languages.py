"""Languages that sync.yaml asks for, against those that are active in Odoo. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Final

from schemas.config import Config
from schemas.dates import DAY_OF_WEEK, WEEK_DAYS
from schemas.document import NotShown, Shape, resolve
from schemas.fields import nearest
from schemas.finding import Finding
from schemas.mapping import paths

_EVERY: Final = "*"
_WEEK: Final = "source.week_start"
_ENGLISH: Final = "en_US"  # of every Odoo, and what stands in for the others


def findings(config: Config, active: Collection[str] | None) -> list[Finding]:
    """Warn of languages that are not active; of none where `active` is not known."""
    if active is None:
        return []
    known = {*active, _ENGLISH, _EVERY}
    return [
        Finding(
            "warning",
            where,
            None,
            f'no language "{lang}" is active in Odoo: {_ENGLISH} is sent in its place',
            _remedy(lang, sorted(known - {_EVERY})),
        )
        for where, lang in _asked(config)
        if lang not in known
    ]


def counts_days(config: Config, shapes: tuple[Shape, ...]) -> bool:
    """Say whether a domain asks for a day of the week: then it matters which is the first.

    Routes whose documents are not among `shapes` are left out.
    """
    roots = {shape.model: shape for shape in shapes}
    return any(
        _part(roots[route.model], read.path) == DAY_OF_WEEK
        for route in config.routes
        if route.model in roots
        for read in route.reads()
        if read.asked
    )


def of_week(config: Config, first: Mapping[str, int] | None) -> list[Finding]:
    """Tell of a week that begins with another day in Odoo; `first` are days by language."""
    context = config.source.context
    said = WEEK_DAYS[context.week_start - 1]
    if first is None:
        return [
            Finding(
                "warning",
                _WEEK,
                None,
                f"whether a week of {context.lang} begins with {said} could not be read:"
                f" {DAY_OF_WEEK} counts from there",
                "let the role of source.dsn SELECT (code, active, week_start) on res_lang",
            )
        ]
    found = first.get(context.lang, context.week_start)
    if found == context.week_start:
        return []
    day = WEEK_DAYS[found - 1]
    return [
        Finding(
            "error",
            _WEEK,
            None,
            f"in Odoo a week of {context.lang} begins with {day}, and the file says {said}:"
            f" {DAY_OF_WEEK} would mean other days",
            f"write week_start: {day}",
        )
    ]


def _part(shape: Shape, path: str) -> str:
    try:
        return resolve(shape, path, asked=True).part
    except NotShown:
        return ""


def _asked(config: Config) -> Iterator[tuple[str, str]]:
    yield "source.lang", config.source.context.lang
    for route in config.routes:
        for path, key in paths(route.mapping):
            if path.lang:
                yield f"routes[{route.index}].{key}.lang", path.lang


def _remedy(lang: str, known: list[str]) -> str:
    near = nearest(lang, known)
    return f'did you mean "{near}"?' if near else f"write one of {', '.join(known)}"
