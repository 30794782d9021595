"""Writes one record, and reads it in the same call where its Odoo can."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from streams.odoo.port import Odoo, Refused

_SAVE: Final = "web_save"  # since Odoo 17, of the module `web`
_NO_METHOD: Final = "AttributeError"


class Saving:
    """Writes through one session."""

    def __init__(self, odoo: Odoo) -> None:
        """Ask nothing yet."""
        self._odoo = odoo
        self._can = True

    def __call__(
        self, model: str, number: int, values: Mapping[str, Any], names: Sequence[str] = ()
    ) -> Mapping[str, Any] | None:
        """Write values; return these fields as they are then, None where that is not told.

        They are read in the transaction that writes, after all that Odoo computes in it. Binary
        fields are told by their size.
        """
        if names and self._can:
            try:
                asked: dict[str, Any] = {name: {} for name in names}
                (row,) = self._odoo.call(model, _SAVE, [number], dict(values), asked)
            except Refused as error:
                if error.kind != _NO_METHOD:
                    raise
                self._can = False  # an Odoo 16: nothing was done
            else:
                return dict(row)
        self._odoo.call(model, "write", [number], dict(values))
        return None
