"""What waits, on this worker's disk: an LMDB cache of `retries` and `ledger` per partition.

The topics are the truth, the cache is a copy that says how far it reaches: nothing is synced to
disk, and what is of another boot, another format or too old is deleted and read again.
"""

from __future__ import annotations
