"""A record leaves the domain of its route, or is deleted at the source."""

from __future__ import annotations

from typing import Final

from streams.applying.actions import Acting
from streams.applying.facts import Facts
from streams.applying.present import ACTIVE
from streams.applying.settings import Ending, Model
from streams.odoo.port import Gone, Odoo, Refused

_CANCELLED: Final = "cancel"


class Endings:
    """Ends records through one session."""

    def __init__(self, odoo: Odoo, facts: Facts) -> None:
        """Ask nothing yet."""
        self._odoo = odoo
        self._facts = facts
        self._acting = Acting(odoo)

    def end(self, model: Model, number: int, ending: Ending) -> str:
        """Do with a record what the file says; return what was remarkable about it, or "".

        Refused where Odoo does not let it go and the file says `refused: reject`.
        """
        try:
            self._end(model, number, ending)
        except Gone:
            return ""
        except Refused as error:
            if model.refused == "reject" or ending == "archive":
                raise
            self._archive(model, number)
            return f"archived: {error}"
        return ""

    def _end(self, model: Model, number: int, ending: Ending) -> None:
        match ending:
            case "nothing":
                pass
            case "archive":
                self._archive(model, number)
            case "unlink":
                self._odoo.call(model.name, "unlink", [number])
            case "cancel":
                self._acting.bring(model, number, _CANCELLED)

    def _archive(self, model: Model, number: int) -> None:
        if ACTIVE not in self._facts.of(model.name):
            raise Refused("archive", f"{model.name} has no field `active`: it has no archive")
        there = self._odoo.call(model.name, "read", [number], [ACTIVE], load=None)
        if there and there[0][ACTIVE]:
            self._odoo.call(model.name, "write", [number], {ACTIVE: False})
