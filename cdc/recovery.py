"""`capture --recover`: what a lost slot or shadow made us miss is looked for, and published.

Publication and slot are made anew, and the shadow begins to read everything again from where the
slot stands: what was last published is kept meanwhile, and what differs from it in the end is
published (`cdc.progress`). Each step may be the last one before a kill: until the shadow has the
new slot's place, capture finds the same trouble again; from there on it goes on by itself.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

from cdc import kafka_schemas, todo
from cdc.engine.holding import Holding
from cdc.engine.plan import Plan
from cdc.fitting import RecoveryUnderWay, go_on
from cdc.kafka_admin import Admin
from cdc.notes import ABOUT, PROGRESS
from cdc.origin import (
    Source,
    begin_shadow,
    held,
    identity,
    known,
    next_generation,
    refuse_other_database,
    refuse_unready,
    survey,
)
from cdc.past import refuse_other_past
from cdc.postgres import publication, slot
from cdc.postgres.connect import Session
from cdc.postgres.refusals import SlotMissing
from cdc.postgres.stream import Following
from cdc.progress import Progress
from cdc.ranges import forget_ahead
from cdc.shadow.store import Shadow
from cdc.watermark import NONE_HANDLED
from schemas.config import Config
from schemas.errors import BadUsage, DataAtRisk, NothingFound
from schemas.position import format_lsn
from schemas.topics import Topics

logger = logging.getLogger(__name__)

_ACTION: Final = {"action": "recover"}


class NothingToRecover(NothingFound):
    """Nothing is wrong with slot and shadow."""

    hint = (
        "Start capture as usual. Where something is missing all the same, `odoo-cdc capture"
        " --recover --yes` reads everything again and publishes what differs from the shadow."
    )


class NotAgreed(BadUsage):
    """That must be wanted."""

    hint = "`odoo-cdc capture --recover --yes` does it; without --yes it asks on a terminal."


@dataclass(frozen=True, slots=True)
class Consent:
    """Who is asked; `given` says that everything is wanted."""

    given: bool
    ask: Callable[[str], bool]

    def to(self, risk: str) -> None:
        """Raise NotAgreed where it is not wanted."""
        if not (self.given or self.ask(f"{risk}. Go on?")):
            raise NotAgreed(risk)


def recover(config: Config, consent: Consent) -> None:
    """Mend what is wrong and have everything read again; capture is to go on with it.

    Raises NothingToRecover (exit 1), NotAgreed (exit 2), and what `setup` and `capture` raise.
    """
    source = survey(config, known(config.state / "capture"))
    topic = Topics(config.source.name).schemas
    with Shadow(config.state / "capture") as shadow:
        about = shadow.recall(ABOUT)
        former = kafka_schemas.last_generation(config.kafka, topic)
        if about is None:
            _without_shadow(config, source, shadow, former, consent)
        else:
            _with_shadow(config, source, shadow, former, consent)


def _without_shadow(
    config: Config, source: Source, shadow: Shadow, former: int, consent: Consent
) -> None:
    if not former:
        raise NothingToRecover("nothing was captured before: there is nothing to recover")
    consent.to(
        f"{shadow.folder} holds no shadow: what was deleted since it was lost cannot be known and"
        " stays at the targets, and every record of every route is sent again"
    )
    _say("there is no shadow: every record is loaded and published again")
    begin_shadow(config, _anew(config, source, None), shadow, former)


def _with_shadow(
    config: Config, source: Source, shadow: Shadow, former: int, consent: Consent
) -> None:
    about, note = shadow.recall(ABOUT) or {}, shadow.recall(PROGRESS) or {}
    fit = go_on(source.wanted, held(shadow), Progress.from_json(note))
    if fit.changes:
        raise RecoveryUnderWay("the file needs something else of the shadow than it holds")
    progress = fit.progress
    why = list(_trouble(config, source, shadow, about))
    if not why and (progress.doubted or progress.recovers or progress.forgotten):
        _say("a recovery was begun: it goes on")
        return
    if not why and not consent.given:
        raise NothingToRecover
    if (about["system_id"], about["database"]) != identity_of(source):
        consent.to(
            f"{shadow.folder} was made of another database: what this one lacks is published as"
            " deleted"
        )
    for each in why:
        _say(f"to be mended: {each}")
    found = _anew(config, source, held(shadow)) if why else source
    standing: dict[str, Any] = {name: note[name] for name in ("lsn", "handled") if name in note}
    if why:
        standing = {"lsn": found.slot.confirmed_flush_lsn or 0, "handled": NONE_HANDLED}
    lsn = standing["lsn"]
    generation = next_generation(max(former, int(about["generation"])))
    _doubt_everything(fit.plan, shadow, progress, standing)
    shadow.note(ABOUT, {**about, **identity(found), "generation": generation})
    shadow.commit()
    shadow.begin()
    _say(
        "everything is read again and compared with the shadow; what differs is published under"
        f" generation {generation}, from {format_lsn(lsn)} on"
    )


def identity_of(source: Source) -> tuple[str, str]:
    """Return cluster and database."""
    return source.system.system_id, source.system.database


def _trouble(
    config: Config, source: Source, shadow: Shadow, about: dict[str, Any]
) -> Iterator[str]:
    """Say all that stops capture."""

    def ready() -> None:
        refuse_unready(source)

    def published() -> None:
        names = source.wanted.selection.names
        known = {table: at for table, at in about["published"].items() if table in names}
        publication.refuse_gap(source.publication, replace(source.needs, members=known))

    def of_this_database() -> None:
        refuse_other_database(source.system, source.slot, shadow, dict(about))

    def has_what_was_published() -> None:
        following = Following(config.source.dsn, config.source.slot, config.source.publication)
        refuse_other_past(following, source.slot, shadow)

    found = 0
    for look in (ready, published, of_this_database, has_what_was_published):
        if found and look is has_what_was_published:  # it needs a slot that can be read
            return
        try:
            look()
        except DataAtRisk as error:
            found += 1
            yield str(error)


def _anew(config: Config, source: Source, holding: Holding | None) -> Source:
    """Make slot and publication anew, and look at them."""
    with Session.connect(config.source.dsn, "odoo-cdc-setup") as session:
        if source.slot.exists:
            todo.refuse_unfit(source.slot, source.system.database)
            slot.drop(session, source.slot.name)
            _say(f'the replication slot "{source.slot.name}" is dropped')
        admin = Admin(config.kafka)
        steps = todo.look(config, session, source.wanted.selection, admin)
        todo.do(steps, config, session, admin, todo.Waiting(_say))
    for step in steps.steps():
        _say(f"done: {step.what}")
    found = survey(config, holding)
    if not found.slot.exists:
        raise SlotMissing(f'somebody has dropped the replication slot "{found.slot.name}"')
    return found


def _doubt_everything(
    plan: Plan, shadow: Shadow, progress: Progress, standing: dict[str, Any]
) -> None:
    """Have everything read again from a place of the stream on."""
    never_whole = sorted(progress.waiting - progress.since.keys())
    if never_whole:
        logger.warning(
            "%s was being loaded: of routes that do not want existing records, what changed"
            " meanwhile is not published",
            ", ".join(never_whole),
            extra={"action": "alarm", "alarm": "load_interrupted"},
        )
    progress.absent.clear()  # all of it is in the publication again
    progress.doubt(plan, plan.by_name.keys())
    for table in plan.by_name.values():
        forget_ahead(shadow, table)
    if progress.opened is not None:  # the former place may be ahead of the database's
        progress.opened = progress.opened._replace(lsn=standing["lsn"])
    shadow.note(PROGRESS, {**standing, **progress.to_json()})


def _say(text: str) -> None:
    logger.warning(text, extra=_ACTION)
