"""Work beside the main thread."""

from __future__ import annotations

import threading

import pytest

from cdc.aside import Aside


def test_it_does_one_thing_after_the_other_and_gives_back_what_came_of_it() -> None:
    aside = Aside("test")

    done, failed = aside.submit(divmod, 7, 2), aside.submit(divmod, 7, 0)

    assert done.result(10) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        failed.result(10)
    assert aside.shutdown()


def test_an_answer_that_does_not_come_keeps_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cdc.aside._PATIENCE", 0.01)
    aside, never = Aside("test"), threading.Event()
    aside.submit(never.wait)

    assert not aside.shutdown()

    never.set()
