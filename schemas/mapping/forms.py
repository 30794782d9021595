"""What a mapping is, once parsed, and the paths that it reads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from schemas import domain
from schemas.document import EXTERNAL_ID, Read

ALL_LANGUAGES = "*"


@dataclass(frozen=True, slots=True)
class Writing:
    """How a source writes values, whichever route they are for.

    `context` is for translated fields and those that depend on the company, where a path says no
    language or company of its own; `decimals` is `string` or `number`; `mask_key` is what
    `mask: hmac` is made with.
    """

    source: str
    context: domain.Context = field(default_factory=domain.Context)
    decimals: str = "string"
    mask_key: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Table:
    """What is sent instead of a value; `otherwise` counts only with `has_else`."""

    values: tuple[tuple[Any, Any], ...]  # a key is a text, a number, true, false or null
    has_else: bool = False
    otherwise: Any = None


@dataclass(frozen=True, slots=True)
class Path:
    """A field, near or far.

    `default` None and `mask` "" are none; `lang` "" and `company` 0 are the source's.
    """

    path: str
    follow: bool = True
    lang: str = ""
    table: Table | None = None
    default: Any = None
    mask: str = ""
    company: int = 0


@dataclass(frozen=True, slots=True)
class Constant:
    """Always the same JSON value."""

    value: Any


@dataclass(frozen=True, slots=True)
class Each:
    """A list of objects, one for each part at the end of `path` that matches `domain`."""

    path: str
    domain: domain.Domain
    mapping: Mapping


@dataclass(frozen=True, slots=True)
class Ref:
    """Key and external id of the record at `path`."""

    path: str
    follow: bool = True


@dataclass(frozen=True, slots=True)
class Match:
    """Field values by which another Odoo finds the record.

    That record is the one that all paths lead through last: `product_id` in
    `{default_code: product_id.default_code, name: product_id.name}`.
    """

    entries: tuple[Entry, ...]  # each value a Path or a Constant, one a Path at least
    follow: bool = True

    @property
    def record(self) -> tuple[str, ...]:
        """The steps that all paths share, () where they begin at the document itself."""
        ways = [e.value.path.split(".")[:-1] for e in self.entries if isinstance(e.value, Path)]
        shared: list[str] = []
        for steps in zip(*ways, strict=False):
            if len(set(steps)) > 1:
                break
            shared.append(steps[0])
        return tuple(shared)


Value = Path | Constant | Each | Ref | Match


@dataclass(frozen=True, slots=True)
class Entry:
    """One name with its value; `key` is its place inside the route, `map.order_line.map.name`."""

    name: str
    value: Value
    key: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Mapping:
    """Names and values, in the order of the file."""

    entries: tuple[Entry, ...]


def without_defaults(mapping: Mapping) -> Mapping:
    """Return a mapping less all paths that say what is sent where they have no value."""
    entries = []
    for entry in mapping.entries:
        match entry.value:
            case Path(default=default) if default is not None:
                continue
            case Each(mapping=inside) as each:
                value = replace(each, mapping=without_defaults(inside))
                entries.append(replace(entry, value=value))
            case _:
                entries.append(entry)
    return Mapping(tuple(entries))


def reads(mapping: Mapping) -> list[Read]:
    """Return every path that the mapping reads, those of domains inside `each` included."""
    return [read for entry in mapping.entries for read in _reads(entry.value)]


def paths(mapping: Mapping) -> Iterator[tuple[Path, str]]:
    """Give every path that the mapping sends, with its key; those inside lists and matches too."""
    for entry in mapping.entries:
        match entry.value:
            case Path() as path:
                yield path, entry.key
            case Each(mapping=inside):
                yield from paths(inside)
            case Match(entries=entries):
                yield from paths(Mapping(entries))
            case Constant() | Ref():
                pass  # nothing of the record but who it is


def _reads(value: Value) -> Iterator[Read]:
    match value:
        case Constant():
            return
        case Path(path=path, follow=follow):
            yield Read(path, follow, live=True)
        case Ref(path=path, follow=follow):
            yield Read(f"{path}.{EXTERNAL_ID}", follow)
        case Match(entries=entries, follow=follow):
            inside = (read for entry in entries for read in _reads(entry.value))
            # Another Odoo cannot be searched by what no column holds.
            for read in inside:
                yield replace(read, follow=read.follow and follow, live=False)
        case Each(path=path, domain=condition, mapping=mapping):
            yield Read(path, each=True)
            yield from _below(path, domain.reads(condition))
            yield from _below(path, reads(mapping))


def _below(path: str, inside: Iterable[Read]) -> Iterator[Read]:
    for read in inside:
        yield replace(read, path=f"{path}.{read.path}")
