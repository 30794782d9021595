"""A delivery that refers to what is on its way waits a little."""

from __future__ import annotations

import asyncio

from streams.target.expected import Expected

A, B = frozenset(("odoo_a.res_partner_1",)), frozenset(("odoo_a.res_partner_2",))


async def test_who_waits_goes_on_when_its_record_is_there() -> None:
    expected = Expected(patience=60)
    waiting = asyncio.create_task(expected.came(A))
    other = asyncio.create_task(expected.came(B))
    await asyncio.sleep(0)

    expected.note(A)

    assert await waiting is True
    assert not other.done()
    expected.note(B)
    assert await other is True


async def test_nobody_waits_for_nothing() -> None:
    assert await Expected(patience=60).came(frozenset()) is False


async def test_at_the_end_of_its_patience_it_looks_once_more() -> None:
    assert await Expected(patience=0.01).came(A) is True


async def test_law_9_so_many_wait_and_no_more() -> None:
    expected = Expected(patience=60, most=1)
    waiting = asyncio.create_task(expected.came(A))
    await asyncio.sleep(0)

    assert await expected.came(B) is False
    expected.note(A)
    assert await waiting is True
    assert await Expected(patience=0, most=1).came(B) is True
