"""Two files of lines held against each other, record by record.

Of each record only the places of its lines are kept in memory; the lines are read
again when it is compared.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, BinaryIO, Final, Self

from streams.shadow_run.sameness import ALL, Leniency, differing, is_same
from streams.shadow_run.states import State, UnreadableLine

Key = tuple[str, int]  # model, id
Read = Callable[[bytes], State | None]
_LONGEST: Final = 16 * 2**20  # bytes of a line
_PLACE: Final = re.compile(r"\[[0-9]+\]")


class Kind(StrEnum):
    """What comes of a record; the value is its name in answers."""

    EQUAL = "equal"
    DIFFERENT = "different"
    ONLY_OLD = "only_old"  # only the other program says that the target has it
    ONLY_OURS = "only_ours"
    UNDELIVERABLE = "undeliverable"  # ours could not be sent


@dataclass(frozen=True, slots=True)
class Terms:
    """What counts as a difference.

    `ignored` are names of fields, or paths without places: `order_line.sequence`. `every` wants
    each state of the other program among ours, in its order; else the last ones are compared.
    `common` leaves out records that one side alone has.
    """

    lenient: frozenset[Leniency] = ALL
    ignored: frozenset[str] = frozenset()
    every: bool = False
    common: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """A record, what came of it, and what is not the same: (path, old, ours)."""

    key: Key
    kind: Kind
    why: str = ""
    name: str = ""  # the id of our delivery
    fields: tuple[tuple[str, Any, Any], ...] = ()


@dataclass(slots=True)
class Lines:
    """A file of lines, and where those of each record stand in it.

    Of one that is `growing` a last line without an end is being written, and does not count.
    """

    path: Path
    file: BinaryIO
    read: Read
    growing: bool = False
    places: dict[Key, list[int]] = field(default_factory=dict)

    @classmethod
    def open(cls, path: Path, read: Read, *, growing: bool = False) -> Self:
        """Open a file. UnreadableLine where there is none."""
        try:
            return cls(path, path.open("rb"), read, growing)
        except OSError as error:
            raise UnreadableLine(f"{path}: {error.strerror}", hint="Name a file.") from error

    def index(self, wants: Callable[[State], bool], *, every: bool, model: str = "") -> None:
        """Find the records that are wanted, of `model` where a line says none. UnreadableLine."""
        for number, at, line in lines_in(self.file):
            if not line.strip() or (self.growing and not line.endswith(b"\n")):
                continue
            state = self._state(line, number)
            if state is not None and wants(state):
                key = state.model or model, state.id
                if every:
                    self.places.setdefault(key, []).append(at)
                else:
                    self.places[key] = [at]

    def states(self, key: Key) -> list[State]:
        """Return what the lines of a record say, in their order."""
        found = []
        for at in self.places.get(key, ()):
            self.file.seek(at)
            state = self.read(_unmarked(self.file.readline(), at))
            found += [] if state is None else [state]
        return found

    def _state(self, line: bytes, number: int) -> State | None:
        if len(line) > _LONGEST:
            raise UnreadableLine(f"{self.path}:{number}: it has more than {_LONGEST} bytes")
        try:
            return self.read(line)
        except ValueError as error:
            if not line.endswith(b"\n") and number > 1:
                why = f"the last line may be torn: {error}"
                raise UnreadableLine(f"{self.path}:{number}: {why}") from error
            raise UnreadableLine(f"{self.path}:{number}: {error}") from error


def lines_in(file: BinaryIO) -> Iterator[tuple[int, int, bytes]]:
    """Give the lines of a file: number from 1, where it begins, bytes."""
    number = at = 0
    file.seek(0)
    while line := file.readline(_LONGEST + 1):
        number += 1
        yield number, at, _unmarked(line, at)
        at += len(line)
        file.seek(at)


@dataclass(slots=True)
class Comparison:
    """What came of all records: counts, and by field how many records differ in it."""

    old: Lines
    ours: Lines
    terms: Terms
    counts: Counter[Kind] = field(default_factory=Counter)
    by_field: Counter[str] = field(default_factory=Counter)
    differing: list[Key] = field(default_factory=list)  # in the order of our lines

    def run(self) -> None:
        """Compare every record."""
        for key in sorted(self.old.places.keys() | self.ours.places.keys(), key=self._order):
            verdict = self.verdict(key)
            self.counts[verdict.kind] += 1
            if verdict.kind is Kind.EQUAL:
                continue
            self.by_field.update({_PLACE.sub("", path) for path, _, _ in verdict.fields})
            if not (self.terms.common and verdict.kind in (Kind.ONLY_OLD, Kind.ONLY_OURS)):
                self.differing.append(key)

    def fields(self) -> dict[str, int]:
        """Return by field how many records differ in it, the most first."""
        return dict(sorted(self.by_field.items(), key=lambda each: (-each[1], each[0])))

    def verdict(self, key: Key) -> Verdict:
        """Compare one record."""
        old, ours = self.old.states(key), self.ours.states(key)
        if ours and ours[-1].refused:
            return Verdict(key, Kind.UNDELIVERABLE, ours[-1].refused, ours[-1].name)
        there = [bool(states) and not states[-1].gone for states in (old, ours)]
        name = ours[-1].name if ours else ""
        match there:
            case [True, False]:
                why = "ours says that it has left or was deleted" if ours else ""
                return Verdict(key, Kind.ONLY_OLD, why, name)
            case [False, True]:
                return Verdict(
                    key, Kind.ONLY_OURS, "the other one deleted it" if old else "", name
                )
            case [False, False] if not (self.terms.every and old and ours):
                return Verdict(key, Kind.EQUAL, name=name)
        return self._held(key, old, ours)

    def _held(self, key: Key, old: Sequence[State], ours: Sequence[State]) -> Verdict:
        """Compare the states of a record that both have: all of the old one, or the last ones."""
        if not self.terms.every:
            return self._pair(key, old[-1], ours[-1])
        left = [state for state in ours if not state.refused]
        before: State | None = None
        for state in old:
            if before is not None and self._is_same(before, state):
                continue  # it polls: the same state may be sent again
            before = state
            found = (n for n, each in enumerate(left) if self._is_same(state, each))
            place = next(found, None)
            if place is None:
                return self._pair(key, state, left[0] if left else ours[-1])
            left = left[place + 1 :]
        return Verdict(key, Kind.EQUAL, name=ours[-1].name)

    def _pair(self, key: Key, old: State, ours: State) -> Verdict:
        found = tuple(self._differing(old, ours))
        if old.gone is not ours.gone:
            why = "only the other one says that it is gone" if old.gone else "only ours says so"
            return Verdict(key, Kind.DIFFERENT, why, ours.name)
        kind = Kind.DIFFERENT if found or self.terms.every else Kind.EQUAL
        why = "" if found or kind is Kind.EQUAL else "the order of its states is another"
        return Verdict(key, kind, why, ours.name, found)

    def _is_same(self, old: State, ours: State) -> bool:
        if old.gone or ours.gone:
            return old.gone is ours.gone
        if not self.terms.ignored:
            return is_same(old.fields, ours.fields, self.terms.lenient)
        return not any(self._differing(old, ours))

    def _differing(self, old: State, ours: State) -> Iterator[tuple[str, Any, Any]]:
        for path, one, other in differing(dict(old.fields), dict(ours.fields), self.terms.lenient):
            names = _PLACE.sub("", path).split(".")
            if not any(".".join(names[: n + 1]) in self.terms.ignored for n in range(len(names))):
                yield path, one, other

    def _order(self, key: Key) -> tuple[bool, int, Key]:
        mine = self.ours.places.get(key)
        return bool(mine), (mine or self.old.places[key])[-1], key


def _unmarked(line: bytes, at: int) -> bytes:
    """Return a line without the mark that some editors begin a file with."""
    return line.removeprefix(b"\xef\xbb\xbf") if at == 0 else line
