"""How a worker ends for an error."""

from __future__ import annotations

import logging
import os
from typing import NoReturn

import pytest

from schemas.errors import BadUsage, DataAtRisk, ServiceUnavailable
from streams.worker.exits import fatal


class Ended(BaseException):
    """The process is gone."""


@pytest.fixture(autouse=True)
def ending(monkeypatch: pytest.MonkeyPatch) -> None:
    def end(code: int) -> NoReturn:
        raise Ended(code)

    monkeypatch.setattr(os, "_exit", end)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        pytest.param(BadUsage("the route is wrong", hint="Mend it."), 2, id="bad usage"),
        pytest.param(ServiceUnavailable("Kafka is away", hint="Mend it."), 3, id="service"),
        pytest.param(DataAtRisk("a gap", hint="Mend it."), 4, id="data at risk"),
    ],
)
def test_law_10_what_is_known_ends_with_its_code_and_hint_and_no_traceback(
    error: Exception,
    code: int,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    with pytest.raises(Ended) as ended:
        fatal(error)

    assert ended.value.args == (code,)
    assert capsys.readouterr().err.endswith(f"{error}; hint: Mend it.\n")
    assert [record.exc_info for record in caplog.records] == [None]


def test_what_nobody_expected_ends_with_70_and_says_where(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.CRITICAL), pytest.raises(Ended) as ended:
        fatal(ValueError("what"))

    assert ended.value.args == (70,)
    assert caplog.records[0].exc_info
