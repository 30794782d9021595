"""Programs that end are started again, but not for ever."""

from __future__ import annotations

from typing import Any

import pytest

from embedded.demo.errors import ProgramEnded
from embedded.demo.supervisor import MOST, tend


class Program:
    """One that ends whenever it is told to."""

    name = "capture"

    def __init__(self) -> None:
        self.running = True
        self.restarts = 0

    def launch(self) -> None:
        self.running = True

    def tail(self) -> str:
        return "its last words"


@pytest.fixture
def program() -> Any:
    return Program()


def test_what_runs_is_left_alone(program: Any) -> None:
    assert tend(program, program) == []
    assert program.restarts == 0


def test_what_has_ended_is_started_again(program: Any) -> None:
    program.running = False

    assert tend(program) == ["capture"]
    assert (program.running, program.restarts) == (True, 1)


def test_what_ends_again_and_again_is_given_up_with_its_last_words(program: Any) -> None:
    for _ in range(MOST):
        program.running = False
        tend(program)
    program.running = False

    with pytest.raises(ProgramEnded, match="its last words"):
        tend(program)
