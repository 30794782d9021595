"""`odoo-cdc COMMAND`: finds the command by its entry point, and owns what all commands share."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, redirect_stderr, redirect_stdout
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Final, Protocol, cast

from schemas.errors import BadUsage, OdooCdcError
from schemas.fields import nearest
from schemas.logs import FORMATS, set_up
from schemas.masking import masked

COMMANDS: Final = "odoo_cdc.commands"
LASTING: Final = frozenset({"capture", "run", "stream"})  # SIGHUP: they read their file again
_COMMON: Final = "ODOO_CDC_CONFIG, else ./sync.yaml"
_USAGE: Final = 2
_UNEXPECTED: Final = 70  # EX_SOFTWARE of sysexits.h: a supervisor starts it again
_INTERRUPTED: Final = 130


class CommandUnavailable(BadUsage):
    """What the command needs is not installed."""

    hint = "pip install 'odoo-cdc[embedded]' brings the services of the demo."


class Command(Protocol):
    """A module that is a command."""

    HELP: str
    EXAMPLE: str

    def configure(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""

    def run(self, args: argparse.Namespace) -> int:
        """Do it; return the exit code."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; return the exit code (CONTRACT, section 1). No secret leaves it as text."""
    with redirect_stdout(masked(sys.stdout)), redirect_stderr(masked(sys.stderr)):
        return _main(list(sys.argv[1:] if argv is None else argv))


def _main(words: list[str]) -> int:
    try:
        code = _dispatch(words)
        sys.stdout.flush()
    except OdooCdcError as error:
        return _say(str(error), error.hint, error.exit_code)
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:  # the reader has seen enough, `| head` for instance
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # nobody else would say it without a traceback
        logging.getLogger(__name__).debug("unexpected", exc_info=error)
        return _say(
            f"unexpected: {type(error).__name__}: {error}",
            "This is a fault of odoo-cdc; ODOO_CDC_LOG_LEVEL=DEBUG shows where it happened.",
            _UNEXPECTED,
        )
    return code


def _dispatch(words: list[str]) -> int:
    found = {entry.name: entry for entry in entry_points(group=COMMANDS)}
    if not words or words[0] in {"-h", "--help"}:
        print(_overview(found))
        return 0 if words else _USAGE
    name, *rest = _command_first(words)
    if name not in found:
        return _say(f'there is no command "{name}"', _remedy(name, found), _USAGE)
    with _spared() if name in LASTING else nullcontext():
        return _run(name, found[name], rest)


def _run(name: str, entry: EntryPoint, words: list[str]) -> int:
    command = _load(entry)
    try:
        args = _parser(name, command).parse_args(words)
    except SystemExit as end:  # --help, or usage that argparse has explained
        return int(end.code or 0)
    set_up(args.log_format)
    return command.run(args)


@contextmanager
def _spared() -> Iterator[None]:
    """Let SIGHUP end nothing, neither before the command has a use for it nor when it ends.

    That goes for one that nohup had ignored too: nobody is ended by it.
    """
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        yield
    finally:
        # What Python handles would end the process by default while the interpreter goes.
        signal.signal(signal.SIGHUP, signal.SIG_IGN)


def _command_first(words: list[str]) -> list[str]:
    """Let `-c FILE` stand before the command too."""
    first = words[0]
    size = 2 if first in {"-c", "--config"} else int(first.startswith("--config="))
    return [*words[size : size + 1], *words[:size], *words[size + 1 :]] or words


def _remedy(name: str, found: Iterable[str]) -> str:
    if name.startswith("-"):
        return "Write the command first: odoo-cdc COMMAND -c FILE."
    near = nearest(name, list(found))
    return f'Did you mean "{near}"?' if near else "`odoo-cdc --help` lists the commands."


def _load(entry: EntryPoint) -> Command:
    try:
        return cast("Command", entry.load())
    except ModuleNotFoundError as error:
        raise CommandUnavailable(f'"{entry.name}" needs {error.name}') from error


def _parser(name: str, command: Command) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"odoo-cdc {name}",
        description=f"{command.HELP[:1].upper()}{command.HELP[1:]}.",
        epilog=f"example:\n  {command.EXAMPLE}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    own = getattr(command, "CONFIG", "")  # of a command that reads another file than sync.yaml
    parser.add_argument(
        "-c",
        "--config",
        type=Path,
        metavar="FILE",
        default=Path(own or os.environ.get("ODOO_CDC_CONFIG") or "sync.yaml"),
        help=f"the configuration (default: {f'./{own}' if own else _COMMON})",
    )
    parser.add_argument("--json", action="store_true", help="print data as JSON")
    parser.add_argument(
        "--log-format",
        choices=FORMATS,
        default=FORMATS[0],
        help="how logs are written to stderr (default: %(default)s)",
    )
    command.configure(parser)
    return parser


def _overview(found: dict[str, EntryPoint]) -> str:
    lines = ["usage: odoo-cdc COMMAND [-c sync.yaml] [--help]", "", "commands:"]
    for name in sorted(found):
        try:
            about = _load(found[name]).HELP
        except CommandUnavailable as error:
            about = f"(not available: {error})"
        lines.append(f"  {name:<10} {about}")
    return "\n".join(lines)


def _say(message: str, hint: str, code: int) -> int:
    print(f"odoo-cdc: {message}", file=sys.stderr)
    if hint:
        print(f"hint: {hint}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
