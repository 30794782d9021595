"""One delivery applied to Odoo, from its message to its answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

from streams.applying import answer as code
from streams.applying.actions import Acting, NoWay
from streams.applying.answer import Answer, Delivered, Rejected, Retry
from streams.applying.conflicts import is_written, own_write
from streams.applying.ending import Endings
from streams.applying.facts import LINES, Facts
from streams.applying.identity import Identity
from streams.applying.incoming import Incoming, Operation
from streams.applying.known import Known
from streams.applying.present import ACTIVE, WRITTEN, Comparing, Present, Reading
from streams.applying.relations import Ambiguous, Missing, Relations
from streams.applying.saving import Saving
from streams.applying.settings import Model, Settings
from streams.applying.wanted import NotAllowed, Ref, Understanding, Wanted, Wrong, joined
from streams.applying.writing import Writing
from streams.odoo.port import Away, Conflict, Gone, LoginRefused, Odoo, Refused, Trouble, Unclear

_LEFT: Final = ("leave", "delete")
_APART: Final = (LINES, "binary")  # lines have values of their own; of a binary the size is told
_BUSY: Final = 1.0  # seconds after which somebody else has finished
_SOON: Final = 10.0  # seconds that Odoo gets to come back
_REJECTED: Final[dict[type[Exception], str]] = {
    NotAllowed: code.NOT_ALLOWED,
    Wrong: code.BAD_VALUE,
    Ambiguous: code.AMBIGUOUS,
    NoWay: code.NO_ACTION,
    Refused: code.REFUSED,
    Gone: code.REFUSED,
}
_RETRIED: Final[dict[type[Exception], tuple[str, float | None]]] = {
    Missing: (code.MISSING, None),
    Conflict: (code.CONFLICT, _BUSY),
    Away: (code.AWAY, _SOON),
    Unclear: (code.UNCLEAR, _SOON),
    LoginRefused: (code.LOGIN, _SOON),
}


class Applier:
    """Applies deliveries through one session; not to be shared between threads."""

    def __init__(self, settings: Settings, odoo: Odoo, known: Known | None = None) -> None:
        """Ask nothing yet; `known` is what all sessions of this Odoo have found."""
        self._settings = settings
        self._odoo = odoo
        self._known = Known() if known is None else known
        self._facts = Facts(odoo)
        self._understanding = Understanding(settings, self._facts)
        self._relations = Relations(odoo, self._facts, self._known, settings.system)
        self._identity = Identity(odoo, self._relations, self._known, settings.system)
        self._reading = Reading(odoo, self._facts, self._relations, settings.models)
        self._saving = Saving(odoo)

    def apply(self, delivery: Incoming, last: Operation | None) -> Answer:
        """Bring the record to what the delivery says; trouble is an answer, never an exception.

        `last` is what was applied of its chain and route before, None where nothing is known.
        """
        model = self._settings.models.get(delivery.model)
        if model is None:
            return Rejected(
                code.NOT_ALLOWED, f"target.yaml does not list the model {delivery.model}"
            )
        try:
            return self._answered(delivery, model, last)
        except tuple(_REJECTED) as error:
            return Rejected(_REJECTED[type(error)], str(error))
        except tuple(_RETRIED) as error:
            why, after = _RETRIED[type(error)]
            names = error.names if isinstance(error, Missing) else frozenset()
            return Retry(why, str(error), after, isinstance(error, Unclear), names)

    def prefetch(self, deliveries: Iterable[Incoming]) -> frozenset[str]:
        """Ask for all external ids that these name in as few calls as can be.

        Returns those that no record has. What cannot be asked for here is asked for when they are
        applied.
        """
        with suppress(Trouble):  # whoever is applied meets it, and answers it
            return self._relations.learn({n for each in deliveries for n in names_of(each)})
        return frozenset()

    def _answered(self, delivery: Incoming, model: Model, last: Operation | None) -> Answer:
        """Apply it; once more, from the start, where a record that was known may have gone."""
        # Keys of the source are given here alone, and `load` finds one that was given meanwhile.
        own = f"{delivery.source}."
        self._relations.suppose_absent(
            frozenset(name for name in delivery.absent if name.startswith(own))
        )
        try:
            return self._applied(delivery, model, last)
        except Refused as error:
            names = names_of(delivery)
            if not isinstance(error, Gone) and names <= {delivery.key, delivery.external_id}:
                raise
            self._known.forget(names)
            self._relations.suppose_absent(frozenset())
            self._facts.forget()
            return self._applied(delivery, model, last)

    def _applied(self, delivery: Incoming, model: Model, last: Operation | None) -> Answer:
        if delivery.operation in _LEFT:
            return self._ended(delivery, model)
        state, wanted, defaults = self._wanted(delivery, model)
        ids = self._relations.find([*wanted.refs(), *defaults.refs()])
        number = self._identity.by_name(delivery, model)
        if number is None:
            number = self._identity.by_rule(delivery, model, wanted, ids)
        writing = Writing(self._odoo, self._settings, self._facts, ids, self._saving)
        if number is None:
            if not model.create:
                raise Missing(f"not here yet: {model.name} {delivery.key}, which is not made here")
            values = {**defaults.values, **wanted.values}
            number = writing.create(delivery.key, replace(wanted, values=values))
            self._known.note(model.name, delivery.key, number)
        elif not self._changed(delivery, wanted, number, ids, writing, last):
            return Delivered(number, "ours stands: it was written later here")
        if state is not None:
            Acting(self._odoo).bring(model, number, state)
        return Delivered(number)

    def _changed(
        self,
        delivery: Incoming,
        wanted: Wanted,
        number: int,
        ids: Mapping[Ref, int],
        writing: Writing,
        last: Operation | None,
    ) -> bool:
        """Write what differs; return False where this Odoo's own record stands."""
        before, before_ids = self._before(delivery, wanted.model)
        present = self._reading.present(joined(wanted, before), number, delivery.source)
        comparing = Comparing(self._settings, self._facts, ids)
        if not is_written(
            delivery,
            present,
            before,
            Comparing(self._settings, self._facts, before_ids, numbered=False),
            user=self._odoo.user,
            system=self._settings.system,
        ):
            return False
        self._identity.name(list(present.nameless()))
        change = comparing.differing(present, wanted)
        if last in _LEFT and ACTIVE not in wanted.values and present.values.get(ACTIVE) is False:
            change = replace(change, values={**change.values, ACTIVE: True})
        if change:
            names, look = self._shown(wanted), self._look(delivery, wanted.model, present)
            told = writing.change(wanted.model, number, change, names, look)
            if told is None:
                present = self._reading.present(wanted, number, delivery.source)
            else:
                present = Present(number, told)
            # What Odoo computed over it: a line's price when its quantity changed.
            again = comparing.differing(present, wanted)
            if again:
                writing.change(wanted.model, number, again)
        writing.translate(wanted, number)
        return True

    def _look(self, delivery: Incoming, model: str, present: Present) -> Callable[[], object]:
        """Return what raises Conflict where somebody has written a record since it was read.

        To read lines takes several calls, in which the other side's rule may have come to be
        another: RPC knows no condition on a write.
        """
        if delivery.data.get("conflict") is None or not present.lines:
            return int
        user, was = self._odoo.user, own_write(present, self._odoo.user)

        def look() -> None:
            rows = self._odoo.call(model, "read", [present.id], list(WRITTEN), load=None)
            now = own_write(Present(present.id, rows[0]), user) if rows else None
            if now not in (None, was):
                raise Conflict(f"{model} {present.id} was written by somebody at this moment")

        return look

    def _shown(self, wanted: Wanted) -> list[str]:
        """Return the fields that one call can write and read; none where it cannot all."""
        facts = self._facts.of(wanted.model)
        if any(facts[name].type in _APART for name in wanted.values):
            return []
        return list(wanted.values)

    def _wanted(self, delivery: Incoming, model: Model) -> tuple[str | None, Wanted, Wanted]:
        """Return the state to reach, what is wanted, and what is given to a record made here."""
        fields = dict(delivery.fields)
        state = fields.pop(model.state_field, None) if model.state_field else None
        if state is not None and not isinstance(state, str):
            raise Wrong(f"{model.state_field}: a text is wanted")
        wanted = self._understanding.wanted(model, fields)
        besides = {name: each for name, each in model.defaults.items() if name not in fields}
        open_to_all = replace(model, fields=frozenset(besides), match=())
        return state, wanted, self._understanding.wanted(open_to_all, besides)

    def _before(self, delivery: Incoming, name: str) -> tuple[Wanted | None, Mapping[Ref, int]]:
        """Return what the sender began with, None where that cannot be known here."""
        conflict = delivery.data.get("conflict")
        previous = conflict.get("previous") if isinstance(conflict, dict) else None
        if not isinstance(previous, dict):
            return None, {}
        model = self._settings.models[name]
        fields = {key: each for key, each in previous.items() if key != model.state_field}
        wanted = self._understanding.wanted(model, fields)
        try:
            return wanted, self._relations.find(wanted.refs())
        except Missing:
            return None, {}

    def _ended(self, delivery: Incoming, model: Model) -> Answer:
        number = self._identity.by_name(delivery, model)
        if number is None:
            return Delivered(None)  # it was never here, or has gone
        ending = model.on_leave if delivery.operation == "leave" else model.on_delete
        note = Endings(self._odoo, self._facts).end(model, number, ending)
        if ending == "unlink":
            self._known.forget(names_of(delivery))
        return Delivered(number, note)


