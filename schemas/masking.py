"""What must not show: the secrets that this process knows, in every form they may come back in.

One for the whole process, as logging is: who reads a secret says so (`learn`), and every way out
asks (`hide`): logs, errors, what commands print, what HTTP serves, answers that are kept.
"""

from __future__ import annotations

import base64
import html
import json
import re
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any, Final, TextIO, cast
from urllib.parse import quote, quote_plus

STARS: Final = "***"
SHORTEST: Final = 8  # characters; what is shorter cannot be told from an ordinary word
_FORMER: Final = 4  # values of one place that are remembered: a late answer may show an old one
_HEADING: Final = "-----"  # of a PEM block


class Mask:
    """Knows secrets by the place where they stand; safe to use from several threads."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._lock = threading.Lock()
        self._known: dict[str, deque[str]] = {}
        self._pattern: re.Pattern[str] | None = None

    def learn(self, where: str, text: str) -> None:
        """Hide this text from here on; `where` names its place, `wso2.auth.bearer` for instance.

        Of a text of several lines, a private key for instance, each line is a secret. Lines
        shorter than SHORTEST are not looked for.
        """
        lines = [line.strip() for line in text.splitlines()]
        secrets = [s for s in lines if len(s) >= SHORTEST and not s.startswith(_HEADING)]
        with self._lock:
            known = self._known.setdefault(where, deque(maxlen=max(_FORMER, 2 * len(secrets))))
            fresh = [each for each in secrets if each not in known]
            if fresh:
                known.extend(fresh)
                self._pattern = _pattern(each for place in self._known.values() for each in place)

    def hide(self, text: str) -> str:
        """Return the text with STARS instead of every secret."""
        pattern = self._pattern
        return text if pattern is None else pattern.sub(STARS, text)


def _pattern(secrets: Iterator[str]) -> re.Pattern[str]:
    found = {form for secret in secrets for form in _forms(secret)}
    longest_first = sorted(found, key=lambda form: (-len(form), form))
    return re.compile("|".join(map(re.escape, longest_first)))


def _forms(secret: str) -> Iterator[str]:
    """Give a secret as it is and as URLs, JSON, XML, SQL, Python and Basic would write it."""
    yield secret
    for coded in (quote(secret, safe=""), quote(secret), quote_plus(secret)):
        yield coded
        yield re.sub("%[0-9A-F]{2}", lambda found: found[0].lower(), coded)
    for ascii_only in (True, False):
        once = _inside(json.dumps(secret, ensure_ascii=ascii_only))
        yield once
        yield _inside(json.dumps(once))
    xml = html.escape(secret, quote=False)  # xml.sax would bring HTTP, mail and TLS with it
    yield xml
    yield xml.replace('"', "&quot;")
    yield html.escape(secret)
    yield secret.replace("'", "''")
    yield secret.replace("\\", "\\\\").replace("'", "\\'")
    data = secret.encode("utf-8", "surrogatepass")
    for shown in (repr(secret), repr(data)[1:]):
        yield _inside(shown)
        yield _inside(repr(_inside(shown)))
    for coded_bytes in (base64.b64encode(data), base64.urlsafe_b64encode(data)):
        yield coded_bytes.decode()
        yield coded_bytes.decode().rstrip("=")


def _inside(quoted: str) -> str:
    return quoted[1:-1]


_PROCESS: Final = Mask()
learn: Final = _PROCESS.learn
hide: Final = _PROCESS.hide


class _Masked:
    """A stream of text that hides what is written to it; in all else it is the other one."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        self._stream.write(hide(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def masked(stream: TextIO) -> TextIO:
    """Return a stream that writes to this one, with STARS instead of every secret.

    What is written at once is looked through as one text.
    """
    return cast("TextIO", _Masked(stream))
