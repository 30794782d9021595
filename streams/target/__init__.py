"""`odoo-cdc target`: takes deliveries over HTTP and has them applied, each once and in its turn.

`production` puts it together. `desk` reads and answers, `service` keeps turns (`holding`), has
sessions of its own for its threads (`hands`, `login`), and remembers on disk what was applied
(`applied`, `remembering`).
"""

from __future__ import annotations
