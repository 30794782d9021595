"""From a draft to what goes out: which values Odoo is asked for, and where they go. Pure.

`reads` says what to ask for several drafts at once, `values` how an answer is written, `places`
where in the fields, `draft` makes the message complete.
"""

from __future__ import annotations
