"""Routes, compiled for the shape of the documents at hand.

Every event carries its shape. A shape that lacks what a route reads is older than the route: to
that route its events are unknown, never half known. A shape that shows it and cannot answer the
route's domain or mapping is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from schemas import domain, mapping
from schemas.config import Config, ConfigError, Route
from schemas.document import NotShown, Shape
from schemas.domain import compile_domain
from schemas.errors import BadUsage
from schemas.event import Document, Event, Mode
from schemas.finding import Finding, advised
from schemas.mapping import Renderer, Writing, compile_mapping
from streams.routing.choice import Choice


class UnfitRoute(BadUsage):
    """A route asks of events what they cannot answer."""

    hint = (
        "Correct the route: `odoo-cdc check` holds the file against the database. Where it finds"
        " nothing, these events are older than the file: let a worker with the earlier one do"
        " them."
    )

    def __init__(self, route: Route, findings: Iterable[Finding]) -> None:
        """Name the route, and say every finding as `check` says it."""
        said = (f"{each.where}: {advised(each.message, each.remedy)}" for each in findings)
        super().__init__(f'route "{route.name}": ' + "\n".join(said))


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
    choice: Choice[CompiledRoute] = field(repr=False)

    def concerned(self, event: Event) -> Sequence[CompiledRoute]:
        """Return those of `ready` that can have anything to say about an event."""
        if not event.before_known or event.mode is Mode.RESEND:
            return self.ready  # one that does not match says that the record has left
        return self.choice.of(event.before, event.after)


@dataclass(slots=True)
class Routes:
    """The routes of a configuration; `of` compiles them once per shape."""

    writing: Writing
    routes: tuple[Route, ...]
    live: bool = False  # whether Odoo can be asked for what no column holds
    former: Routes | None = None  # what events go by that do not show what a route reads
    # Keyed by identity: shapes live as long as the schemas that hold them, and hashing one
    # would walk its whole tree for every event. The shape is kept, so its id is not reused.
    _compiled: dict[int, tuple[Shape, Compiled]] = field(default_factory=dict, repr=False)

    @classmethod
    def of_config(cls, config: Config) -> Routes:
        """Take what concerns routes from a configuration."""
        return cls(
            Writing(
                config.source.name, config.source.context, config.decimals, config.source.mask_key
            ),
            tuple(config.routes),
            bool(config.source.odoo),
        )

    @property
    def models(self) -> tuple[str, ...]:
        """The root models that routes read, sorted."""
        return tuple(sorted({route.model for route in self.routes}))

    def findings(self, shapes: Iterable[Shape]) -> list[Finding]:
        """Return what is wrong with the routes that fit none of their models' shapes.

        In the words of `check`, as far as shapes tell: a model without one is taken on trust.
        """
        shown = list(shapes)
        found: list[Finding] = []
        for route in self.routes:
            mine = [shape for shape in shown if shape.model == route.model]
            faults = [self._faults(route, shape) for shape in mine]
            if faults and all(faults):
                found += faults[-1]
        return found

    def of(self, shape: Shape) -> Compiled:
        """Return the routes of the shape's model, compiled for it. Raises UnfitRoute."""
        found = self._compiled.get(id(shape))
        if found is None:
            mine = (route for route in self.routes if route.model == shape.model)
            found = self._compiled[id(shape)] = (shape, self._compile(mine, shape))
        return found[1]

    def _compile(self, routes: Iterable[Route], shape: Shape) -> Compiled:
        ready: list[CompiledRoute] = []
        later: list[RouteStartsLater] = []
        for route in sorted(routes, key=lambda r: r.index):
            if faults := self._faults(route, shape):
                raise UnfitRoute(route, faults)
            try:
                matches = compile_domain(
                    route.domain, shape, self.writing.context, active_test=route.active_test
                )
                renderer = compile_mapping(
                    route.mapping, shape, self.writing, follow=route.follow_lookups
                )
            except NotShown as error:
                instead = self._former(route, shape)
                if instead is None:
                    later.append(RouteStartsLater(route.name, str(error)))
                else:
                    ready.append(instead)
            else:
                ready.append(CompiledRoute(route, matches, renderer))
        choice = Choice(ready, lambda each: each.route.domain, shape)
        return Compiled(tuple(ready), tuple(later), choice)

    def _faults(self, route: Route, shape: Shape) -> list[Finding]:
        place, context = f"routes[{route.index}]", self.writing.context
        found = [(f"{place}.domain{f.key}", f) for f in domain.unfit(route.domain, shape, context)]
        faults = mapping.unfit(route.mapping, shape, context, live=self.live)
        found += [(f"{place}.{f.key}", f) for f in faults]
        return [Finding("error", where, None, each.message, each.remedy) for where, each in found]

    def _former(self, route: Route, shape: Shape) -> CompiledRoute | None:
        """Return what the former file said of a route, for events that are older than this one."""
        if self.former is None:
            return None
        ready = self.former.of(shape).ready
        found = next((each for each in ready if each.route.name == route.name), None)
        return found and replace(found, route=replace(found.route, index=route.index))


class Unanswered(ConfigError):
    """Routes read what no event shows yet."""

    hint = (
        "Have capture take the file first (SIGHUP, or a restart), then, once it says that the file"
        " is in force, the workers. Where it refuses the file, undo the change."
    )


def refuse_unanswered(config: Config, shapes: Iterable[Shape]) -> None:
    """Raise Unanswered for routes that would send nothing: no known event shows what they read.

    A model of which nothing is known is taken on trust.
    """
    routes, shown = Routes.of_config(config), list(shapes)
    found: list[Finding] = []
    for route in config.routes:
        mine = [routes.of(shape) for shape in shown if shape.model == route.model]
        later = [each for one in mine for each in one.later if each.route == route.name]
        if later and len(later) == len(mine):
            place = f"routes[{route.index}]"
            remedy = "capture must take the file first: it publishes what routes read"
            message = f"no event shows what it reads: {later[-1].why}"
            found.append(Finding("error", place, config.lines.of(place), message, remedy))
    if found:
        raise Unanswered(config.path, found)


def refuse_unfit(config: Config, shapes: Iterable[Shape]) -> None:
    """Raise ConfigError, in the words of `check`, for routes that no known event can answer.

    What only the database knows `check` says, and capture before it reads.
    """
    config.refuse(Routes.of_config(config).findings(shapes))
