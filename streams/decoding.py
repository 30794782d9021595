"""Reads events, whose schemas may have been written a moment ago. Pure but for a port."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from schemas.avro import SchemaBook, UnknownSchema
from schemas.event import Event


@dataclass(frozen=True, slots=True)
class Decoder:
    """Decodes values of event topics; `refresh` reads what the schemas topic has gained."""

    book: SchemaBook
    refresh: Callable[[], Awaitable[None]]

    async def event(self, value: bytes) -> Event:
        """Return an event; UnknownSchema where nobody wrote its schema, NotAnEvent."""
        try:
            return self.book.decode(value)
        except UnknownSchema:
            await self.refresh()
            return self.book.decode(value)