def names_of(delivery: Incoming) -> frozenset[str]:
    """Return every external id that a delivery names, its own included. Pure."""
    return frozenset((delivery.key, delivery.external_id, *_named(delivery.fields)))


def _named(value: Any) -> Iterator[str]:
    match value:
        case dict():
            names = (value.get("key"), value.get("external_id"))
            yield from (each for each in names if isinstance(each, str))
            for each in value.values():
                yield from _named(each)
        case list():
            for each in value:
                yield from _named(each)
        case _:
            pass


def holds(delivery: Incoming, settings: Settings) -> frozenset[str]:
    """Name what no other delivery may work at meanwhile: its record, and those it may be. Pure."""
    model = settings.models.get(delivery.model)
    rules = () if model is None else model.match
    return frozenset((delivery.key, delivery.external_id, *_rules(delivery, rules)))


def _rules(delivery: Incoming, rules: Iterable[tuple[str, ...]]) -> Iterator[str]:
    for rule in rules:
        values = [delivery.fields.get(name) for name in rule]
        if all(value is not None for value in values):
            yield f"{delivery.model} {dict(zip(rule, map(_alike, values), strict=True))}"


def _alike(value: Any) -> str:
    """Return the same for what Odoo may take for the same: numbers by value, whatever their form.

    Of a relation it is the key: two deliveries of one source have the same.
    """
    match value:
        case dict() if isinstance(value.get("key"), str):
            return str(value["key"])
        case bool() | dict() | list():
            return json.dumps(value, sort_keys=True)
        case _:
            with suppress(ArithmeticError):  # a text that is no number
                return str(Decimal(str(value)).normalize())
            return str(value)
