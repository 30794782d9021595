"""The service between HTTP and the threads that ask Odoo."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from streams.applying import answer
from streams.applying.answer import STALE, Answer, Delivered, Rejected, Retry
from streams.applying.incoming import Incoming, Operation
from streams.odoo.port import LoginRefused
from streams.target.applied import Begun, Memory, MemoryDamaged, NotRemembered, Stale
from tests.service_rig import FakeOdoo, Gate, TargetRig, delivers, delivery, target

UNCLEAR = Retry(answer.UNCLEAR, "no answer in time", unclear=True)
REJECTED = Rejected(answer.REFUSED, "name: it must not be empty")
CONFLICT = Retry(answer.CONFLICT, "somebody else wrote", after=1)


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[TargetRig]:
    async with target(tmp_path) as made:
        yield made


def code(said: Answer) -> str:
    assert isinstance(said, Retry | Rejected)
    return said.code


async def test_law_5_a_delivery_is_applied_once(rig: TargetRig) -> None:
    first = await rig.take(delivery(1))
    again = await rig.take(delivery(1))

    assert first == [Delivered(101)]
    assert again == [Delivered(101, STALE)]
    assert rig.odoo.numbers == [1]


async def test_law_5_an_older_one_after_a_newer_is_delivered_and_not_written(
    rig: TargetRig,
) -> None:
    await rig.take(delivery(2, operation="leave"))

    assert await rig.take(delivery(1)) == [Delivered(101, STALE)]
    assert await rig.take(delivery(3)) == [Delivered(101)]
    assert [last for _, _, last in rig.odoo.asked] == [None, "leave"]


async def test_what_comes_before_the_record_that_it_refers_to_waits_for_it(rig: TargetRig) -> None:
    there: set[str] = set()
    first, second = delivery(1, record=1), delivery(2, record=2)
    looked = asyncio.Event()
    loop = asyncio.get_running_loop()

    def script(incoming: Incoming, last: Operation | None) -> Answer:
        if incoming.id == second.id and first.key not in there:
            loop.call_soon_threadsafe(looked.set)
            return Retry(answer.MISSING, "not here yet", missing=frozenset((first.key,)))
        there.add(incoming.key)
        return delivers(incoming, last)

    rig.odoo.script = script
    waiting = asyncio.create_task(rig.take(second))
    await looked.wait()

    assert await rig.take(first) == [Delivered(101)]
    assert await waiting == [Delivered(102)]
    assert rig.odoo.numbers == [2, 1, 2]


@pytest.mark.parametrize("said", [REJECTED, CONFLICT], ids=["rejected", "retry"])
async def test_where_odoo_is_as_it_was_an_older_one_may_still_come(
    rig: TargetRig, said: Answer
) -> None:
    rig.odoo.script = lambda *_: said
    refused = await rig.take(delivery(2))
    rig.odoo.script = delivers

    assert refused == [said]
    assert await rig.take(delivery(1)) == [Delivered(101)]


async def test_law_5_where_the_outcome_is_not_known_an_older_one_is_stale_and_it_comes_again(
    rig: TargetRig,
) -> None:
    rig.odoo.script = lambda *_: UNCLEAR
    unclear = await rig.take(delivery(2))
    rig.odoo.script = delivers

    assert unclear == [UNCLEAR]
    assert await rig.take(delivery(1)) == [Delivered(None, STALE)]
    assert await rig.take(delivery(2)) == [Delivered(101)]
    assert rig.odoo.numbers == [2, 2]


async def test_a_fault_of_ours_is_tried_again_and_taken_for_unclear(
    rig: TargetRig, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(_: Incoming, __: Operation | None) -> Answer:
        raise ZeroDivisionError

    rig.odoo.script = fails
    (said,) = await rig.take(delivery(2))
    rig.odoo.script = delivers

    assert said == Retry(answer.UNEXPECTED, "the service failed: ZeroDivisionError", unclear=True)
    assert "unexpected" in [vars(each).get("action") for each in caplog.records]
    assert await rig.take(delivery(1)) == [Delivered(None, STALE)]


async def test_deliveries_of_one_chain_take_turns_and_others_go_side_by_side(
    rig: TargetRig,
) -> None:
    gate = rig.odoo.script = Gate()

    tasks = [rig.begin(delivery(n, record)) for n, record in ((1, 1), (2, 1), (1, 2))]
    await gate.reached(2)
    both = list(rig.odoo.numbers)
    gate.open()
    said = await asyncio.gather(*tasks)

    assert both == [1, 1]
    assert rig.odoo.numbers == [1, 1, 2]
    assert said == [Delivered(101), Delivered(101), Delivered(102)]


async def test_a_copy_that_comes_meanwhile_waits_and_is_answered_like_the_first(
    rig: TargetRig,
) -> None:
    gate = rig.odoo.script = Gate(lambda *_: REJECTED)

    tasks = [rig.begin(delivery(1)) for _ in range(3)]
    await gate.reached()
    gate.open()

    assert await asyncio.gather(*tasks) == [REJECTED] * 3
    assert rig.odoo.numbers == [1]
    assert rig.gauge("joined") == 0


async def test_law_9_more_than_may_wait_is_refused_at_once(tmp_path: Path) -> None:
    async with target(tmp_path, at_once=1, waiting=2) as rig:
        gate = rig.odoo.script = Gate()
        tasks = [rig.begin(delivery(1, record)) for record in (1, 2, 3)]
        await gate.reached()

        (more,) = await rig.take(delivery(1, 4))
        (copy,) = await rig.take(delivery(1, 1))
        waiting = rig.gauge("waiting")
        gate.open()
        said = await asyncio.gather(*tasks)

        assert more == copy == Retry(answer.BUSY, "as much is waiting as may", after=1)
        assert waiting == 2
        assert said == [Delivered(101), Delivered(102), Delivered(103)]
        assert (await rig.take(delivery(1, 4))) == [Delivered(104)]


async def test_with_nothing_that_may_wait_as_many_are_taken_as_are_worked_at(
    tmp_path: Path,
) -> None:
    async with target(tmp_path, at_once=2, waiting=0) as rig:
        gate = rig.odoo.script = Gate()
        tasks = [rig.begin(delivery(1, record)) for record in (1, 2)]
        await gate.reached(2)

        (more,) = await rig.take(delivery(1, 3))
        gate.open()

        assert code(more) == answer.BUSY
        assert await asyncio.gather(*tasks) == [Delivered(101), Delivered(102)]


async def test_whose_turn_does_not_come_in_time_is_busy_and_leaves_nothing(
    tmp_path: Path,
) -> None:
    async with target(tmp_path, patience=0.05) as rig:
        gate = rig.odoo.script = Gate()
        first = rig.begin(delivery(1))
        await gate.reached()

        (second,) = await rig.take(delivery(2))
        gate.open()

        assert second == Retry(answer.BUSY, "its turn did not come in time", after=1)
        assert await first == Delivered(101)
        assert rig.gauge("waiting") == 0
        assert await rig.take(delivery(2)) == [Delivered(101)]


async def test_who_asks_may_go_away_and_the_work_goes_on(rig: TargetRig) -> None:
    gate = rig.odoo.script = Gate()
    asks = rig.begin(delivery(1))
    waits = rig.begin(delivery(2))
    await gate.reached()

    for each in (asks, waits):
        each.cancel()
        with pytest.raises(asyncio.CancelledError):
            await each
    copy = rig.begin(delivery(2))
    gate.open()

    assert await copy == Delivered(101)
    assert rig.odoo.numbers == [1, 2]
    assert await rig.take(delivery(2)) == [Delivered(101, STALE)]
    assert (rig.gauge("in_flight"), rig.gauge("waiting")) == (0, 0)


async def test_a_service_that_stops_finishes_what_is_begun_and_nothing_else(
    tmp_path: Path,
) -> None:
    async with target(tmp_path, at_once=1) as rig:
        gate = rig.odoo.script = Gate()
        begun = rig.begin(delivery(1))
        waits = [rig.begin(delivery(2)), rig.begin(delivery(1, 2))]
        await gate.reached()

        stopping = asyncio.create_task(rig.service.stop(30))
        said = await asyncio.gather(*waits)
        (late,) = await rig.take(delivery(3))
        gate.open()
        await stopping

        assert [code(each) for each in (*said, late)] == [answer.STOPPING] * 3
        assert await begun == Delivered(101)
        assert rig.odoo.numbers == [1]
        assert "the service is stopping" in rig.service.reasons()


async def test_law_1_what_does_not_end_in_time_is_begun_for_the_next_service(
    tmp_path: Path,
) -> None:
    async with target(tmp_path) as rig:
        gate = rig.odoo.script = Gate()
        asks = rig.begin(delivery(2))
        await gate.reached()
        await rig.service.stop(0.01)
        rig.crash()
        with closing(Memory(tmp_path)) as memory, memory.together():
            older, same = memory.begin(delivery(1)), memory.begin(delivery(2))
        gate.open()
        asks.cancel()

    assert isinstance(older, Stale)
    assert isinstance(same, Begun)


async def test_a_call_that_hangs_gives_its_place_away_and_holds_up_its_own_chain_only(
    tmp_path: Path,
) -> None:
    async with target(tmp_path, at_once=1, patience=0.5, lasting=0.05) as rig:
        gate = rig.odoo.script = Gate()
        (hangs,) = await rig.take(delivery(1))
        rig.odoo.script = delivers

        (own,) = await rig.take(delivery(2))
        others = await rig.take(delivery(1, 2))
        (again,) = await rig.take(delivery(1))
        hung = rig.gauge("hung")
        behind = rig.begin(delivery(2))  # its turn comes when the first one has its answer
        gate.open()
        after = [await behind, *await rig.take(delivery(1))]

        assert isinstance(hangs, Retry)
        assert (hangs.code, hangs.unclear) == (answer.UNCLEAR, True)
        assert again == hangs
        assert code(own) == answer.BUSY
        assert others == [Delivered(102)]
        assert hung == 1
        assert after == [Delivered(101), Delivered(101, STALE)]
        assert rig.gauge("hung") == 0
        names = {name for _, name, _ in rig.odoo.asked}
        assert len(names) == 2  # another session took over


async def test_where_as_many_hang_as_may_and_nothing_is_answered_it_must_begin_anew(
    tmp_path: Path,
) -> None:
    async with target(tmp_path, at_once=1, patience=0.05, lasting=0.05) as rig:
        gate = rig.odoo.script = Gate()
        await rig.take(delivery(1, 1))
        await rig.take(delivery(1, 2))
        stuck_at_first = rig.stuck.is_set()
        (third,) = await rig.take(delivery(1, 3))
        reasons = rig.service.reasons()
        rig.now += 601
        async with asyncio.timeout(30):
            await rig.stuck.wait()
        gate.open()

        assert not stuck_at_first
        assert code(third) == answer.BUSY
        assert reasons == ["1 calls to Odoo hang"]


async def test_where_odoo_does_not_let_it_in_nothing_is_rejected_or_asked(
    rig: TargetRig, caplog: pytest.LogCaptureFixture
) -> None:
    rig.odoo.script = lambda *_: Retry(answer.LOGIN, "Wrong login ID or password")

    said = [*await rig.take(delivery(1)), *await rig.take(delivery(1, 2))]

    assert [code(each) for each in said] == [answer.LOGIN] * 2
    assert rig.odoo.numbers == [1]
    assert rig.service.reasons() == [
        "Odoo does not let the service in: Wrong login ID or password"
    ]
    alarms = [vars(each).get("alarm") for each in caplog.records]
    assert alarms.count("target_login_refused") == 1


async def test_a_session_that_cannot_be_opened_is_a_login_refused(rig: TargetRig) -> None:
    def refuses(_: Incoming, __: Operation | None) -> Answer:
        raise LoginRefused("no such database")

    rig.odoo.script = refuses

    (said,) = await rig.take(delivery(1))

    assert said == Retry(
        answer.LOGIN, "Odoo does not let the service in: no such database", after=5
    )


async def test_what_waits_when_the_login_is_refused_is_not_begun(tmp_path: Path) -> None:
    async with target(tmp_path, at_once=1) as rig:
        gate = rig.odoo.script = Gate(lambda *_: Retry(answer.LOGIN, "no"))
        tasks = [rig.begin(delivery(1, record)) for record in (1, 2, 3)]
        await gate.reached()
        gate.open()
        said = await asyncio.gather(*tasks)

        assert [code(each) for each in said] == [answer.LOGIN] * 3
        assert rig.odoo.numbers == [1]
        assert rig.memory.rows == 0


async def test_odoo_that_is_away_is_said_until_it_answers(rig: TargetRig) -> None:
    rig.odoo.script = lambda *_: Retry(answer.AWAY, "HTTP 502")
    await rig.take(delivery(1))
    away = rig.service.reasons()
    rig.odoo.script = lambda *_: REJECTED
    await rig.take(delivery(1))

    assert away == ["Odoo does not answer: HTTP 502"]
    assert rig.service.reasons() == []


async def test_law_10_where_nothing_can_be_written_down_odoo_is_not_asked(
    rig: TargetRig, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(_: Incoming) -> Stale | Begun:
        raise NotRemembered("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(rig.memory, "begin", full)
        said = [*await rig.take(delivery(1)), *await rig.take(delivery(1))]
        failing = rig.remembering.failing
    after = await rig.take(delivery(1))

    assert [code(each) for each in said] == [answer.NOT_REMEMBERED] * 2
    assert failing == "the disk is full"
    assert after == [Delivered(101)]
    assert rig.odoo.numbers == [1]
    assert rig.pool.free == 2
    alarms = [vars(each).get("alarm") for each in caplog.records]
    assert alarms.count("target_not_remembered") == 1


async def test_law_10_a_memory_that_is_found_damaged_ends_the_service(
    rig: TargetRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def damaged(_: Incoming) -> Stale | Begun:
        raise MemoryDamaged("a page is lost")

    monkeypatch.setattr(rig.memory, "begin", damaged)
    (said,) = await rig.take(delivery(1))

    assert code(said) == answer.NOT_REMEMBERED
    assert [str(each) for each in rig.fatal] == ["a page is lost"]


async def test_what_comes_together_is_put_on_disk_together(tmp_path: Path) -> None:
    async with target(tmp_path, at_once=16) as rig:
        await rig.take(*(delivery(1, record) for record in range(16)))

        assert rig.memory.rows == 16
        assert rig.remembering.commits < 32


async def test_a_log_line_tells_what_is_remarkable_and_never_what_is_in_it(
    rig: TargetRig, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await rig.take(delivery(1))
    rig.odoo.script = lambda *_: Rejected(answer.REFUSED, "the name of Mrs Miller is too long")
    await rig.take(delivery(2))
    rig.odoo.script = lambda *_: Delivered(101, "archived instead")
    await rig.take(delivery(3))

    lines = [each for each in caplog.records if each.name == "streams.target.desk"]
    assert [each.levelname for each in lines] == ["DEBUG", "INFO", "INFO"]
    assert [vars(each)["answer"] for each in lines] == ["delivered", "ODOO_REFUSED", "delivered"]
    assert vars(lines[1])["delivery"] == delivery(2).id
    assert "Miller" not in caplog.text


async def test_the_fake_is_used_by_as_many_threads_as_may_be(tmp_path: Path) -> None:
    odoo = FakeOdoo()
    async with target(tmp_path, odoo, at_once=3) as rig:
        gate = odoo.script = Gate()
        tasks = [rig.begin(delivery(1, record)) for record in range(6)]
        await gate.reached(3)
        at_first = len(odoo.asked)
        gate.open()
        await asyncio.gather(*tasks)

    assert at_first == 3
    assert len({name for _, name, _ in odoo.asked}) == 3
