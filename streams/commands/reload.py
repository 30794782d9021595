"""`odoo-cdc reload`: the workers read their files again, without a restart."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from typing import Any, Final

from schemas.command import Answer, Kind, Progress
from schemas.config import load
from streams.commands.asking import declare_timeout
from streams.queries.answers import Gathered
from streams.queries.asking import Asking, require_answered

HELP: Final = "have all workers read their sync.yaml again, without a restart (capture: SIGHUP)"
EXAMPLE: Final = "odoo-cdc reload --json"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    declare_timeout(parser)


def run(args: argparse.Namespace) -> int:
    """Ask all workers; return 0 where all have taken the same file, 1 where not."""
    asking = Asking(load(args.config), args.timeout, quiet=args.json)
    command, gathered = asking.ask(Kind.RELOAD, {})
    found = workers(gathered)
    if args.json:
        said = {"command": command.id, "workers": found, "silent": gathered.silent}
        print(json.dumps(said, ensure_ascii=False))
    else:
        print(*lines(found), sep="\n")
    files = {each["config"] for each in found.values()}
    if len(files) > 1:
        print("the workers have different files: give all the same one", file=sys.stderr)
    require_answered(gathered)
    return int(len(files) > 1 or any(each["why"] for each in found.values()))


def workers(gathered: Gathered) -> dict[str, dict[str, Any]]:
    """Return what became of the file of each worker: `result`, `config`, `why`, `partitions`.

    `config` is the fingerprint of the file that is in force there.
    """
    found: dict[str, dict[str, Any]] = {}
    for number, answer in sorted(gathered.answers.items()):
        if answer.progress is Progress.DOING:
            continue
        mine = found.setdefault(_who(answer), _said(answer))
        mine["partitions"].append(number)
    return found


def lines(found: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Write it for people."""
    for name, each in found.items():
        numbers = ", ".join(map(str, each["partitions"]))
        yield f"{name} (partitions {numbers}): {each['result']}, {each['config']} is in force"
        if each["why"]:
            yield f"  {each['why']}"


def _who(answer: Answer) -> str:
    """Name a worker; one of an earlier version does not say who it is, nor what has happened."""
    return answer.worker or f"the worker of partition {answer.partition}"


def _said(answer: Answer) -> dict[str, Any]:
    return {
        "result": "refused" if answer.why else "taken",
        "config": answer.config or "an unknown file",
        "why": answer.why,
        "partitions": [],
    }
