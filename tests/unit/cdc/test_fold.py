"""What a transaction has changed on the whole, in memory or beyond."""

from __future__ import annotations

from pathlib import Path

from tests.engine import delete, engine, insert


def test_a_link_that_is_made_again_behind_a_spill_has_not_changed(tmp_path: Path) -> None:
    pair = {"order_id": "1", "tag_id": "2"}
    with engine(tmp_path) as tried:
        tried.commit([insert("order_tag_rel", pair)])
        tried.fold.change(delete("order_tag_rel", pair))
        tried.fold.spill()
        tried.fold.change(insert("order_tag_rel", pair))

        assert list(tried.fold.changed_entries()) == []
