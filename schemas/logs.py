"""Logs on stderr: a line for people, or a JSON object for programs. Never values of rows."""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from typing import Any, Final

from schemas.terminal import visible

FORMATS: Final = ("console", "json")
_OWN: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def set_up(form: str) -> None:
    """Write all logs to stderr in one of FORMATS; ODOO_CDC_LOG_LEVEL sets the level."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Json() if form == "json" else Console())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    level = os.environ.get("ODOO_CDC_LOG_LEVEL", "INFO").upper()
    root.setLevel(level if level in logging.getLevelNamesMapping() else logging.INFO)


class Console(logging.Formatter):
    """`10:00:00 INFO cdc.capture caught up action=caught_up`."""

    converter = staticmethod(time.gmtime)

    def format(self, record: logging.LogRecord) -> str:
        """Write one line, and a traceback only when debugging."""
        said = fields_of(record).items()
        extra = " ".join(f"{name}={visible(str(value))}" for name, value in said)
        clock = self.formatTime(record, "%H:%M:%S")
        message = visible(record.getMessage(), lines=True)
        line = f"{clock} {record.levelname} {record.name} {message} {extra}".rstrip()
        if record.exc_info and logging.getLogger().isEnabledFor(logging.DEBUG):
            line += "\n" + self.formatException(record.exc_info)
        return line


class Json(logging.Formatter):
    """One JSON object a line."""

    converter = staticmethod(time.gmtime)

    def format(self, record: logging.LogRecord) -> str:
        """Write one object; the traceback of an error is a field, any other when debugging."""
        said: dict[str, Any] = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S") + f".{record.msecs:03.0f}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **fields_of(record),
        }
        wanted = record.levelno >= logging.ERROR or logging.getLogger().isEnabledFor(logging.DEBUG)
        if record.exc_info and wanted:
            said["traceback"] = self.formatException(record.exc_info)
        return json.dumps(said, default=str)


def fields_of(record: logging.LogRecord) -> dict[str, Any]:
    """Return what was given as `extra`."""
    return {name: value for name, value in vars(record).items() if name not in _OWN}
