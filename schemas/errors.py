"""The error tree. Every error says what happened and what to do next.

OdooCdcError
├── BadUsage            exit 2   the command line or a file is not valid
├── NothingFound        exit 1   the answer is no
├── ServiceUnavailable  exit 3   Postgres, Kafka or WSO2 is not there
└── DataAtRisk          exit 4   going on could lose or repeat data unseen
"""

from __future__ import annotations

from typing import ClassVar


class OdooCdcError(Exception):
    """Something went wrong."""

    hint: str = ""
    exit_code: ClassVar[int] = 1

    def __init__(self, message: str = "", *, hint: str = "") -> None:
        """Use the class's docstring where no message is given, and its hint where none is."""
        super().__init__(message or (type(self).__doc__ or "").strip())
        if hint:
            self.hint = hint


class BadUsage(OdooCdcError):
    """The command line or a file is not valid."""

    exit_code = 2


class NothingFound(OdooCdcError):
    """There is nothing like that."""

    exit_code = 1


class ServiceUnavailable(OdooCdcError):
    """A service that is needed is not there."""

    hint = "Start it or correct its address in sync.yaml; `odoo-cdc check` tests every service."
    exit_code = 3
    passing: ClassVar[bool] = True
    """Whether to try again is worth while; otherwise somebody must do something first."""


class DataAtRisk(OdooCdcError):
    """Going on could lose or repeat data unseen."""

    exit_code = 4
