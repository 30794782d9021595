"""Past events through today's routes, portion by portion."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from schemas import domain, mapping
from schemas.command import Answer, Progress
from schemas.config import Route
from schemas.document import Read
from schemas.event import Event, Mode
from schemas.mapping import Writing
from schemas.position import Lsn, Position
from schemas.state import State
from streams import replaying
from streams.chains.ledger import iso
from streams.partitions.ports import StateTopic
from streams.replays.job import Job
from streams.replays.portion import Came, by_route
from streams.routing.routes import Routes
from tests.core_rig import Rig
from tests.documents import event_of, order, shape_of
from tests.operator_rig import Operator

SHAPE = shape_of([Read("name"), Read("state")])
POOR = shape_of([Read("state")])
ALL = {"model": "sale.order", "from": "0/0", "run": 7}


def route(index: int, name: str, *targets: str) -> Route:
    """Return a route of confirmed orders."""
    return Route(
        name=name,
        model="sale.order",
        domain=domain.parse([["state", "=", "sale"]]),
        mapping=mapping.parse_map({"name": "name"}),
        targets=targets,
        target_model="sale.order",
        index=index,
    )


def past(number: int, record: int = 0, *, was: str = "", mode: Mode = Mode.STREAM) -> Event:
    """Return the event of a commit that named a record `n<number>`."""
    before = order(SHAPE, name=was or f"n{number - 1}", state="sale")
    after = order(SHAPE, name=f"n{number}", state="sale")
    event = event_of(before if mode is Mode.STREAM else None, after, SHAPE, mode=mode)
    position = Position(0x6743A1F0, Lsn(0x1000 + 0x10 * number), 1)
    time = f"2027-01-15T07:{number // 60:02d}:{number % 60:02d}.000000Z"
    return replace(event, id=record or number, position=position, time=time)


@pytest.fixture
def operator(rig: Rig) -> Operator:
    """Give an operator of a source with one route to two targets, and ten past events."""
    made = Operator(rig)
    given = (route(0, "orders", "webshop"), route(1, "names", "webshop", "shop"))
    made.routes = Routes(Writing("odoo_a"), given)
    made.past = [past(number) for number in range(1, 11)]
    made.replaying = made.replayer()
    return made


async def ask(operator: Operator, **arguments: Any) -> tuple[str, Answer]:
    """Ask for a replay; return its name and the first answer."""
    command = operator.command("replay", **{**ALL, **arguments})
    return command.id, await operator.answer(command.to_json())


async def to_the_end(operator: Operator) -> Answer:
    """Let replays go on until nothing is left; return the last answer."""
    said: list[Answer] = []
    while not said or said[-1].progress is Progress.DOING:
        operator.rig.clock.now += 10
        said += await operator.turn()
    return said[-1]


async def test_past_events_become_deliveries_of_their_run(operator: Operator) -> None:
    _, first = await ask(operator)
    assert (first.progress, first.counts) == (Progress.DOING, {"of": 10, "looked": 0})

    last = await to_the_end(operator)

    assert last.progress is Progress.DONE
    assert last.counts["looked"] == last.counts["events"] == 10
    assert last.counts["deliveries"] == len(operator.sent) == 30
    assert by_route(last.counts) == {
        ("names", "shop", "update"): 10,
        ("names", "webshop", "update"): 10,
        ("orders", "webshop", "update"): 10,
    }
    one = operator.sent[0]
    assert one.sequence == f"{operator.past[0].position.sequence[:-4]}0007"
    assert one.id.endswith(f"/orders/{one.sequence}")
    assert one.mode == "replay"
    assert b'"mode":"replay"' in one.body
    assert b'"changed":["name"]' in one.body
    assert not one.force_older
    assert operator.rig.log.latest(StateTopic.REPLAYS) == {}


async def test_the_initial_load_is_replayed_as_what_it_was(operator: Operator) -> None:
    operator.past = [past(1, mode=Mode.SNAPSHOT)]

    await ask(operator)
    last = await to_the_end(operator)

    assert {operation for _, _, operation in by_route(last.counts)} == {"create"}


async def test_looking_writes_nothing(operator: Operator) -> None:
    await ask(operator, run=0, dry_run=True)
    last = await to_the_end(operator)

    assert last.counts["deliveries"] == 30
    assert operator.sent == []


@pytest.mark.parametrize(
    ("arguments", "numbers"),
    [
        ({"from": "2027-01-15T07:00:04Z"}, range(4, 11)),
        ({"from": "2027-01-15T08:00:04+01:00", "to": "2027-01-15T07:00:07Z"}, range(4, 7)),
        ({"from": "0/1040", "to": "0/1070"}, range(4, 7)),
        ({"from": "", "ids": [3, 9]}, (3, 9)),
        ({"from": "0/1090", "ids": [3, 9]}, (9,)),
    ],
    ids=["time", "times", "lsns", "records", "record"],
)
async def test_a_part_of_the_past(
    operator: Operator, arguments: dict[str, Any], numbers: Any
) -> None:
    await ask(operator, routes=["orders"], **arguments)
    await to_the_end(operator)

    assert [sent.record_id for sent in operator.sent] == list(numbers)


async def test_one_target_alone(operator: Operator) -> None:
    await ask(operator, targets=["shop"])
    last = await to_the_end(operator)

    assert {sent.target for sent in operator.sent} == {"shop"}
    assert last.counts["deliveries"] == 10


async def test_what_sends_nothing_is_counted(operator: Operator) -> None:
    poor = event_of(order(POOR, state="draft"), order(POOR, state="sale"), POOR)
    poor = replace(poor, time=past(3).time)
    huge = replace(past(2), oversize=9_000_000, before=None, after=None)
    operator.past = [past(1, was="n1"), huge, poor]

    await ask(operator)
    last = await to_the_end(operator)

    found = {each: last.counts.get(each, 0) for each in Came}
    assert found == {
        Came.EVENTS: 3,
        Came.DELIVERIES: 0,
        Came.UNCHANGED: 2,
        Came.IGNORED: 0,
        Came.OLDER_SHAPE: 2,
        Came.FORGOTTEN: 0,
        Came.UNSENDABLE: 3,
        Came.UNREADABLE: 0,
    }
    assert operator.rig.log.letters() == []


async def test_nothing_is_sent_of_what_is_older_than_the_ledger(operator: Operator) -> None:
    operator.rig.clock.now += operator.rig.core.limits.retention
    operator.past[9] = replace(operator.past[9], time=iso(operator.rig.clock.now - 1.0))

    await ask(operator)
    last = await to_the_end(operator)

    assert last.counts[Came.FORGOTTEN] == 9
    assert {sent.record_id for sent in operator.sent} == {10}


async def test_what_is_older_than_the_ledger_can_be_forced(operator: Operator) -> None:
    operator.rig.clock.now += operator.rig.core.limits.retention

    await ask(operator, force_older=True)
    await to_the_end(operator)

    assert len(operator.sent) == 30


async def test_a_target_that_is_gone_lets_no_replay_wait(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody takes what stands in its queue."""
    monkeypatch.setattr(replaying, "SMALL", 12)
    await ask(operator)
    await operator.turn()
    asked: list[str] = []

    async def left(ends: dict[str, int]) -> int:
        asked.extend(ends)
        return 10_000 if "webshop/0" in ends else 0

    monkeypatch.setattr(operator, "left", left)
    routes = operator.routes.routes
    operator.routes = replace(
        operator.routes, routes=tuple(replace(route, targets=("shop",)) for route in routes)
    )
    operator.replaying = operator.replayer()
    last = await to_the_end(operator)

    assert last.progress is Progress.DONE
    assert set(asked) == {"shop/0"}


