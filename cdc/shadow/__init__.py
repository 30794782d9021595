"""The shadow: the selected columns of every captured row, as of the last published transaction.

Only this room knows LMDB. Keys and values are the engine's.
"""

from __future__ import annotations
