"""Documents once more from the shadow, where an operator asks for it.

`job` is one such request under way, `notebook` what the shadow remembers of all of them, `search`
which documents are meant, `resends` what the loop drives.
"""

from __future__ import annotations
