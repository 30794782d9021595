"""Which external ids stand for which records, remembered over deliveries."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable
from typing import Final

_MOST: Final = 100_000  # names; some 20 MB


class Known:
    """A memory of names, for all threads. It may be wrong: who finds a record gone says so."""

    def __init__(self, most: int = _MOST) -> None:
        """Know nothing yet; of more than `most` names the longest unused are forgotten."""
        self._most = most
        self._lock = threading.Lock()
        self._ids: OrderedDict[tuple[str, str], int] = OrderedDict()

    def get(self, model: str, name: str) -> int | None:
        """Return the record's id, None where it is not known."""
        with self._lock:
            number = self._ids.get((model, name))
            if number is not None:
                self._ids.move_to_end((model, name))
            return number

    def note(self, model: str, name: str, number: int) -> None:
        """Remember a record's name."""
        with self._lock:
            self._ids[model, name] = number
            self._ids.move_to_end((model, name))
            if len(self._ids) > self._most:
                self._ids.popitem(last=False)

    def forget(self, names: Iterable[str]) -> None:
        """Forget these names, whatever their model."""
        gone = set(names)
        with self._lock:
            for each in [each for each in self._ids if each[1] in gone]:
                del self._ids[each]
