"""What Odoo is asked: for several drafts at once, records of a model together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol, assert_never

from schemas.delivery import Want
from schemas.document import WRITE_DATE

MANY: Final = 100  # records of one read ...
FEW: Final = 10  # ... and of one that has images and the like in it: bodies are held in memory
_LARGE: Final = "binary"

Key = tuple[str, int]  # model, record


@dataclass(frozen=True, slots=True)
class Ask:
    """One read: some records of a model, some fields of each, sorted."""

    model: str
    ids: tuple[int, ...]
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Records:
    """What Odoo answered, by id; of a record that is gone it says nothing."""

    by_id: Mapping[int, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Faulty:
    """Odoo is there and refuses: no right, no such field, an error while it computes."""

    why: str


@dataclass(frozen=True, slots=True)
class Away:
    """Odoo is not to be had, for any record. `unauthorised`: it does not let us in."""

    why: str
    unauthorised: bool = False


class Odoo(Protocol):
    """Reads records of Odoo."""

    async def read(self, ask: Ask) -> Records | Faulty | Away:
        """Ask once; trouble is an answer, never an exception."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What is known of the records that drafts want; a record that is gone is None."""

    found: Mapping[Key, Mapping[str, Any] | Faulty | None]

    def of(self, want: Want) -> Mapping[str, Any] | Faulty | None:
        """Return what is known of a want's record."""
        return self.found[want.model, want.id]


def plan(wants: Iterable[Want]) -> list[Ask]:
    """Return the reads that answer all wants, each record in one of them."""
    fields: dict[Key, set[str]] = {}
    large: set[Key] = set()
    for want in wants:
        fields.setdefault((want.model, want.id), {WRITE_DATE}).add(want.field)
        if want.kind == _LARGE:
            large.add((want.model, want.id))
    groups: dict[tuple[str, tuple[str, ...], bool], list[int]] = {}
    for key, names in fields.items():
        groups.setdefault((key[0], tuple(sorted(names)), key in large), []).append(key[1])
    return [
        Ask(model, tuple(some), names)
        for (model, names, is_large), ids in groups.items()
        for some in _chunks(sorted(ids), FEW if is_large else MANY)
    ]


async def ask(odoo: Odoo, wants: Iterable[Want]) -> Answers | Away:
    """Ask Odoo for all that is wanted; the first time that it is away ends it."""
    found: dict[Key, Mapping[str, Any] | Faulty | None] = {}
    left = plan(wants)
    while left:
        asked = left.pop(0)
        answer = await odoo.read(asked)
        match answer:
            case Away():
                return answer
            case Records(by_id):
                found |= {(asked.model, each): by_id.get(each) for each in asked.ids}
            case Faulty() if len(asked.ids) > 1:  # one of them spoils it for all: which one?
                left[:0] = _halves(asked)
            case Faulty():
                found[asked.model, asked.ids[0]] = answer
            case _:
                assert_never(answer)
    return Answers(found)


def _halves(whole: Ask) -> list[Ask]:
    middle = len(whole.ids) // 2
    return [
        Ask(whole.model, ids, whole.fields) for ids in (whole.ids[:middle], whole.ids[middle:])
    ]


def _chunks(ids: list[int], most: int) -> Iterator[list[int]]:
    for first in range(0, len(ids), most):
        yield ids[first : first + most]
