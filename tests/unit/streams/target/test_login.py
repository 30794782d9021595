"""A login that was refused is tried again by itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from streams.odoo.port import Away, Refused, Trouble
from streams.target.login import EVERY
from tests.service_rig import TargetRig, target


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[TargetRig]:
    """Give a service whose login is watched from `watch` on; seconds pass as it looks."""
    async with target(tmp_path) as made:
        made.login.missing = "not asked"
        yield made


@pytest.fixture
async def watch(rig: TargetRig) -> AsyncIterator[Callable[[], None]]:
    tasks: list[asyncio.Task[None]] = []
    yield lambda: tasks.append(asyncio.create_task(rig.login.watch()))
    for each in tasks:
        each.cancel()


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not true():  # noqa: ASYNC110  nothing happens but time, which passes as it looks
            await asyncio.sleep(0)


async def test_it_is_tried_at_the_start(rig: TargetRig, watch: Callable[[], None]) -> None:
    watch()
    await until(lambda: not rig.login.missing)

    assert rig.unasked == ["Odoo was not asked yet"]
    assert rig.service.reasons() == []
    assert rig.odoo.logins == 1


async def test_a_refused_one_is_tried_every_few_seconds_until_odoo_lets_it_in(
    rig: TargetRig, watch: Callable[[], None]
) -> None:
    rig.odoo.lets_in = False
    watch()
    await until(lambda: rig.odoo.logins == 4)
    refused = rig.login.refused
    rig.odoo.lets_in = True
    await until(lambda: not rig.login.refused)

    assert refused == "Wrong login ID or password"
    assert rig.tries[:4] == [n * EVERY for n in range(4)]
    assert rig.service.refusal() is None


async def test_another_key_is_tried_at_the_next_look(
    rig: TargetRig, watch: Callable[[], None]
) -> None:
    rig.odoo.lets_in = False
    watch()
    await until(lambda: rig.odoo.logins == 1)
    before = rig.now
    rig.key = "another"
    await until(lambda: rig.odoo.logins == 2)

    assert rig.now - before <= 1


@pytest.mark.parametrize("trouble", [Refused("AccessError", "no"), None], ids=["no", "yes"])
async def test_who_gets_an_answer_is_let_in(
    rig: TargetRig,
    monkeypatch: pytest.MonkeyPatch,
    watch: Callable[[], None],
    trouble: Trouble | None,
) -> None:
    answers(rig, monkeypatch, trouble)
    rig.login.note("no")
    watch()
    await until(lambda: not rig.login.refused)

    assert rig.service.reasons() == []


async def test_an_odoo_that_is_away_says_nothing_of_the_login(
    rig: TargetRig, monkeypatch: pytest.MonkeyPatch, watch: Callable[[], None]
) -> None:
    tried = answers(rig, monkeypatch, Away("HTTP 502"))
    watch()
    await until(lambda: len(tried) == 2)
    at_first = rig.service.reasons()
    rig.login.note("no")
    await until(lambda: len(tried) == 4)

    assert at_first == ["Odoo does not answer: HTTP 502"]
    assert rig.login.refused == "no"


async def test_a_fault_of_ours_is_said_and_tried_again(
    rig: TargetRig, monkeypatch: pytest.MonkeyPatch, watch: Callable[[], None]
) -> None:
    tried = answers(rig, monkeypatch, ZeroDivisionError())
    watch()
    await until(lambda: len(tried) == 2)

    assert rig.service.reasons() == ["the login could not be tried: ZeroDivisionError"]


def answers(
    rig: TargetRig, monkeypatch: pytest.MonkeyPatch, trouble: Exception | None
) -> list[float]:
    tried: list[float] = []

    def log_in() -> None:
        tried.append(rig.now)
        if trouble is not None:
            raise trouble

    monkeypatch.setattr(rig.odoo, "log_in", log_in)
    return tried


async def test_an_odoo_that_was_away_is_asked_until_it_is_back(
    rig: TargetRig, watch: Callable[[], None]
) -> None:
    watch()
    await until(lambda: not rig.login.missing)
    rig.login.lost("HTTP 502")
    before = rig.service.reasons()
    await until(lambda: not rig.login.missing)

    assert before == ["Odoo does not answer: HTTP 502"]
    assert rig.odoo.logins == 2
