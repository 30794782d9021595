"""What can keep an embedded service from running, and what to do then.

EmbeddedError
├── NotInstalled    a package of the extra, a Java or a Postgres is missing
├── JarsMissing     the jars cannot be fetched, or are not the ones we know
├── NotStarted      the service ended, or does not answer in time
└── OutOfReach      the user that the service runs as cannot read a folder
"""

from __future__ import annotations

from schemas.errors import ServiceUnavailable


class EmbeddedError(ServiceUnavailable):
    """An embedded service cannot be had."""

    hint = 'Install what the embedded services need: pip install "odoo-cdc[embedded]".'


class NotInstalled(EmbeddedError):
    """A program that an embedded service needs is not installed."""


class JarsMissing(EmbeddedError):
    """The jars of an embedded service cannot be fetched."""

    hint = (
        "They come from Maven's central repository: look at network, proxy or mirror, try again."
    )


class NotStarted(EmbeddedError):
    """An embedded service did not start."""

    hint = "The end of its log stands above; a port or memory that is taken is the usual reason."


class OutOfReach(EmbeddedError):
    """A folder cannot be read by the user that the service runs as."""

    hint = "Choose a folder below /tmp or /var/tmp, or run as an ordinary user."
