"""By which file each worker goes."""

from __future__ import annotations

from streams.queries.status import different
from streams.sending.holds import file_of, to_json


def test_workers_with_different_files_are_named_with_the_remedy() -> None:
    (warning,) = different({"one": "aa", "two": "bb"})

    assert "one by aa, two by bb" in warning
    assert "odoo-cdc reload" in warning


def test_workers_with_the_same_file_need_nobody() -> None:
    assert list(different({"one": "aa", "two": "aa"})) == []
    assert list(different({})) == []


def test_the_file_of_a_worker_that_does_not_say_it_is_unknown() -> None:
    assert file_of(b'{"worker":"one","holds":[]}') == ""
    assert file_of(to_json("one", [], "aa")) == "aa"
