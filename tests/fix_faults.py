"""The table of capture's faults: each test of one says what it has compared.

A test is marked `fault("what was done", "how capture came back")`; what its comparison has
counted last (`tests.compared`) becomes a row. The run that plays all of them, `pytest -m fault`,
writes the table, where none has failed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pytest

from tests.compared import NOTEBOOK, Compared
from tests.faults_page import Table

MARK: Final = "fault"
TABLE: Final = Table(
    "capture",
    ("events", "published again", "documents checked", "lost", "doubled", "out of order"),
    "make faults",
    ("came back",),
)
_ROW: Final = "row of the table of faults"


class Rows:
    """Collects the rows of a run, which may have been played by several processes."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._rows: dict[int, str] = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Iterator[None]:
        NOTEBOOK.take()
        yield
        mark = item.get_closest_marker(MARK)
        if mark is not None:
            compared = NOTEBOOK.take()
            assert compared is not None, "a test of a fault compares nothing"
            assert compared.harmless, compared
            place = item.session.items.index(item)
            item.user_properties.append((_ROW, [place, row(*_words(item, mark), compared)]))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call":
            self._rows |= {at: said for name, (at, said) in _rows_of(report) if name == _ROW}

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        of_a_worker = hasattr(self._config, "workerinput")
        if exitstatus == pytest.ExitCode.OK and _all_of_them(self._config) and not of_a_worker:
            TABLE.write([self._rows[at] for at in sorted(self._rows)])


def row(fault: str, back: str, compared: Compared) -> str:
    """Return a row of the table."""
    return (
        f"| {fault} | {compared.events:,} | {compared.again:,} | {compared.checked:,} |"
        f" {compared.lost} | {compared.doubled} | {compared.late} | {back} |"
    )


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Rows(config), "rows of faults")


def _all_of_them(config: pytest.Config) -> bool:
    whole = config.args_source is not pytest.Config.ArgsSource.ARGS
    return config.option.markexpr == MARK and not config.option.keyword and whole


def _rows_of(report: pytest.TestReport) -> list[tuple[str, list[object]]]:
    return [(name, list(value)) for name, value in report.user_properties if name == _ROW]


def _words(item: pytest.Item, mark: pytest.Mark) -> tuple[str, str]:
    """Return what was done and how capture came back; `{}` is the case's own name."""
    done, back = mark.args
    cases = item.name.partition("[")[2].removesuffix("]").split("-")  # pytest joins them so
    return done.format(", ".join(cases)), back