async def test_the_next_portion_waits_until_the_queues_are_short(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replaying, "SMALL", 6)
    await ask(operator)
    operator.unread = replaying.SHORT + 1
    await operator.turn()
    written = len(operator.sent)
    assert written == 6

    operator.rig.clock.now += 10
    await operator.turn()
    assert len(operator.sent) == written

    operator.unread = replaying.SHORT
    operator.rig.clock.now += 10
    await operator.turn()
    assert len(operator.sent) == 2 * written


@pytest.mark.parametrize("kind", ["pause", "drain"])
@pytest.mark.parametrize("what", [{"target": "webshop"}, {"route": "orders"}])
async def test_it_rests_while_something_that_it_sends_to_is_held(
    operator: Operator, kind: str, what: dict[str, str]
) -> None:
    await operator.ask(kind, **what)
    await ask(operator)
    for _ in range(3):
        await operator.turn()
        operator.rig.clock.now += 10
    assert operator.sent == []

    await operator.ask("resume", **what)
    await to_the_end(operator)

    assert len(operator.sent) == 30


async def test_it_goes_on_while_something_else_is_held(operator: Operator) -> None:
    await operator.ask("drain", target="webshop")

    await ask(operator, targets=["shop"])
    await to_the_end(operator)

    assert len(operator.sent) == 10


