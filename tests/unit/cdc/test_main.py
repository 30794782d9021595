from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path
from types import SimpleNamespace

import pytest

from cdc import __main__ as dispatcher
from schemas.errors import DataAtRisk, OdooCdcError

ROOT = Path(__file__).parents[3]


class Fragile(DataAtRisk):
    """Something is about to be lost."""

    hint = "Hold it."


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Make `odoo-cdc try` do something."""

    def make(do: Callable[[argparse.Namespace], int]) -> None:
        module = SimpleNamespace(
            HELP="try it", EXAMPLE="odoo-cdc try", configure=lambda _: None, run=do
        )
        entry = SimpleNamespace(name="try", load=lambda: module)
        monkeypatch.setattr(dispatcher, "entry_points", lambda **_: [entry])

    return make


def test_help_lists_every_command_with_what_it_does(capsys: pytest.CaptureFixture[str]) -> None:
    assert dispatcher.main(["--help"]) == 0

    said = capsys.readouterr().out
    for name in ("capture", "check", "run", "setup", "status", "stream", "wso2"):
        assert f"\n  {name} " in said


def test_no_command_is_bad_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert dispatcher.main([]) == 2
    assert "usage: odoo-cdc COMMAND" in capsys.readouterr().out


def test_an_unknown_command_exits_2_and_names_the_nearest(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert dispatcher.main(["captrue"]) == 2

    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == 'odoo-cdc: there is no command "captrue"\nhint: Did you mean "capture"?\n'


def test_a_command_gets_what_all_commands_share(command: Callable[..., None]) -> None:
    seen: list[argparse.Namespace] = []
    command(lambda args: seen.append(args) or 7)

    assert dispatcher.main(["try", "-c", "a.yaml", "--json", "--log-format", "json"]) == 7

    (args,) = seen
    assert (args.config, args.json, args.log_format) == (Path("a.yaml"), True, "json")


@pytest.mark.parametrize(
    "words",
    [["-c", "a.yaml"], ["--config", "a.yaml"], ["--config=a.yaml"]],
    ids=["short", "long", "as one word"],
)
def test_the_file_may_be_named_before_the_command(
    command: Callable[..., None], words: list[str]
) -> None:
    seen: list[tuple[Path, bool]] = []
    command(lambda args: seen.append((args.config, args.json)) or 0)

    assert dispatcher.main([*words, "try", "--json"]) == 0
    assert seen == [(Path("a.yaml"), True)]


@pytest.mark.parametrize("words", [["-c"], ["-c", "a.yaml"], ["--json", "try"]])
def test_options_without_a_command_before_them_are_bad_usage(
    command: Callable[..., None], capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    command(lambda _: 0)

    assert dispatcher.main(words) == 2
    assert "hint: Write the command first: odoo-cdc COMMAND -c FILE." in capsys.readouterr().err


def test_the_file_comes_from_the_environment_where_none_is_named(
    command: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ODOO_CDC_CONFIG", "/etc/odoo-cdc/sync.yaml")
    seen: list[Path] = []
    command(lambda args: seen.append(args.config) or 0)

    assert dispatcher.main(["try"]) == 0
    assert seen == [Path("/etc/odoo-cdc/sync.yaml")]


def test_a_command_that_reads_another_file_finds_it_by_its_own_name(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ODOO_CDC_CONFIG", "/etc/odoo-cdc/sync.yaml")

    assert dispatcher.main(["target", "--help"]) == 0
    assert "(default: ./target.yaml)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        pytest.param(
            Fragile(),
            4,
            "odoo-cdc: Something is about to be lost.\nhint: Hold it.\n",
            id="one of ours says its hint and has its code",
        ),
        pytest.param(OdooCdcError("no"), 1, "odoo-cdc: no\n", id="one without a hint"),
        pytest.param(KeyboardInterrupt(), 130, "", id="an interrupt is quiet"),
        pytest.param(BrokenPipeError(), 0, "", id="a reader that has seen enough is quiet"),
    ],
)
def test_errors_become_words_and_exit_codes(
    command: Callable[..., None],
    capfd: pytest.CaptureFixture[str],
    error: BaseException,
    code: int,
    said: str,
) -> None:
    def fail(_: argparse.Namespace) -> int:
        raise error

    command(fail)

    assert dispatcher.main(["try"]) == code
    assert capfd.readouterr().err == said


def test_the_unexpected_has_no_traceback_unless_it_is_asked_for(
    command: Callable[..., None], capfd: pytest.CaptureFixture[str]
) -> None:
    def fail(_: argparse.Namespace) -> int:
        raise ZeroDivisionError("division by zero")

    command(fail)

    assert dispatcher.main(["try"]) == 70
    said = capfd.readouterr().err
    assert "Traceback" not in said
    assert "hint: " in said


def test_a_command_whose_extra_is_not_installed_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    entry = EntryPoint("try", "no_such_package_of_ours", dispatcher.COMMANDS)
    monkeypatch.setattr(dispatcher, "entry_points", lambda **_: [entry])

    assert dispatcher.main(["try"]) == 2
    assert "pip install" in capsys.readouterr().err
    assert dispatcher.main(["--help"]) == 0
    assert "not available" in capsys.readouterr().out


def test_a_broken_pipe_is_quiet_to_the_end() -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", f"{sys.executable} -m cdc --help | true"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )

    assert done.stderr == b""


@pytest.mark.parametrize("form", ["console", "json"])
def test_logs_go_to_stderr_in_the_form_asked_for(form: str) -> None:
    script = (
        "import logging, schemas.logs as l; l.set_up(%r);"
        "logging.getLogger('cdc.x').warning('caught up', extra={'action': 'caught_up'})"
    )
    done = subprocess.run(
        [sys.executable, "-c", script % form], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert done.stdout == ""
    if form == "json":
        said = json.loads(done.stderr)
        assert (said["message"], said["action"], said["level"]) == (
            "caught up",
            "caught_up",
            "warning",
        )
    else:
        assert done.stderr.endswith("WARNING cdc.x caught up action=caught_up\n")


def test_a_command_imports_only_what_it_needs() -> None:
    script = (
        "import sys; from cdc.__main__ import main; code = main(['setup', '-c', 'none.yaml']);"
        "assert code == 2, code; print(*sorted(m for m in sys.modules if '.' not in m))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert {"faust", "aiohttp", "lmdb"}.isdisjoint(done.stdout.split())


def test_every_command_of_the_package_says_what_it_does_and_shows_an_example() -> None:
    entries: list[EntryPoint] = list(dispatcher.entry_points(group=dispatcher.COMMANDS))

    for entry in entries:
        module = entry.load()
        assert module.HELP, entry.name
        assert module.HELP[0].islower(), entry.name
        assert module.EXAMPLE.startswith(f"odoo-cdc {entry.name}"), entry.name
