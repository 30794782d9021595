"""The demo itself: builds the stage, lets it run, ends it, however it goes."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Final, NoReturn, TextIO

from rich.console import Console

from embedded import odoo
from embedded.demo import once, questions, screen
from embedded.demo.branch import questions as branch
from embedded.demo.branch.odoo import title
from embedded.demo.branch.routes import BRANCH
from embedded.demo.figures import Looker
from embedded.demo.guide import guide
from embedded.demo.load import Load
from embedded.demo.programs import count
from embedded.demo.questions import TARGET
from embedded.demo.screen import Screen
from embedded.demo.stage import Stage, build, fetch, launch
from embedded.demo.supervisor import tend
from embedded.demo.verdict import Account, explain, in_words, is_clean, of_branch, of_webshop

ENDINGS: Final = ("delivered", "superseded", "dead", "rejected")
_INTERRUPTED: Final = 130


def perform(args: argparse.Namespace) -> int:
    """Run until Ctrl-C, or with --once until the verdict."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends in order, as Ctrl-C does
    quiet = args.json  # standard output then holds the summary alone
    console = Console(stderr=quiet)
    shown = screen.choose(console, _writer(sys.stderr if quiet else sys.stdout))
    try:
        with ExitStack() as stack:
            return _play(args, stack, shown)
    except KeyboardInterrupt:
        return _INTERRUPTED if args.once else 0


def _play(args: argparse.Namespace, stack: ExitStack, shown: Screen) -> int:
    with shown:
        fetch(shown.download)
        stage = build(stack, shown.say, seed=args.seed, size=odoo.DEMO, keep=args.keep)
        launch(stage)
        shown.say(f"everything runs in {stage.folder}")
        looker = stack.enter_context(Looker(stage))
        load = Load(stage.dsn, args.seed, args.rate)

        def beat() -> None:
            shown.show(stage, load, looker.look())

        def tended() -> None:
            for name in tend(stage.capture, stage.stream, stage.target):
                shown.say(f"{name} had ended and was started again")
            beat()

        once.arrive(stage, tended)
        shown.say("the first load has arrived; what follows is live")
        looker.tail.live()
        stack.enter_context(load)
        if not args.once:
            _live(stage, load, shown, tended)
        undisturbed = once.play(stage, load, looker, shown.say, beat)
        once.settle(looker, tended, once.patience(stage))
        figures = looker.look()
        comparison = questions.compare(questions.ask(stage.dsn), stage.webshop.records())
        difference = branch.ask(stage.dsn, stage.branch.dsn, stage.before)
        accounts = {
            name: Account({state: count(stage.config, name, state) for state in ENDINGS}, before)
            for name, before in undisturbed.items()
        }
        summary = of_webshop(comparison, figures, accounts[TARGET])
        summary["branch"] = of_branch(
            title(stage.branch), difference, figures.branch, accounts[BRANCH]
        )
    write = _writer(sys.stderr if args.json else sys.stdout)
    for line in [*explain(comparison, difference), *in_words(summary)]:
        write(line)
    if args.json:
        print(json.dumps(summary), flush=True)
    return 0 if is_clean(summary) else 1


def _writer(file: TextIO) -> Callable[[str], None]:
    return lambda line: print(line, file=file, flush=True)


def _live(stage: Stage, load: Load, shown: Screen, beat: once.Beat) -> NoReturn:
    """Show what happens until Ctrl-C."""
    for line in guide(stage):
        shown.say(line)
    while True:
        load.check()
        beat()
        time.sleep(1.0)  # a beat of the screen
