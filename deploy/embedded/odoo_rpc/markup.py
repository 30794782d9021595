"""Html as Odoo keeps it: without scripts and handlers, text in a paragraph."""

from __future__ import annotations

import re
from html import escape
from html.parser import HTMLParser
from typing import Final

_NAME: Final = re.compile(r"[a-z][a-z0-9:_-]*")  # the parser takes `<a<script>` for a name
_DROPPED: Final = frozenset({"script", "iframe", "object", "embed", "style", "head", "title"})
_BLOCKS: Final = frozenset(
    {"p", "div", "ul", "ol", "table", "h1", "h2", "h3", "h4", "h5", "h6", "pre", "blockquote"}
)
_EMPTY: Final = frozenset({"br", "hr", "img", "input", "wbr"})
_LINKS: Final = frozenset({"href", "src", "action"})


def clean(text: str) -> str:
    """Return it without what could run; text that stands in no block is wrapped in `<p>`."""
    if not text:
        return text
    parser = _Cleaner()
    parser.feed(text)
    parser.close()
    return parser.result()


class _Cleaner(HTMLParser):
    """Writes down what may stay."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self._out: list[str] = []
        self._open: list[str] = []
        self._skipping = 0
        self._loose = False  # a paragraph of ours is open

    def result(self) -> str:
        while self._open:
            self._out.append(f"</{self._open.pop()}>")
        self._end_loose()
        return "".join(self._out)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _DROPPED:
            self._skipping += 1
        if self._skipping or not _NAME.fullmatch(tag):
            return
        if tag in _BLOCKS and not self._open:
            self._end_loose()
        else:
            self._begin_loose()
        self._out.append(f"<{tag}{''.join(map(_attribute, filter(_stays, attrs)))}>")
        if tag not in _EMPTY:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in _DROPPED:
            self._skipping = max(0, self._skipping - 1)
        elif not self._skipping and tag in self._open:
            while (last := self._open.pop()) != tag:
                self._out.append(f"</{last}>")
            self._out.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        if not self._skipping:
            if data.strip():
                self._begin_loose()
            self._out.append(escape(data, quote=False))

    def handle_entityref(self, name: str) -> None:
        self._reference(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self._reference(f"&#{name};")

    def _reference(self, text: str) -> None:
        if not self._skipping:
            self._begin_loose()
            self._out.append(text)

    def _begin_loose(self) -> None:
        if not self._open and not self._loose:
            self._out.append("<p>")
            self._loose = True

    def _end_loose(self) -> None:
        if self._loose:
            self._out.append("</p>")
            self._loose = False


def _stays(attribute: tuple[str, str | None]) -> bool:
    return bool(_NAME.fullmatch(attribute[0])) and not attribute[0].startswith("on")


def _attribute(attribute: tuple[str, str | None]) -> str:
    name, value = attribute
    runs = name in _LINKS and (value or "").strip().lower().startswith("javascript:")
    return f' {name}="{escape("" if runs else value or "")}"'
