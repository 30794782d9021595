"""The states of a delivery.

queued -> sent -> accepted -> delivered | rejected     the target's word
^  `-> waiting -.                            its time, or its turn, has not come
'---------------'
from waiting, sent and accepted: dead | superseded     ours
"""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """Where a delivery stands; the value is what topics, commands and metrics show."""

    QUEUED = "queued"  # in the send queue of its target
    SENT = "sent"  # an attempt has begun
    ACCEPTED = "accepted"  # WSO2 has it
    DELIVERED = "delivered"  # the target has taken it
    REJECTED = "rejected"  # the target will never take it
    WAITING = "waiting"  # for its time, or for its turn in the chain
    DEAD = "dead"  # given up
    SUPERSEDED = "superseded"  # a newer one of its chain and route took over while it waited
