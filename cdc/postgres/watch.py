"""A look now and then at what the stream depends on: it says nothing when that changes.

Postgres 18 streams on silently without its publication, DROP COLUMN ... CASCADE takes a table out
of one with a column list, and so may a DBA; a list follows a column that is renamed, and leaves
out the one that takes its name. What is left out is put back, once capture knows that it was out;
what was written meanwhile is read again.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from cdc.engine.holding import Attribute, Types, same
from cdc.postgres import publication, publishing, slot
from cdc.postgres.catalog import attributes
from cdc.postgres.connect import Session, translated
from cdc.postgres.publication import Gap, Lists, Needs, PublicationState
from cdc.postgres.refusals import PublicationMissing
from cdc.postgres.replication import readable
from cdc.postgres.slot import SlotState
from schemas.errors import OdooCdcError, ServiceUnavailable

logger = logging.getLogger(__name__)

_LOOK: Final = 5.0  # seconds between two looks
_GLANCE: Final = 0.25  # seconds until a server is missed that has ended our session
_CLOSING: Final = 0.5  # seconds that a look may take still in the end


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Tables that the stream leaves out or has left out.

    Those in `back` it has from here on, each with its `Published.member`: all that was being
    written when they were put in has come to its end.
    """

    tables: frozenset[str] = frozenset()
    back: Mapping[str, int] = field(default_factory=dict)


