"""Names that people type, and those that the file has.

What a target or route was sent stays in Kafka when it is gone from the file, so a name that the
file does not have may still be looked for. Where nothing is found it is the likely reason.
"""

from __future__ import annotations

from collections.abc import Iterable

from schemas.config import Config
from schemas.fields import nearest


def unfamiliar(
    config: Config,
    *,
    targets: Iterable[str] = (),
    routes: Iterable[str] = (),
    models: Iterable[str] = (),
) -> str:
    """Say which of these names the file does not have, and the nearest; "" where it has all.

    The text goes on a sentence: `; the file has no target "shp", did you mean "shop"?`
    """
    known = (
        ("target", targets, list(config.targets)),
        ("route", routes, [route.name for route in config.routes]),
        ("model", models, sorted({route.model for route in config.routes})),
    )
    return "".join(
        f"; {missing(kind, name, names)}"
        for kind, asked, names in known
        for name in asked
        if name not in names
    )


def missing(kind: str, name: str, names: Iterable[str]) -> str:
    """Say that there is no such name, and which is nearest."""
    near = nearest(name, list(names))
    hint = f', did you mean "{near}"?' if near else ""
    return f'the file has no {kind} "{name}"{hint}'
