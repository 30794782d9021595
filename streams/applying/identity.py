"""Which record of this Odoo a record of the source is.

By its key in `ir_model_data`; else by its external id; else by the rules of its model. Whatever it
is found by, it carries its key from then on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from streams.applying.incoming import Incoming
from streams.applying.known import Known
from streams.applying.own import own_id
from streams.applying.relations import Ambiguous, Relations
from streams.applying.settings import Model
from streams.applying.wanted import Many, One, Ref, Scalar, Value, Wanted
from streams.odoo.port import Conflict, Odoo, Refused

_DATA: Final = "ir.model.data"
_TAKEN: Final = "ir_model_data_module_name_uniq_index"


class Identity:
    """Finds records by name and by rule through one session."""

    def __init__(self, odoo: Odoo, relations: Relations, known: Known, system: str) -> None:
        """`known` is told what is named; `system` captures this Odoo."""
        self._system = system
        self._odoo = odoo
        self._relations = relations
        self._known = known

    def by_name(self, delivery: Incoming, model: Model) -> int | None:
        """Return the id of the record with the key; else of the one with the external id."""
        is_own = own_id(delivery.model, delivery.external_id, self._system) is not None
        also = (delivery.external_id,) if model.external_ids or is_own else ()
        names = dict.fromkeys((delivery.key, *also))
        found = self._relations.names((delivery.model, name) for name in names)
        for name in names:
            number = found.get((delivery.model, name))
            if number is not None:
                if name != delivery.key:
                    self.name([(delivery.model, delivery.key, number)])
                return number
        return None

    def by_rule(
        self, delivery: Incoming, model: Model, wanted: Wanted, ids: Mapping[Ref, int]
    ) -> int | None:
        """Return the id of the one record that a rule fits, and name it.

        A record that carries another key of the same source is another record. Ambiguous where
        several are left.
        """
        values = {**wanted.values, **wanted.hints}
        for rule in model.match:
            domain = _domain(rule, values, ids)
            if domain is None:
                continue
            fitting = self._relations.matching(model.name, domain)
            taken = self._relations.keys(model.name, fitting, delivery.source)
            free = [number for number in fitting if number not in taken]
            if len(free) > 1:
                named = " and ".join(rule)
                raise Ambiguous(f"{model.name}: {len(free)} records have this {named}: {free[:5]}")
            if free:
                self.name([(delivery.model, delivery.key, free[0])])
                return free[0]
        return None

    def name(self, records: Sequence[tuple[str, str, int]]) -> None:
        """Give records their keys, each as (model, key, id), in one call."""
        if not records:
            return
        rows = [_row(*each) for each in records]
        try:
            self._odoo.call(_DATA, "create", rows)
        except Refused as error:
            if _TAKEN in str(error):
                keys = ", ".join(key for _, key, _ in records)
                raise Conflict(f"{keys} was given to a record at this moment") from None
            raise
        for each in records:
            self._known.note(*each)


def _row(model: str, key: str, number: int) -> dict[str, Any]:
    module, _, name = key.partition(".")
    return {"module": module, "name": name, "model": model, "res_id": number, "noupdate": True}


def _domain(
    rule: tuple[str, ...], values: Mapping[str, Value], ids: Mapping[Ref, int]
) -> list[Any] | None:
    """Return what fits a rule; None where a value that it needs is empty."""
    domain: list[Any] = []
    for name in rule:
        match values.get(name):
            case Scalar(value) if value not in (False, "") and not isinstance(value, dict):
                domain.append((name, "=", value))
            case One(ref) if ref is not None:
                domain.append((name, "=", ids[ref]))
            case Many(refs) if refs:
                domain += [(name, "in", [ids[ref]]) for ref in refs]
            case _:
                return None
    return domain
