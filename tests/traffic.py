"""Somebody who writes records all the time, each time with another number."""

from __future__ import annotations

import threading
from collections import defaultdict
from typing import Self

import psycopg


class Traffic:
    """Renames the records of a table in turn; `named` are the numbers that each was given."""

    def __init__(
        self,
        dsn: str,
        statement: str,
        found: str = "id, code FROM res_country",
        every: float = 0.005,
    ) -> None:
        """Take the records and a mark of each from `found`; `statement` wants number and id.

        One is written `every` so many seconds.
        """
        self.named: dict[int, list[int]] = defaultdict(list)
        self._dsn, self._statement = dsn, statement.encode()
        self._connection = psycopg.connect(dsn, autocommit=True)
        rows = self._connection.execute(f"SELECT {found} ORDER BY id".encode())
        self.records: dict[int, str] = dict(rows.fetchall())
        self._every = every
        self._number = 0
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()
        self._connection.close()

    def each(self) -> None:
        """Write every record once more, after the end."""
        with psycopg.connect(self._dsn, autocommit=True) as self._connection:
            for record in self.records:
                self._write(record)

    def _run(self) -> None:
        ids = list(self.records)
        while not self._end.wait(self._every):
            self._write(ids[self._number % len(ids)])

    def _write(self, record: int) -> None:
        self._number += 1
        self._connection.execute(self._statement, [str(self._number), record])
        self.named[record].append(self._number)
