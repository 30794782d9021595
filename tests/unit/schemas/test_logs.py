"""What a log line says of an error."""

from __future__ import annotations

import json
import logging
import sys

import pytest

from schemas.logs import Console, Json


def record(level: int) -> logging.LogRecord:
    try:
        1 / 0  # noqa: B018  for its traceback
    except ZeroDivisionError:
        return logging.LogRecord(
            "cdc.x", level, "x.py", 1, "failed %s", ("twice",), sys.exc_info()
        )


@pytest.mark.parametrize(
    ("level", "told"), [(logging.ERROR, True), (logging.CRITICAL, True), (logging.WARNING, False)]
)
def test_the_traceback_of_an_error_is_for_programs(level: int, *, told: bool) -> None:
    said = json.loads(Json().format(record(level)))

    assert said["message"] == "failed twice"
    assert ("ZeroDivisionError" in said.get("traceback", "")) is told


def test_a_line_for_people_has_none() -> None:
    assert "Traceback" not in Console().format(record(logging.CRITICAL))


def test_what_others_said_stays_in_its_line() -> None:
    about = {"levelname": "WARNING", "name": "streams.x", "msg": "%s fails", "args": ("a\x1bb",)}
    failed = logging.makeLogRecord({**about, "reason": "no\n10:00:00 INFO all is well"})

    line = Console().format(failed)

    assert line.endswith("WARNING streams.x a\\u001bb fails reason=no\\n10:00:00 INFO all is well")
