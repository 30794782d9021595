"""TLS towards WSO2: the certificates of `wso2.tls` as they are at the moment, and what went wrong.

Certificates are renewed by replacing their files, in place or by a link that leads elsewhere, as
Kubernetes does: new connections are made with what the files hold then, open ones stay.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from schemas.errors import BadUsage

logger = logging.getLogger(__name__)

_EVERY: Final = 1.0  # seconds between two looks at the files
_PATIENCE: Final = 1.0  # seconds in which a server judges our certificate
_HTTPS: Final = 443
_OURS: Final = "correct wso2.tls.cert and wso2.tls.key: WSO2 must trust who signed it"
_VERIFY: Final = {  # X509_V_ERR_..., openssl-verification-options(1)
    9: ("its certificate is not valid yet", "correct the clocks, or give WSO2 another one"),
    10: ("its certificate has expired", "renew it in WSO2"),
    62: (
        "its certificate is for another host name",
        "write a name of the certificate in wso2.url, or give WSO2 one for this name",
    ),
    64: (
        "its certificate is for another address",
        "write a name of the certificate in wso2.url, or give WSO2 one for this address",
    ),
}
_UNKNOWN_CA: Final = frozenset({2, 18, 19, 20, 21})
_TRUST: Final = "write the CA that signed it as wso2.tls.ca"

Context = ssl.SSLContext | bool  # True: whom the system trusts, and no certificate of ours
Files = tuple[tuple[int, int, int], ...]  # of each: device's inode, size in bytes, ns of change


class BadTls(BadUsage):
    """The certificates of `wso2.tls` cannot be used."""

    hint = "`ca`, `cert` and `key` are PEM files that this user may read; `cert` needs its `key`."


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why there is no TLS connection, and the operator's next step."""

    why: str
    remedy: str


CLOSED: Final = Trouble(
    "it ends the connection at once: it may want another certificate from us, or one at all", _OURS
)


class Certificates:
    """Makes contexts of the files of `wso2.tls`; anew when they have changed."""

    def __init__(
        self, tls: Mapping[str, str], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Read the files. Raises BadTls where they cannot be used."""
        self._tls = tls
        self._clock = clock
        self._looked = clock()
        self._files = self._seen()
        try:
            self._context = _context(tls)
        except (OSError, ValueError) as error:  # an SSLError is an OSError
            raise BadTls(f"wso2.tls: {error}") from error

    def context(self) -> Context:
        """Return what the next connection is made with; True is what the system trusts.

        Files that cannot be used, half written for instance, leave it as it was.
        """
        now = self._clock()
        if self._tls and now - self._looked >= _EVERY:
            self._looked = now
            self._look()
        return self._context

    def _look(self) -> None:
        files = self._seen()
        if files == self._files:
            return
        try:
            self._context = _context(self._tls)
        except (OSError, ValueError) as error:
            logger.warning(
                "the files of wso2.tls have changed and cannot be used, what they were stands: %s",
                error,
                extra={"action": "certificates_not_read"},
            )
            return
        self._files = files
        logger.info("the files of wso2.tls are read again", extra={"action": "certificates_read"})

    def _seen(self) -> Files:
        return tuple(_of_file(path) for path in self._tls.values())


def _of_file(path: str) -> tuple[int, int, int]:
    try:
        found = Path(path).stat()  # of what a link leads to
    except OSError:
        return (0, 0, 0)
    return (found.st_ino, found.st_size, found.st_mtime_ns)


def _context(tls: Mapping[str, str]) -> Context:
    if not tls:
        return True
    context = ssl.create_default_context(cafile=tls.get("ca") or None)
    if tls.get("cert"):
        # A function, or OpenSSL would ask a terminal for the password of a key that has one.
        context.load_cert_chain(tls["cert"], tls.get("key") or None, lambda: "")
    return context


def trouble(error: BaseException) -> Trouble | None:
    """Say what an error has to do with TLS; None where it has nothing to do with it."""
    # The innermost one is Python's own: aiohttp's, around it, have its types and not its fields.
    found = [each for each in _causes(error) if isinstance(each, ssl.SSLError)]
    match found[-1:]:
        case [ssl.SSLCertVerificationError() as refused]:
            return _of_verification(refused)
        case [alert]:
            return _of_alert(alert)
        case _:
            return None


async def ask(url: str, context: Context) -> Trouble | None:
    """Shake hands with a server, say nothing, and hear whether it takes our certificate.

    With TLS 1.3 a server judges it when we think that the connection stands; a request that is on
    its way by then, and the reset that it meets, hide the reason.
    """
    place = urlsplit(url)
    if place.scheme != "https" or place.hostname is None:
        return None
    try:
        async with asyncio.timeout(_PATIENCE):
            reader, writer = await asyncio.open_connection(
                place.hostname, place.port or _HTTPS, ssl=context
            )
            try:
                said = await reader.read(1)
            finally:
                writer.transport.abort()
    except TimeoutError:  # it waits for a request: we are welcome
        return None
    except OSError as error:
        return trouble(error)
    return None if said else CLOSED


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Give an error, and what lies behind it."""
    inner: BaseException | None = error
    while inner is not None:
        yield inner
        named = getattr(inner, "os_error", None) or getattr(inner, "certificate_error", None)
        inner = named if isinstance(named, BaseException) else inner.__cause__


def _of_verification(error: ssl.SSLCertVerificationError) -> Trouble:
    if error.verify_code in _UNKNOWN_CA:
        return Trouble("its certificate is signed by nobody whom we trust", _TRUST)
    if error.verify_code in _VERIFY:
        return Trouble(*_VERIFY[error.verify_code])
    return Trouble(
        f"its certificate is not good: {error.verify_message}",
        f"give WSO2 another one, or {_TRUST}",
    )


def _of_alert(error: ssl.SSLError) -> Trouble:
    reason = error.reason or ""
    if "CERTIFICATE_REQUIRED" in reason or "HANDSHAKE_FAILURE" in reason:
        return Trouble(
            f"it wants a certificate from us ({reason})",
            "give one as wso2.tls.cert and wso2.tls.key",
        )
    if "ALERT" in reason and ("CERTIFICATE" in reason or "UNKNOWN_CA" in reason):
        return Trouble(f"it refuses our certificate ({reason})", _OURS)
    if reason in {"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE"}:
        return Trouble("it does not speak TLS there", "write http:// in wso2.url, or its TLS port")
    return Trouble(f"TLS: {reason or error}", "wso2.tls says which certificates we use and trust")
