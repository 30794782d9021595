"""Whether a database has what was last published of it, as far as its stream tells."""

from __future__ import annotations

from pathlib import Path

import pytest

from cdc.notes import PROGRESS
from cdc.origin import ForeignShadow
from cdc.past import refuse_other_past
from cdc.postgres.slot import SlotState
from cdc.shadow.store import Shadow
from cdc.watermark import NONE_HANDLED, Handled
from schemas.position import Lsn

AT = 100  # the shadow's place
LAST = Handled(80, 7, 1_000_000)


class Played:
    def __init__(self, last: Handled | None) -> None:
        self.last, self.asked = last, 0

    def last_commit(self, before: int) -> Handled | None:
        assert before == AT
        self.asked += 1
        return self.last


def look(
    folder: Path, confirmed: int, handled: Handled | None, has: Handled | None
) -> tuple[int, str]:
    """Return how often the stream was asked, and why it is refused."""
    played = Played(has)
    slot = SlotState("s", exists=True, confirmed_flush_lsn=Lsn(confirmed))
    with Shadow(folder) as shadow:
        note = {"lsn": AT} if handled is None else {"lsn": AT, "handled": handled}
        shadow.note(PROGRESS, note)
        try:
            refuse_other_past(played, slot, shadow)
        except ForeignShadow as error:
            return played.asked, str(error)
    return played.asked, ""


@pytest.mark.parametrize(
    ("confirmed", "handled", "has", "asked"),
    [
        pytest.param(AT, LAST, None, 0, id="the slot stands where the shadow does"),
        pytest.param(60, None, LAST, 0, id="an earlier version did not note it"),
        pytest.param(60, LAST, LAST, 1, id="it was handled and not confirmed"),
        pytest.param(80, LAST, LAST, 1, id="the slot stands just before it"),
        pytest.param(90, LAST, None, 1, id="nothing of ours came behind it"),
        pytest.param(60, NONE_HANDLED, None, 1, id="nothing was ever handled"),
    ],
)
def test_the_same_history_goes_on(
    tmp_path: Path, confirmed: int, handled: Handled | None, has: Handled | None, asked: int
) -> None:
    assert look(tmp_path, confirmed, handled, has) == (asked, "")


@pytest.mark.parametrize(
    ("confirmed", "handled", "has"),
    [
        pytest.param(60, LAST, None, id="it has nothing"),
        pytest.param(60, LAST, LAST._replace(xid=8), id="another transaction stands there"),
        pytest.param(60, LAST, LAST._replace(time=2), id="another one with the same id"),
        pytest.param(60, LAST, Handled(95, 8, 2_000_000), id="one came behind it"),
        pytest.param(90, LAST, Handled(95, 8, 2_000_000), id="one came behind the slot"),
        pytest.param(60, NONE_HANDLED, LAST, id="the first one of all"),
    ],
)
def test_law_1_another_history_is_refused(
    tmp_path: Path, confirmed: int, handled: Handled, has: Handled | None
) -> None:
    _, why = look(tmp_path, confirmed, handled, has)

    assert "was restored from before what was last published" in why
