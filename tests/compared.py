"""What a test of a fault has compared: the numbers of its row in `docs/faults.md`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class Compared:
    """Counted by the comparison itself, before it fails.

    `events` are those that were published, copies left out, `again` their copies, byte for byte;
    `checked` the documents that were held against what SQL said. `lost` are values that are not
    what they must be, and events before which one is missing; `doubled` events that tell what is
    held already; `late` those that came behind a newer one of their record.
    """

    events: int
    again: int
    checked: int
    lost: int = 0
    doubled: int = 0
    late: int = 0

    @property
    def harmless(self) -> bool:
        """Whether nothing is lost, doubled or out of order."""
        return not (self.lost or self.doubled or self.late)


class Notebook:
    """The last comparison of the test that runs: each is over all events so far."""

    def __init__(self) -> None:
        self._last: Compared | None = None

    def note(self, compared: Compared) -> None:
        """Write down a comparison, whatever came of it."""
        self._last = compared

    def take(self) -> Compared | None:
        """Return the last one, once."""
        last, self._last = self._last, None
        return last


NOTEBOOK = Notebook()


def of_many(published: Counter[bytes], rows: int) -> None:
    """Note the events of one transaction of so many rows; the same one again is the same bytes."""
    events = len(published)
    again, lost = sum(published.values()) - events, max(0, rows - events)
    NOTEBOOK.note(Compared(events, again, rows, lost, doubled=max(0, events - rows)))


def of_numbers(told: Mapping[int, Sequence[int]], written: Mapping[int, Sequence[int]]) -> None:
    """Note the events of records that were given one number after the other."""
    lost = doubled = late = 0
    for record, numbers in written.items():
        mine = told[record]
        lost += sum((Counter(numbers) - Counter(mine)).values())
        doubled += sum((Counter(mine) - Counter(numbers)).values())
        late += sum(former > latter for former, latter in pairwise(mine))
    events = sum(map(len, told.values()))
    NOTEBOOK.note(Compared(events, 0, sum(map(len, written.values())), lost, doubled, late))
