"""Routes that come to a model which is read already: its records go to them, as in a first load.

Which routes there were is a note of the shadow, written with the jobs that come of it: each route
is loaded once. A route goes by its name and model, so a renamed one is another one.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Container, Iterable, Mapping

from cdc.notes import RESENDING, ROUTES
from cdc.resending.job import Job
from cdc.resending.notebook import Notebook
from cdc.resending.ports import Shadow
from schemas.config import Route
from schemas.event import Mode
from schemas.keys import partition_of
from schemas.resend import Request

logger = logging.getLogger(__name__)


def added(
    known: Mapping[str, str], routes: Iterable[Route], loading: Container[str]
) -> dict[str, tuple[str, ...]]:
    """Return, by model, the routes that want existing records and were not there before.

    `known` are those that were, with their models; models that are `loading` send to all.
    """
    found: dict[str, tuple[str, ...]] = {}
    for route in routes:
        is_new = known.get(route.name) != route.model
        if is_new and route.initial_load and route.model not in loading:
            found[route.model] = (*found.get(route.model, ()), route.name)
    return found


def take_added(
    shadow: Shadow, routes: Iterable[Route], loading: Container[str], partitions: int
) -> None:
    """Note the routes of a file, and jobs for those that were not there before.

    A shadow that has no such note was made by this file, or by a version that did not write it:
    then all of them are known.
    """
    present = list(routes)
    known = shadow.recall(ROUTES)
    if known is not None:
        book = Notebook.from_json(shadow.recall(RESENDING) or {})
        for model, names in added(known, present, loading).items():
            book.take(job := _job(model, names, partitions))
            text = "%s: %s is sent to %s, which the file has now"
            more = {"action": "added", "command": job.id}
            logger.info(text, job.id, model, ", ".join(names), extra=more)
        shadow.note(RESENDING, book.to_json())
    shadow.note(ROUTES, {route.name: route.model for route in present})


def _job(model: str, routes: tuple[str, ...], partitions: int) -> Job:
    now = time.gmtime()
    name = f"load-{time.strftime('%Y%m%dT%H%M%SZ', now)}-{secrets.token_hex(4)}"
    return Job(
        name,
        partition_of(name, partitions),
        Request(model, everything=True, routes=routes),
        "capture",
        time.strftime("%Y-%m-%dT%H:%M:%SZ", now),
        mode=Mode.SNAPSHOT,
    )
