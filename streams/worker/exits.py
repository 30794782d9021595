"""How a worker ends itself: at once, with the reason and a code that says what to do."""

from __future__ import annotations

import logging
import os
import sys
from typing import Final, NoReturn

from schemas.errors import DataAtRisk

logger = logging.getLogger(__name__)

UNEXPECTED: Final = 70
STUCK: Final = 75
NO_PROGRESS: Final = 76


def die(code: int, why: str) -> NoReturn:
    """End the process at once. No handler, no exit hook, no flush: only the reason."""
    sys.stderr.write(f"odoo-cdc: fatal: {why}\n")
    sys.stderr.flush()
    os._exit(code)


def fatal(error: BaseException) -> NoReturn:
    """End the process for an error that nobody expected, or for one that protects data."""
    logger.critical(
        "%s: %s", type(error).__name__, error, extra={"action": "fatal"}, exc_info=error
    )
    hint = f"; hint: {error.hint}" if isinstance(error, DataAtRisk) and error.hint else ""
    code = error.exit_code if isinstance(error, DataAtRisk) else UNEXPECTED
    die(code, f"{type(error).__name__}: {error}{hint}")
