"""Where things stand in the cache of a partition: keys that sort as they are needed. Pure.

    items    id                          -> header, JSON of the record in `retries`
    chains   chain NUL sequence rank order -> state, id       a chain in order
    active   the same key                -> id                in flight, or failed and due again
    heads    chain                       -> key in due        the first of a chain without active
    due      target/route/lane NUL time id -> nothing         what must happen when, lane by lane
    since    time id                     -> nothing           the oldest first
    ledger   id                          -> time of its last step, JSON of the record in `ledger`
    touched  time id                     -> nothing           what to drop first
    pauses   target, route or chain/name -> JSON of the record in `pauses`
    replays  id of its command           -> JSON of the record in `replays`
    meta     name                        -> format, boot, offsets, counts, seen, how far a pause is

Times are big-endian doubles: for positive numbers they sort as bytes like the numbers.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from json import loads
from typing import Final

from schemas.keys import DeliveryId, split_delivery_id
from schemas.state import State
from streams.chains.item import Item, place_of
from streams.partitions.ports import Lane

FORMAT: Final = "5"
TABLES: Final = (
    "items", "chains", "active", "heads", "due", "since", "ledger", "touched", "pauses",
    "replays", "meta",
)  # fmt: skip
UNCROWNED: Final = b"uncrowned/"  # and a route, in `meta` -> the key in `chains` to go on behind

_TIME: Final = struct.Struct(">d")
_HEADER: Final = struct.Struct(">ddQBB")  # since, due (-1: none), order, rank, state
_PLACE: Final = struct.Struct(">BQ")
_STATES: Final = {State.WAITING: 0, State.SENT: 1, State.ACCEPTED: 2}
_NAMES: Final = {number: state for state, number in _STATES.items()}
_DRAFT: Final = 3  # in a header: one that waits, and is filled before it is sent
_NONE: Final = -1.0
_LANES: Final = {"ack": (True, False), "send": (False, False), "fill": (False, True)}


@dataclass(frozen=True, slots=True)
class Row:
    """What the indexes need to know of an item."""

    id: DeliveryId
    since: float
    due: float | None
    order: int
    rank: int
    state: State
    draft: bool = False

    @classmethod
    def of(cls, item: Item) -> Row:
        """Return the row of an item."""
        _, rank, order = item.place
        draft = bool(item.delivery.wants)
        return cls(item.id, item.since, item.due, order, rank, item.state, draft)

    @classmethod
    def read(cls, delivery_id: DeliveryId, json: bytes) -> Row:
        """Return the row of a record in `retries`; ValueError or KeyError where it is not one.

        A worker that finds a million of them needs nothing else, and most of the time goes here.
        """
        fields = loads(json)
        order, about = fields["order"], fields["delivery"]
        _, rank, _ = place_of("", about["operation"], order)
        state, draft = State(fields["state"]), bool(about.get("wants"))
        return cls(delivery_id, fields["since"], fields["due"], order, rank, state, draft)

    @classmethod
    def parse(cls, delivery_id: DeliveryId, value: bytes) -> Row:
        """Read the header of a value in `items`."""
        since, due, order, rank, state = _HEADER.unpack_from(value)
        known, draft = None if due == _NONE else due, state == _DRAFT
        waits = State.WAITING if draft else _NAMES[state]
        return cls(delivery_id, since, known, order, rank, waits, draft)

    @property
    def header(self) -> bytes:
        """What stands before the JSON."""
        due = _NONE if self.due is None else self.due
        state = _DRAFT if self.draft else _STATES[self.state]
        return _HEADER.pack(self.since, due, self.order, self.rank, state)

    @property
    def due_key(self) -> bytes | None:
        """The key in `due`; None where it is not due by itself."""
        if self.due is None:
            return None
        deadline = self.state is State.ACCEPTED
        return due_key(self.due, self.id, deadline=deadline, draft=self.draft)

    @property
    def active(self) -> bool:
        """Whether the chain waits for this one."""
        return self.state is not State.WAITING or self.due is not None

    @property
    def chain_key(self) -> bytes:
        """The key in `chains` and `active`."""
        chain, _, sequence = split_delivery_id(self.id)
        return prefix(chain) + sequence.encode() + _PLACE.pack(self.rank, self.order)

    @property
    def chain_value(self) -> bytes:
        """The value in `chains`."""
        return bytes([_STATES[self.state]]) + self.id.encode()


def body_of(value: bytes) -> bytes:
    """Return the JSON of a value in `items`."""
    return value[_HEADER.size :]


def prefix(chain: str) -> bytes:
    """Return what the keys of one chain begin with."""
    return chain.encode() + b"\0"


def member(value: bytes) -> tuple[State, DeliveryId]:
    """Read a value in `chains`."""
    return _NAMES[value[0]], DeliveryId(value[1:].decode())


def timed(time: float, delivery_id: str) -> bytes:
    """Return a key in `due`, `since` or `touched`."""
    return _TIME.pack(max(time, 0.0)) + delivery_id.encode()


def split_timed(key: bytes) -> tuple[float, DeliveryId]:
    """Read such a key back."""
    return _TIME.unpack_from(key)[0], DeliveryId(key[_TIME.size :].decode())


def lane_key(lane: Lane) -> bytes:
    """Return what the keys of one lane begin with in `due`."""
    kind = "ack" if lane.deadline else "fill" if lane.draft else "send"
    return f"{lane.target}/{lane.route}/{kind}\0".encode()


def lane_in(key: bytes) -> Lane:
    """Return the lane of a key in `due`."""
    target, route, kind = key[: key.index(0)].decode().split("/")
    return Lane(target, route, *_LANES[kind])


def due_key(time: float, delivery_id: str, *, deadline: bool, draft: bool = False) -> bytes:
    """Return a key in `due`."""
    _, target, _, _, route, _ = delivery_id.split("/")
    return lane_key(Lane(target, route, deadline, draft)) + timed(time, delivery_id)


def split_due(key: bytes) -> tuple[float, DeliveryId]:
    """Return when something is due, and what, of a key in `due`."""
    return split_timed(key[key.index(0) + 1 :])


def stamped(time: float, json: bytes) -> bytes:
    """Return a value in `ledger`."""
    return _TIME.pack(time) + json


def split_stamped(value: bytes) -> tuple[float, bytes]:
    """Read such a value back."""
    return _TIME.unpack_from(value)[0], value[_TIME.size :]
