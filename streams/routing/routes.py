"""Routes, compiled for the shape of the documents at hand.

Every event carries its shape. A shape that lacks what a route reads is older than the route: to
that route its events are unknown, never half known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from schemas.config import Config, Route, Target
from schemas.document import NotShown, Shape
from schemas.domain import compile_domain
from schemas.event import Document
from schemas.mapping import Renderer, compile_mapping


@dataclass(frozen=True, slots=True)
class CompiledRoute:
    """A route that can read a shape's documents."""

    route: Route
    matches: Callable[[Document], bool]
    renderer: Renderer


@dataclass(frozen=True, slots=True)
class RouteStartsLater:
    """A route that reads what a shape does not show; it starts at the first event that does."""

    route: str
    why: str


@dataclass(frozen=True, slots=True)
class Compiled:
    """What becomes of the events of one shape; `ready` is in file order."""

    ready: tuple[CompiledRoute, ...]
    later: tuple[RouteStartsLater, ...]


@dataclass(slots=True)
class Routes:
    """The routes of a configuration; `of` compiles them once per shape."""

    source: str
    lang: str
    decimals: str
    routes: tuple[Route, ...]
    targets: dict[str, Target]
    # Keyed by identity: shapes live as long as the schemas that hold them, and hashing one
    # would walk its whole tree for every event. The shape is kept, so its id is not reused.
    _compiled: dict[int, tuple[Shape, Compiled]] = field(default_factory=dict, repr=False)

    @classmethod
    def of_config(cls, config: Config) -> Routes:
        """Take what concerns routes from a configuration."""
        return cls(
            source=config.source.name,
            lang=config.source.lang,
            decimals=config.decimals,
            routes=tuple(config.routes),
            targets=dict(config.targets),
        )

    @property
    def models(self) -> tuple[str, ...]:
        """The root models that routes read, sorted."""
        return tuple(sorted({route.model for route in self.routes}))

    def of(self, shape: Shape) -> Compiled:
        """Return the routes of the shape's model, compiled for it."""
        found = self._compiled.get(id(shape))
        if found is None:
            mine = (route for route in self.routes if route.model == shape.model)
            found = self._compiled[id(shape)] = (shape, self._compile(mine, shape))
        return found[1]

    def _compile(self, routes: Iterable[Route], shape: Shape) -> Compiled:
        ready: list[CompiledRoute] = []
        later: list[RouteStartsLater] = []
        for route in sorted(routes, key=lambda r: r.index):
            try:
                matches = compile_domain(
                    route.domain, shape, lang=self.lang, active_test=route.active_test
                )
                renderer = compile_mapping(
                    route.mapping,
                    shape,
                    source=self.source,
                    lang=self.lang,
                    decimals=self.decimals,
                    follow=route.follow_lookups,
                )
            except NotShown as error:
                later.append(RouteStartsLater(route.name, str(error)))
            else:
                ready.append(CompiledRoute(route, matches, renderer))
        return Compiled(tuple(ready), tuple(later))
