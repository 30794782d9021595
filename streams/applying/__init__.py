"""The rules by which a delivery is written into an Odoo, one at a time, through one session.

`settings` is what target.yaml says (`reading`, `checks`), `incoming` the message, `answer` what it
is answered. `applier` goes through it: what the message wants (`wanted`, `values`), the records
it refers to (`relations`), the record itself (`identity`), what differs (`present`), what is
written (`writing`, `rows`), and its state (`actions`) or its end (`ending`).
"""

from __future__ import annotations
