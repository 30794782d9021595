"""What sessions remember of names."""

from __future__ import annotations

from streams.applying.known import Known


def test_a_name_is_remembered_by_its_model() -> None:
    known = Known()
    known.note("res.partner", "a.b", 7)

    assert (known.get("res.partner", "a.b"), known.get("res.users", "a.b")) == (7, None)


def test_what_is_forgotten_is_forgotten_for_every_model() -> None:
    known = Known()
    known.note("res.partner", "a.b", 7)
    known.note("res.partner", "a.c", 8)

    known.forget(["a.b", "a.z"])

    assert (known.get("res.partner", "a.b"), known.get("res.partner", "a.c")) == (None, 8)


def test_law_9_of_too_many_the_longest_unused_are_forgotten() -> None:
    known = Known(most=2)
    known.note("m", "a", 1)
    known.note("m", "b", 2)
    known.get("m", "a")

    known.note("m", "c", 3)

    assert [known.get("m", name) for name in "abc"] == [1, None, 3]
