"""What may be sent again, and who looks for the documents of a request."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from cdc.engine.plan import Root
from cdc.resending.drift import Comparison, Known
from cdc.resending.search import Looks, Search
from schemas.config import Route
from schemas.mapping import Writing
from schemas.resend import Request
from schemas.topics import Topics


@dataclass(frozen=True, slots=True)
class Subject:
    """What may be sent again: models, routes, how they write values and look at records.

    `passing`: documents do not show yet what the routes read.
    """

    topics: Topics
    roots: Mapping[str, Root]
    routes: Sequence[Route]
    writing: Writing
    passing: bool = False

    def search(self, request: Request, known: Callable[[], Known | None]) -> Looks | None:
        """Return who looks; None where what was last sent is not known yet, and is needed.

        Raises MalformedResend for what the file has no use for.
        """
        request.refuse_strange(known_of(self.routes))
        root = self.roots[request.model]
        if not request.drift:
            return Search.of(request, root, self.routes, self.writing.context)
        request.compile(root.shape, self.writing.context)  # what is refused is refused at once
        last = known()
        if last is None:
            return None
        return Comparison.of(request, root, self.routes, self.writing, last)

    def way(self, request: Request) -> tuple[str, frozenset[str]]:
        """Return the way of a request's documents: its name, and the send queues it leads to."""
        targets = sorted({target for _, target in request.lines(known_of(self.routes))})
        queues = frozenset(map(self.topics.deliveries, targets))
        return f"{request.model} > {', '.join(targets)}", queues


def known_of(routes: Iterable[Route]) -> list[tuple[str, str, tuple[str, ...]]]:
    """Return routes as requests are held against them."""
    return [(route.name, route.model, route.targets) for route in routes]
