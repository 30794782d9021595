"""Reads what Odoo's Postgres commits and publishes document changes to Kafka.

The way of one row, in file order:

    capture.py   the loop: reads frames, ends epochs in time, tells the server how far we are
    stream.py    first: message by message; rows are folded, a commit makes events
    engine/      the hot path, bytes in and bytes out: split, row, fold, reach, encode, events
    epoch.py     last: Kafka acknowledges, the shadow commits, Postgres is told (`watermark`)

Beside the stream: `loading.py` reads tables in ranges up to marks, `progress.py` remembers how
far. `selection.py` says which tables and columns the routes need. The edges: `postgres`, `kafka`,
`shadow` (LMDB). `assembly.py` puts it all together; people type `commands`, which ask `checks`,
`todo` and `status`.
"""

from __future__ import annotations
