"""What a plan makes of a database that is not what it was when its tables were read."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from cdc.engine.holding import Attribute
from cdc.engine.plan import Plan
from cdc.engine.relations import Looked, Relations
from cdc.fitting import Fit
from cdc.origin import Source

logger = logging.getLogger(__name__)


def say_paused(before: Mapping[str, str], paused: Mapping[str, str]) -> None:
    """Log which models wait, and which no longer do; each with the reason."""
    for model in sorted(paused.keys() - before.keys()):
        text = "documents of %s wait: %s"
        logger.error(text, model, paused[model], extra={"action": "alarm", "alarm": "paused"})
    for model in sorted(before.keys() - paused.keys()):
        logger.info("documents of %s go on", model, extra={"action": "goes_on"})


def relations_of(fit: Fit, source: Source) -> Relations:
    """Read what the stream says as the database was seen to have it."""
    looked = Looked(source.system.lsn, fit.skipped, fit.fresh)
    return Relations(fit.plan, source.wanted.types, looked)


def lacking(plan: Plan, source: Source) -> dict[str, frozenset[str]]:
    """Return the columns that are not to be read, by table."""
    return {
        name: frozenset(plan.by_name[name].read) - made.keys()
        for name, made in source.wanted.types.items()
        if name in plan.by_name
    }


def made_of(plan: Plan, source: Source) -> dict[str, dict[str, Attribute | None]]:
    """Return how the columns that a plan reads were made, None for one that is not there."""
    return {
        name: {column: source.made.get(name, {}).get(column) for column in each.read}
        for name, each in plan.by_name.items()
    }
