"""How a worker ends itself: at once, with the reason and a code that says what to do."""

from __future__ import annotations

import logging
import os
import sys
from typing import Final, NoReturn

from schemas.errors import BadUsage, DataAtRisk, ServiceUnavailable

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
    """End the process for an error: with its own code and hint, or 70 for what nobody expected."""
    name = type(error).__name__
    if isinstance(error, BadUsage | DataAtRisk | ServiceUnavailable):
        logger.critical("%s: %s", name, error, extra={"action": "fatal"})
        hint = f"; hint: {error.hint}" if error.hint else ""
        die(error.exit_code, f"{name}: {error}{hint}")
    logger.critical("%s: %s", name, error, extra={"action": "fatal"}, exc_info=error)
    die(UNEXPECTED, f"{name}: {error}")
