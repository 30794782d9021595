"""Names that another system has for the records of this Odoo, given here and come back. Pure.

What began here carries its key there, `odoo_a.product_template_42`, and is called so in what that
system sends. Here nothing has that name: it says the record's id.
"""

from __future__ import annotations

import re
from typing import Final

from schemas.keys import record_key

_LARGEST: Final = 2**31 - 1  # int4
_NUMBER: Final = re.compile(r"_([1-9][0-9]{0,9})")


def own_id(model: str, name: str, system: str) -> int | None:
    """Return the id that a key of this Odoo's own tells; None where `name` is none of `model`.

    `system` is the source that captures this Odoo, "" where none does.
    """
    found = _NUMBER.search(name, max(0, name.rfind("_")))
    number = int(found[1]) if found else 0
    is_own = bool(system) and 0 < number <= _LARGEST and name == record_key(system, model, number)
    return number if is_own else None
