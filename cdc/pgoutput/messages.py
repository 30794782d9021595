"""What pgoutput says besides rows, version 1 of the protocol.

LSNs are integers, times are microseconds since 2000-01-01 UTC, oids and xids are 32 bits wide.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Begin(NamedTuple):
    """A transaction starts; `final_lsn` is that of its commit record."""

    final_lsn: int
    commit_time: int
    xid: int


class Commit(NamedTuple):
    """A transaction ends. Confirm `end_lsn`: after `commit_lsn` it would come again."""

    commit_lsn: int
    end_lsn: int
    commit_time: int


@dataclass(frozen=True, slots=True)
class RelationColumn:
    """One published column; bit 0 of `flags` says that it belongs to the replica identity."""

    flags: int
    name: str
    type_oid: int
    type_modifier: int

    @property
    def key(self) -> bool:
        """Whether the column belongs to the replica identity."""
        return bool(self.flags & 1)


@dataclass(frozen=True, slots=True)
class Relation:
    """A table as the rows behind this message have it; often repeated without a difference."""

    oid: int
    namespace: str  # "" is pg_catalog
    name: str
    replica_identity: str  # d default, n nothing, f full, i index
    columns: tuple[RelationColumn, ...]


@dataclass(frozen=True, slots=True)
class Type:
    """An enum or domain that a column of the next relation has."""

    oid: int
    namespace: str
    name: str


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a transaction that was replicated into this database was first committed."""

    commit_lsn: int
    name: str


@dataclass(frozen=True, slots=True)
class Truncate:
    """Tables were emptied by one statement."""

    options: int  # 1 CASCADE, 2 RESTART IDENTITY
    oids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Message:
    """What `pg_logical_emit_message` wrote; one that is not transactional comes at once."""

    transactional: bool
    lsn: int
    prefix: str
    content: bytes


Decoded = Begin | Commit | Relation | Type | Origin | Truncate | Message
