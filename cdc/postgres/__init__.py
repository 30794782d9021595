"""The one room that speaks Postgres: connections, replication, slot, publication, catalog, reads.

Every value that leaves it is text as Postgres writes it under the settings of `connect.SETTINGS`,
so that a row read and the same row streamed are the same bytes.
"""

from __future__ import annotations