class Watch:
    """Looks at publication and slot beside the stream."""

    def __init__(  # noqa: PLR0913  what is looked at, and how
        self,
        dsn: str,
        state: PublicationState,
        slot_name: str,
        needs: Needs,
        made: Mapping[str, Mapping[str, Attribute | None]],
        *,
        patient: bool = True,
        current: bool = True,
    ) -> None:
        """Begin at once, on a thread of its own; `made` are columns as they were found.

        `state` is not `current` where the publication may have changed since: a table that was
        back already would be left out again, and wait to come back for good.

        One that is not `patient` has trouble where it may not put a table back; else it says who
        may, and waits.
        """
        self.needs = needs
        self.slot = SlotState(slot_name, exists=True)
        """What the last look has seen of it."""
        self.noted: frozenset[str] = frozenset()
        """The tables that capture knows to be left out: what comes of them is looked through."""
        self.altered = False
        """Whether columns are made otherwise than they were."""
        self._made = made
        self._dsn = dsn
        self._state = state
        self._patient = patient
        self._current = current
        self._asked: Lists = {}
        self._lifted = state.lifted
        self._harmed: list[str] = []
        self._keyless: frozenset[str] = frozenset()
        self._horizons: dict[tuple[str, int], int] = {}
        self._settled: frozenset[tuple[str, int]] = frozenset()
        self._trouble: Exception | None = None
        self._shuts_down = False
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
        self._thread.start()

    def check(self) -> LeftOut:
        """Return what the last look has found left out.

        Raises PublicationMissing, and what nobody expected.
        """
        if self._trouble is not None:
            raise self._trouble
        if not self._current:
            return LeftOut()
        found = publication.gap(self._state, self.needs)
        back = {t: member for t, member in found.late.items() if (t, member) in self._settled}
        # One that had another name: all writes under it ended before it was given back.
        there = self.noted - found.lacking.keys() - found.late.keys()
        back |= {t: self.needs.members[t] for t in there & self.needs.members.keys()}
        return LeftOut(frozenset(found.lacking.keys() | found.late.keys()), back)

    def shuts_down(self) -> bool:
        """Say, once, that the server shuts down: it lets nobody in, and waits for its readers."""
        shuts_down, self._shuts_down = self._shuts_down, False
        return shuts_down

    def close(self) -> None:
        """Look no more; an answer that does not come is not waited for."""
        self._end.set()
        self._thread.join(_CLOSING)

    def _run(self) -> None:
        lost = False  # it has ended our session: does it let somebody in?
        while not self._end.is_set():
            was_there = False
            try:
                with Session.connect(self._dsn, "odoo-cdc-watch") as session:
                    was_there = True
                    while not self._end.is_set():
                        self._look(session)
                        self._rest(session)
            except ServiceUnavailable as error:  # the stream notices it too, and says so
                logger.debug("no look at the publication: %s", error)
                self._shuts_down = lost and not was_there
                lost = was_there
                if not lost:
                    self._end.wait(_LOOK)
            except Exception as error:  # noqa: BLE001  nobody would see it on this thread
                self._trouble = error
                return

    def _look(self, session: Session) -> None:
        self.slot = slot.look(session, self.slot.name)
        state = publication.look(session, self._state.name)
        there = attributes(session, self._made)
        self.altered = any(
            not same(made, there[table].get(name))
            for table, columns in self._made.items()
            for name, made in columns.items()
        )
        if state.tables:  # of an empty one nobody can tell
            self._lifted = state.lifted
        if self._mind_keyless(session, state):
            return
        self._spare(session, state)
        found = publication.gap(state, self.needs)
        if found.to_put_in and found.lacking.keys() <= self.noted:
            self._put_back(session, state, found, there)
        self._settle(session, found)
        self._state = state
        self._current = True

    def _rest(self, session: Session) -> None:
        """Wait until the next look, or until the server has something to say."""
        deadline = time.monotonic() + _LOOK
        while time.monotonic() < deadline and not self._end.wait(_GLANCE):
            with translated(session.where):
                if readable(session.connection.fileno(), 0):
                    return

    def _put_back(
        self, session: Session, state: PublicationState, found: Gap, there: Types
    ) -> None:
        statements = publishing.mending(self._wanted(found.to_put_in, there), state)
        what = f'the publication "{state.name}" lacks {found.lacks}'
        try:
            if self._change(session, publishing.in_full(statements, state.name, ())):
                more = {"action": "published_again"}
                logger.warning("done: %s", "; ".join(statements), extra=more)
        except ServiceUnavailable:
            raise
        except OdooCdcError as error:
            if not self._patient:
                raise PublicationMissing(f"{what}: {error}") from error
            if found.lacking != self._asked:
                self._asked = found.lacking
                unfit = isinstance(error, publishing.PublicationUnfit)
                remedy = error.hint if unfit else f"Run as their owner: {'; '.join(statements)}"
                text = "%s, and capture may not put them in (%s). %s"
                more = {"action": "alarm", "alarm": "publication_lacks"}
                logger.error(text, what, error, remedy, extra=more)  # noqa: TRY400  a trace tells nothing

    def _mind_keyless(self, session: Session, state: PublicationState) -> bool:
        """Take tables out that have no key any more: Odoo's UPDATE and DELETE on them fail else.

        They are put back once they have one. Say whether some were taken out.
        """
        found = publication.keyless(state, self.needs)
        new, self._keyless = found - self._keyless, found
        what = f"the key of {', '.join(sorted(found))} is gone"
        if found and not self._patient:
            raise PublicationMissing(what)
        harm = sorted(table for table in found if not state.tables[table].identity)
        done = False
        try:
            if harm:
                statements = publishing.in_full(publishing.without(harm, state), state.name, ())
                done = self._change(session, statements, adds=False)
        except ServiceUnavailable:
            raise
        except OdooCdcError as error:
            what = f"{what}, Odoo's UPDATE and DELETE fail ({error})"
        if new or done:
            text = "%s: what shows it waits until the key is back" + ", unpublished" * done
            logger.error(text, what, extra={"action": "alarm", "alarm": "key_lost"})
        return done

    def _spare(self, session: Session, state: PublicationState) -> None:
        """Publish tables whole whose lists make Odoo's own statements fail.

        Somebody has changed their replica identity; what Odoo could not do is in no stream either.
        """
        if not any(table.listed for table in state.tables.values()):
            return
        found = publishing.harmed(session, state.name)
        tables = [n for n, *_ in found if n in state.tables and state.tables[n].listed]
        if not tables or tables == self._harmed:
            return
        what = f"with the column lists of {', '.join(tables)} Odoo's UPDATE and DELETE fail"
        more = {"action": "alarm", "alarm": "list_harms"}
        try:
            if self._change(session, publishing.sparing(tables, state)):
                logger.error("%s: published whole", what, extra=more)
        except ServiceUnavailable:
            raise
        except OdooCdcError as error:
            self._harmed = tables
            remedy = "Run `odoo-cdc setup --for-upgrade` as their owner"
            logger.error("%s (%s). %s", what, error, remedy, extra=more)  # noqa: TRY400  a trace tells nothing

    def _change(self, session: Session, statements: list[str], *, adds: bool = True) -> bool:
        """Change the publication; say whether it could be. Raises what `apply` raises."""
        try:
            publishing.apply(session, self._state.name, statements, adds=adds)
        except publishing.TablesLocked as error:  # by an upgrade, say: there is another look
            logger.info("%s", error, extra={"action": "tables_locked"})
            return False
        return True

    def _wanted(self, tables: Iterable[str], there: Types) -> Lists:
        """Return how to publish tables: whole where an operator has lifted the lists.

        A column that is there no more cannot be published; what that means is the stream's to say.
        """
        if self._lifted or not self.needs.listed:
            return dict.fromkeys(tables, ())
        return publication.existing({t: self.needs.columns[t] for t in tables}, there)

    def _settle(self, session: Session, found: Gap) -> None:
        """See whether all has ended that was being written when a table was put in.

        What a transaction wrote before is in no stream, and it may commit behind the first range.
        """
        mine = set(found.late.items())
        self._horizons = {at: horizon for at, horizon in self._horizons.items() if at in mine}
        if not mine:
            return
        for at in mine - self._horizons.keys():
            self._horizons[at] = _horizon(session, "max")
        oldest = _horizon(session, "min")
        self._settled = frozenset(at for at in mine if self._horizons[at] <= oldest)


def _horizon(session: Session, which: str) -> int:
    """Return the first transaction that is yet to begin (max), or that has not ended (min)."""
    query = "SELECT pg_snapshot_x{}(pg_current_snapshot())::text"
    (found,) = session.one(query.format(which).encode())
    return int(found)