async def test_no_more_go_out_than_the_rate_says(operator: Operator) -> None:
    await ask(operator, rate=6.0)
    await operator.turn()

    operator.rig.clock.now += 0.9
    await operator.turn()
    assert len(operator.sent) == 6
    operator.rig.clock.now += 0.2
    await operator.turn()
    assert len(operator.sent) == 12


async def test_law_1_a_worker_that_was_killed_goes_on_and_repeats_a_portion_at_most(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replaying, "SMALL", 6)
    await ask(operator)
    await operator.turn()
    at = Job.from_json(*operator.rig.log.latest(StateTopic.REPLAYS).values()).next
    assert at == 2

    await operator.rig.power_cut()
    await operator.rig.begin()
    operator.replaying = operator.replayer()
    await to_the_end(operator)

    assert len(operator.sent) == 30
    assert len({sent.id for sent in operator.sent}) == 30


async def test_a_command_that_comes_again_begins_nothing_twice(operator: Operator) -> None:
    command = operator.command("replay", **ALL)
    await operator.answer(command.to_json())
    await operator.answer(command.to_json())

    await to_the_end(operator)

    assert len(operator.sent) == 30


async def test_one_that_is_cancelled_ends(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replaying, "SMALL", 6)
    name, _ = await ask(operator)
    await operator.turn()

    assert await operator.ask("cancel", id=name) == {"cancelled": 1, "deliveries": 6}

    operator.rig.clock.now += 10
    assert await operator.turn() == []
    assert len(operator.sent) == 6
    assert await operator.ask("cancel", id=name) == {}


async def test_where_there_is_nothing_it_is_done_at_once(operator: Operator) -> None:
    operator.past = []

    _, answer = await ask(operator)

    assert (answer.progress, answer.counts) == (Progress.DONE, {"of": 0, "looked": 0})


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"model": "res.partner"}, "no route reads res.partner"),
        ({"routes": ["oders"]}, 'there is no route "oders"'),
        ({"targets": ["shp"]}, 'no route has a target "shp"'),
        ({"from": ""}, "a replay needs `from`, or `ids` of records"),
        ({"from": "yesterday"}, "'yesterday' is no time, LSN or offset"),
        ({"from": "2026-11-23T10:00"}, "write 2026-11-23T10:00Z for UTC"),
        ({"from": "0:5", "to": "1:9"}, "offsets of different partitions"),
        ({"to": "1:9"}, "`to` is an offset of a partition"),
        ({"run": 0}, "a replay has a number"),
        ({"run": 10_000}, "`run` is a number from 1 to 9999"),
        ({"rate": 0}, "`rate` is a number"),
        ({"ids": ["1"]}, "`ids` is a list of record ids"),
        ({"until": "x"}, "`until` is not known"),
    ],
)
async def test_law_10_what_cannot_be_is_refused(
    operator: Operator, arguments: dict[str, Any], said: str
) -> None:
    _, answer = await ask(operator, **arguments)

    assert answer.progress is Progress.FAILED
    assert said in answer.why


async def test_law_2_what_is_replayed_ends_where_a_newer_one_has_gone(operator: Operator) -> None:
    operator.past = [past(number, record=5) for number in (1, 2, 3)]
    await ask(operator, routes=["orders"])
    await to_the_end(operator)
    live = replace(operator.sent[2], id=operator.sent[2].id[:-4] + "0000", mode="stream")
    live = replace(live, sequence=live.sequence[:-4] + "0000")
    rig = operator.rig
    await rig.deliver(live)

    await rig.deliver(*operator.sent)
    await rig.later(0.1)

    states = [rig.state(sent) for sent in operator.sent]
    assert states == [State.SUPERSEDED, State.SUPERSEDED, State.ACCEPTED]
