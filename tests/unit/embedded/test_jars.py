from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from embedded import jars
from embedded.errors import JarsMissing
from embedded.jars import Jar

CONTENT = b"the very jar"
SUM = hashlib.sha256(CONTENT).hexdigest()


class Repository:
    """Hands out scripted contents of one jar, an exception among them; the last one for ever."""

    def __init__(self, folder: Path, *contents: bytes | Exception) -> None:
        self.file = folder / "a.jar"
        self.contents = list(contents)

    def __call__(self, jar: Jar) -> Path:
        content = self.contents.pop(0) if len(self.contents) > 1 else self.contents[0]
        if isinstance(content, Exception):
            raise content
        self.file.write_bytes(content)
        return self.file


@pytest.fixture(autouse=True)
def lock_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "one.lock").write_text(f"org.example:a:jar:1.0 {SUM}\n", encoding="ascii")
    monkeypatch.setattr(jars, "LOCKS", tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def serve(monkeypatch: pytest.MonkeyPatch, repository: Repository) -> None:
    monkeypatch.setattr(jars, "_fetcher", lambda: repository)


def test_a_line_names_a_jar_and_its_sum() -> None:
    jar = Jar.parse("org.example:a:mar:1.0 abc")

    assert jar == Jar("org.example", "a", "mar", "1.0", "abc")
    assert str(jar) == "org.example:a:1.0"


def test_progress_is_told_of_every_jar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    serve(monkeypatch, Repository(tmp_path, CONTENT))
    told: list[tuple[int, int]] = []

    found = jars.resolve("one", lambda done, of: told.append((done, of)))

    assert [path.read_bytes() for path in found] == [CONTENT]
    assert told == [(1, 1)]


@pytest.mark.parametrize(
    "first",
    [
        pytest.param(b"half a j", id="half written"),
        pytest.param(TimeoutError("read timed out"), id="network lost"),
    ],
)
def test_what_went_wrong_once_is_tried_again(
    first: bytes | Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(monkeypatch, Repository(tmp_path, first, CONTENT))

    assert jars.resolve("one")[0].read_bytes() == CONTENT


def test_a_jar_with_another_sum_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = Repository(tmp_path, b"somebody else's")
    serve(monkeypatch, repository)

    with pytest.raises(JarsMissing, match=r"org\.example:a:1\.0 is not the file it was"):
        jars.resolve("one")
    assert not repository.file.exists()


def test_a_repository_that_is_away_is_named_with_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(monkeypatch, Repository(tmp_path, TimeoutError("read timed out")))

    with pytest.raises(JarsMissing, match=r"a:1\.0 cannot be fetched: read timed out") as raised:
        jars.resolve("one")
    assert "network" in raised.value.hint


@pytest.mark.parametrize(("name", "count"), [("kafka-4.4.0", 45), ("synapse-3.0.1", 58)])
def test_lock_files_have_a_sum_for_every_jar(
    name: str, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jars, "LOCKS", Path(jars.__file__).with_name("locks"))

    found = jars.locked(name)

    assert len(found) == count
    assert all(len(bytes.fromhex(jar.sha256)) == 32 for jar in found)
