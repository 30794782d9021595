"""A resend looks at every record that is meant, once and in order, however it is cut."""

from __future__ import annotations

import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

from hypothesis import given
from hypothesis import strategies as st

from cdc.resending.job import Job
from cdc.resending.notebook import Notebook
from cdc.resending.search import Search, find
from schemas.arguments import MalformedCommand
from schemas.domain import BadDomain
from schemas.resend import Request

IDS = st.sets(st.integers(1, 40))
TABLE = cast("Any", SimpleNamespace(node=SimpleNamespace(table=3)))
NAMES = st.lists(st.from_regex(r"[a-z][a-z0-9_-]{0,9}", fullmatch=True), max_size=3)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=12,
)


class Held:
    """A shadow of one table whose documents are their ids."""

    def __init__(self, ids: set[int]) -> None:
        self.ids = ids

    def rows(self, table: int, after: int = -1) -> Iterator[tuple[int, bytes]]:
        yield from ((row, b"") for row in sorted(self.ids) if row > after)

    def image(self, root: object, row: int) -> bytes | None:
        return str(row).encode() if row in self.ids else None


@given(held=IDS, asked=IDS, modulus=st.integers(0, 4), sizes=st.data())
def test_law_1_pieces_and_kills_leave_nothing_out_and_take_nothing_twice(
    held: set[int], asked: set[int], modulus: int, sizes: st.DataObject
) -> None:
    request = Request("sale.order", ids=tuple(sorted(asked)), everything=not asked)
    matches = None if not modulus else lambda document: cast("int", document) % modulus == 0
    search = Search(request, TABLE, matches, cast("Any", int))
    shadow = cast("Any", Held(held))
    job = Job("r", 0, request, "", "").begun(max(held, default=-1))
    found: list[int] = []
    while not job.done:
        most = sizes.draw(st.integers(1, 5))
        clock = iter(sizes.draw(st.lists(st.floats(0, 0.2), min_size=50, max_size=50)))
        piece = find(search, job, most, shadow, shadow, lambda clock=clock: next(clock))
        assert len(piece.meant) <= most
        found += [each.id for each in piece.meant]
        job = Job.from_json(
            json.loads(json.dumps(job.went_on(piece.position, piece.counts).to_json()))
        )
        held.add(41)  # it came since: the stream sends it

    meant = asked or held - {41}
    assert found == [
        each for each in sorted(meant) if not modulus or (each in held and each % modulus == 0)
    ]
    assert job.counts.get("documents", 0) == len(found)


@given(
    ids=st.lists(st.integers(1, 10**9), max_size=4),
    domain=st.none() | st.just([["name", "=", "a"]]),
    routes=NAMES,
    targets=NAMES,
    dry_run=st.booleans(),
)
def test_what_is_written_is_read_back(
    ids: list[int], domain: Any, routes: list[str], targets: list[str], *, dry_run: bool
) -> None:
    chosen: dict[str, Any] = {"ids": ids} if ids else {"domain": domain}
    if not ids and domain is None:
        chosen = {"all": True}
    request = Request.of(
        {"model": "a.b", "routes": routes, "targets": targets, "dry_run": dry_run, **chosen}
    )

    assert Request.of(json.loads(json.dumps(request.to_fields()))) == request
    assert request.wants("orders", "shop") == (
        (not routes or "orders" in routes) and (not targets or "shop" in targets)
    )


@given(st.dictionaries(st.sampled_from([*Request("").to_fields(), "else"]), JSON))
def test_law_10_whatever_stands_in_the_topic_is_read_or_refused(fields: dict[str, Any]) -> None:
    try:
        request = Request.of({"model": "sale.order", **fields})
    except (MalformedCommand, BadDomain) as error:
        assert error.hint  # noqa: PT017  one that is none passes too
    else:
        assert sum([bool(request.ids), request.domain is not None, request.everything]) == 1


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 9)), max_size=30))
def test_a_record_is_read_once_wherever_reading_begins_again(read: list[tuple[int, int]]) -> None:
    book, known = Notebook(), dict[int, int]()
    for partition, offset in read:
        assert book.is_read(partition, offset) == (offset < known.get(partition, -1))
        known[partition] = max(known.get(partition, -1), offset + 1)
        book = Notebook.from_json(json.loads(json.dumps(book.to_json())))
