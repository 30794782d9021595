from __future__ import annotations

import pytest

from schemas.finding import advised


@pytest.mark.parametrize(
    ("message", "remedy", "expected"),
    [
        ("unknown key", 'did you mean "fields"?', 'unknown key; did you mean "fields"?'),
        ("it is away", "Start it.", "it is away. Start it."),
        ("Is it there?", "Start it.", "Is it there? Start it."),
        ("It is away.", "Start it.", "It is away. Start it."),
        ("it is away", "", "it is away"),
    ],
    ids=["a clause", "a sentence", "behind a question", "behind a sentence", "none"],
)
def test_a_remedy_stands_behind_what_is_wrong(message: str, remedy: str, expected: str) -> None:
    assert advised(message, remedy) == expected
