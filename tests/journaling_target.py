"""`odoo-cdc target` with an Odoo that is a file: `python -m tests.journaling_target YAML JOURNAL`.

Whatever is applied is a line of the journal, which is there once it is written, as in Odoo. It
answers late now and then, so that whoever kills the program meets it at work.
"""

from __future__ import annotations

import random
import sys
import time
from pathlib import Path
from typing import Any

from schemas.logs import set_up
from streams.applying.answer import Answer, Delivered
from streams.applying.incoming import Incoming, Operation
from streams.applying.reading import load
from streams.target import production

JOURNAL = Path(sys.argv[-1])


class Journaling:
    """Applies by a line."""

    def __init__(self, *_: object) -> None:
        """Open nothing: a line is written at once or not at all."""

    def apply(self, delivery: Incoming, _: Operation | None) -> Answer:
        time.sleep(random.random() * 0.01)  # noqa: S311  before it is written ...
        with JOURNAL.open("a", encoding="ascii") as file:
            file.write(f"{delivery.id}\n")
        time.sleep(random.random() * 0.01)  # noqa: S311  ... and after
        return Delivered(1)


class Nobody:
    """An Odoo that lets everybody in."""

    user = 1

    def call(self, *_: object, **__: object) -> Any:
        return 0


if __name__ == "__main__":
    set_up("console")
    production.Applier = Journaling  # type: ignore[misc,assignment]
    sys.exit(production.serve(load(Path(sys.argv[1])), lambda _: Nobody()))
