"""From events to lines that stand in a file once, whatever ends the process and when."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from schemas.event import Event
from schemas.message import MAX_BODY
from streams.cache.covered import Covered, FolderUnusable, OtherFormat, RunInUse, Standing
from streams.kafka.records import Taken
from streams.routing.dispatch import dispatch
from streams.routing.routes import Routes
from streams.shadow_run.lines import Line, lines_of
from streams.shadow_run.output import FileChanged, FileInUse, FileOutput, NotItsFile
from streams.shadow_run.run import Record, ShadowRun
from tests.unit.streams.routing.test_dispatch import event, image, route, routes

if TYPE_CHECKING:
    from streams.decoding import Decoder

TOPIC = "odoo_a.sale.order"


def states(number: int) -> list[Event]:
    """Return events of one order, in the order of their commits."""
    made = []
    for at in range(number):
        each = event(image("sale", f"S{at}"), image("sale", f"S{at + 1}"))
        made.append(replace(each, position=replace(each.position, ordinal=at + 1)))
    return made


class Known:
    """Decodes what a test has made: a value is the number of an event."""

    def __init__(self, events: Sequence[Event]) -> None:
        self._events = events

    async def event(self, value: bytes) -> Event:
        return self._events[int(value)]


class Nothing:
    """Remembers as a dict does."""

    def __init__(self) -> None:
        self.known: dict[Record, str] = {}
        self.taken: list[int] = []

    def latest(self, record: Record) -> str:
        return self.known.get(record, "")

    def keep(self, latest: Any, taken: Sequence[Taken]) -> None:
        self.known |= latest
        self.taken += [each.offset for each in taken]


class Told:
    """An output that keeps lines."""

    def __init__(self) -> None:
        self.lines: list[Line] = []

    async def write(self, lines: Sequence[Line]) -> None:
        self.lines += lines


def taken(*numbers: int) -> list[Taken]:
    return [Taken(TOPIC, 0, at, b"42", str(number).encode()) for at, number in enumerate(numbers)]


async def ran(events: Sequence[Event], *numbers: int, by: Routes | None = None) -> ShadowRun:
    made = ShadowRun(cast("Decoder", Known(events)), by or routes(), Told(), Nothing())
    await made.take(taken(*numbers))
    return made


def lines(made: ShadowRun) -> list[bytes]:
    assert isinstance(made.output, Told)
    return [line.text for line in made.output.lines]


async def test_law_3_a_line_is_the_message_that_would_be_sent() -> None:
    events = states(2)

    made = await ran(events, 0, 1)

    sent = [each.body for one in events for each in dispatch(one, routes()).deliveries]
    assert lines(made) == sent
    assert not any(b"\n" in each for each in sent)


async def test_law_3_what_capture_repeats_after_a_crash_is_no_further_line() -> None:
    made = await ran(states(3), 0, 1, 0, 1, 2)

    assert len(set(lines(made))) == len(lines(made)) == 3
    assert made.counts.repeats == 2


async def test_law_10_what_cannot_be_sent_is_a_line_with_its_reason() -> None:
    large = event(None, image("sale", "x" * MAX_BODY))
    odd = routes(route(map={"s": {"path": "name", "table": {"a": "b"}}}))

    (too_large,) = map(json.loads, lines(await ran([large], 0)))
    (unsendable,) = map(json.loads, lines(await ran(states(1), 0, by=odd)))

    assert too_large["undeliverable"]["code"] == "TOO_LARGE"
    assert unsendable["undeliverable"]["code"] == "UNSENDABLE"
    assert unsendable["id"].startswith("odoo_a/webshop/sale.order/42/orders/")
    assert unsendable["data"]["record"] == {
        "model": "sale.order", "id": 42, "operation": "update",
    }  # fmt: skip


async def test_what_an_event_does_not_show_is_counted() -> None:
    newer = routes(route(map={"x": {"path": "name", "lang": "fr_FR"}}))

    made = await ran(states(1), 0, by=newer)

    assert made.counts.older_shape == 1
    assert lines(made) == []


def line(text: str) -> Line:
    return Line("chain", text.encode())


@pytest.mark.parametrize("kept", [0, 1, 2, 3], ids="{} kept".format)
async def test_law_1_what_was_not_covered_is_cut_and_written_again(
    kept: int, tmp_path: Path
) -> None:
    path, want = tmp_path / "out.jsonl", [line(f"line {n}") for n in range(3)]
    with closing(FileOutput(path)) as first:
        first.cut(None)
        await first.write(want[:kept])
        covered = first.length
        await first.write(want[kept:])  # killed before it is remembered, within a line
        path.write_bytes(path.read_bytes()[:-1] if want[kept:] else path.read_bytes())

    with closing(FileOutput(path)) as second:
        second.cut(covered)
        await second.write(want[kept:])

    assert path.read_text() == "line 0\nline 1\nline 2\n"


def test_law_10_files_that_are_not_its_own_are_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "theirs.txt"
    path.write_text("a letter")

    with closing(FileOutput(path)) as file:
        with pytest.raises(NotItsFile):
            file.cut(None)
        with pytest.raises(FileChanged):
            file.cut(100)
        with pytest.raises(FileInUse):
            FileOutput(path)

    assert path.read_text() == "a letter"


def test_how_far_it_came_is_remembered_with_what_was_latest(tmp_path: Path) -> None:
    standing = Standing("file x", 12, {(TOPIC, 3): 7}, {TOPIC: "id"})
    with closing(Covered(tmp_path)) as covered:
        assert covered.standing() is None
        covered.commit(standing, {("sale.order", 42): "a", ("sale.order", 4): "b"})
        with pytest.raises(RunInUse):
            Covered(tmp_path)

    with closing(Covered(tmp_path)) as covered:
        assert covered.standing() == standing
        assert covered.latest(("sale.order", 42)) == "a"
        assert covered.latest(("sale.order", 43)) == ""


def test_law_9_its_folder_grows_when_it_is_full(tmp_path: Path) -> None:
    many = {("sale.order", number): "x" * 400 for number in range(50_000)}

    with closing(Covered(tmp_path)) as covered:
        covered.commit(Standing("file x"), many)

        assert covered.latest(("sale.order", 49_999)) == "x" * 400


def test_law_10_a_folder_that_is_damaged_is_said(tmp_path: Path) -> None:
    (tmp_path / "data.mdb").write_bytes(b"x" * 10_000)

    with pytest.raises(FolderUnusable):
        Covered(tmp_path)


def test_law_10_another_format_is_refused() -> None:
    value = Standing("file x").to_json().replace(b'"format": 1', b'"format": 2')

    with pytest.raises(OtherFormat):
        Standing.from_json(value)


def test_a_leaving_record_is_a_line_too() -> None:
    made = list(lines_of(dispatch(event(image("sale"), image("cancel")), routes())))

    assert [json.loads(each.text)["type"] for each in made] == ["odoo.sale.order.leave"]
