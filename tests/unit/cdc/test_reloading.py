from __future__ import annotations

import threading
from pathlib import Path
from typing import cast

import pytest

from cdc.fitting import RecoveryUnderWay
from cdc.metrics import Figures
from cdc.origin import ForeignShadow, Source
from cdc.reloading import Reloading
from schemas.config import Config, load

LONG = 10.0  # seconds
FILE = """\
source: {name: odoo_a, dsn: "postgresql:///odoo"}
kafka: {bootstrap.servers: "127.0.0.1:9092"}
wso2: {url: "http://127.0.0.1:8290/cdc"}
targets: {shop: {url: "http://shop/deliveries"}}
routes: [{name: orders, model: sale.order, targets: [shop], fields: [name]}]
"""


class Database:
    """Says what it is told to of a file, and notes which it has seen."""

    source = cast("Source", object())

    def __init__(self) -> None:
        self.trouble: Exception | None = None
        self.seen: list[str] = []
        self.looked = threading.Event()

    def __call__(self, config: Config) -> Source:
        self.seen.append(config.fingerprint)
        self.looked.set()
        if self.trouble is not None:
            raise self.trouble
        return self.source


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "sync.yaml"
    file.write_text(FILE, encoding="utf-8")
    return file


@pytest.fixture
def database() -> Database:
    return Database()


@pytest.fixture
def reloading(path: Path, database: Database) -> Reloading:
    made = Reloading(path)
    made.begin(load(path), database)
    return made


def fits(_: object) -> None:
    """Find nothing against a file."""


class Refused:
    """Waits until a file was refused: its log line is the last that happens."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.words: list[str] = []
        self._said = threading.Event()
        monkeypatch.setattr("cdc.reloading.said_refused", self._take)

    def _take(self, error: Exception) -> str:
        self.words.append(str(error))
        self._said.set()
        return str(error)

    def wait(self) -> str:
        assert self._said.wait(LONG)
        self._said.clear()
        return self.words[-1]


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch) -> Refused:
    return Refused(monkeypatch)


def test_a_file_that_fits_is_handed_over_and_taken_once(
    reloading: Reloading, database: Database, path: Path
) -> None:
    handed = threading.Event()
    reloading.follow(handed.set)
    path.write_text(FILE + "# changed\n", encoding="utf-8")

    reloading.ask()

    assert handed.wait(LONG)
    fitting = reloading.take(fits)
    assert fitting is not None
    assert fitting.config.fingerprint == load(path).fingerprint == database.seen[0]
    assert fitting.source is database.source
    assert reloading.take(fits) is None
    assert reloading.counted(Figures()).reloads_total == 1


def test_a_file_that_fits_no_longer_when_it_would_be_taken_is_refused(
    reloading: Reloading, refused: Refused, path: Path
) -> None:
    def recovering(_: object) -> None:
        raise RecoveryUnderWay("res_partner is read again")

    handed = threading.Event()
    reloading.follow(handed.set)
    former = load(path).fingerprint
    path.write_text(FILE + "# changed\n", encoding="utf-8")
    reloading.ask()
    assert handed.wait(LONG)

    assert reloading.take(recovering) is None

    assert "is read again" in refused.wait()
    assert reloading.counted(Figures()).reloads_refused_total == 1
    assert reloading.counted(Figures()).reloads_total == 0
    handed.clear()
    reloading.ask()
    assert handed.wait(LONG)
    assert load(path).fingerprint != former
    assert reloading.take(fits) is not None, "it can be taken later"


def test_what_is_asked_before_capture_runs_is_looked_at_when_it_does(
    reloading: Reloading, database: Database
) -> None:
    handed = threading.Event()

    reloading.ask()
    reloading.ask()
    before = list(database.seen)
    reloading.follow(handed.set)

    assert before == []
    assert handed.wait(LONG)
    assert len(database.seen) == 1


def test_a_broken_file_is_refused_unseen_and_the_next_one_is_taken(
    reloading: Reloading, database: Database, refused: Refused, path: Path
) -> None:
    handed = threading.Event()
    reloading.follow(handed.set)
    path.write_text(FILE.replace("fields:", "feilds:"), encoding="utf-8")

    reloading.ask()
    why = refused.wait()

    assert "feilds" in why
    assert database.seen == []
    assert reloading.take(fits) is None
    assert reloading.counted(Figures()).reloads_refused_total == 1
    path.write_text(FILE, encoding="utf-8")
    reloading.ask()
    assert handed.wait(LONG)


@pytest.mark.parametrize(
    "trouble", [ForeignShadow("of another database"), RuntimeError("nobody expected it")], ids=str
)
def test_a_file_that_does_not_fit_changes_nothing(
    reloading: Reloading, database: Database, refused: Refused, trouble: Exception
) -> None:
    handed = threading.Event()
    reloading.follow(handed.set)
    database.trouble = trouble

    reloading.ask()
    why = refused.wait()

    assert str(trouble) in why
    assert not handed.is_set()
    assert reloading.take(fits) is None


def test_a_file_that_came_while_the_last_one_was_taken_is_handed_over_to_the_next_capture(
    reloading: Reloading,
) -> None:
    first, second = threading.Event(), threading.Event()
    reloading.follow(first.set)
    reloading.ask()
    assert first.wait(LONG)

    reloading.follow(second.set)

    assert second.is_set()
