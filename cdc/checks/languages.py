"""Languages that sync.yaml asks for, against those that are active in Odoo. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Final

from schemas.config import Config
from schemas.fields import nearest
from schemas.finding import Finding
from schemas.mapping import paths

_EVERY: Final = "*"
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


def _asked(config: Config) -> Iterator[tuple[str, str]]:
    yield "source.lang", config.source.context.lang
    for route in config.routes:
        for path, key in paths(route.mapping):
            if path.lang:
                yield f"routes[{route.index}].{key}.lang", path.lang


def _remedy(lang: str, known: list[str]) -> str:
    near = nearest(lang, known)
    return f'did you mean "{near}"?' if near else f"write one of {', '.join(known)}"
