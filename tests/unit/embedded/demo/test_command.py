"""The command's face, which needs nothing of what the demo runs on."""

from __future__ import annotations

import argparse
import subprocess
import sys

import pytest

from embedded import demo
from embedded.errors import NotInstalled


def parsed(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    demo.configure(parser)
    return parser.parse_args(words)


def test_it_runs_until_it_is_ended_unless_told_otherwise() -> None:
    assert vars(parsed()) == {"once": False, "rate": 20.0, "seed": 1, "keep": False}
    assert parsed("--once").once


@pytest.mark.parametrize("rate", ["0", "-1", "1001", "many"])
def test_a_rate_that_is_none_is_refused(rate: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        parsed(f"--rate={rate}")

    assert "--rate" in capsys.readouterr().err


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "embedded.demo.performance", raising=False)
    monkeypatch.setitem(sys.modules, "rich.console", None)

    with pytest.raises(NotInstalled, match=r"rich\.console is missing") as caught:
        demo.run(parsed())

    assert "odoo-cdc[embedded]" in caught.value.hint


def test_the_list_of_commands_loads_nothing_of_it() -> None:
    program = "import embedded.demo, sys; print('rich' in sys.modules, 'jgo' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)

    assert done.stdout.split() == [b"False", b"False"]
