"""Where HTTP hands deliveries in: reads them, has them applied, says what became of each."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Final, Protocol

from schemas.masking import hide
from streams.applying import answer, incoming
from streams.applying.answer import Answer, Delivered, Rejected, Retry
from streams.applying.incoming import Incoming, NotOurs
from streams.http.reply import Reply
from streams.metrics import Meter

logger = logging.getLogger(__name__)

MANY: Final = 1_000  # deliveries of one batch


class Takes(Protocol):
    """The service."""

    def refusal(self) -> Retry | None:
        """Return why nothing is taken at the moment."""

    async def take(self, delivery: Incoming) -> Answer:
        """Apply a delivery."""

    async def prefetch(self, deliveries: Sequence[Incoming]) -> frozenset[str]:
        """Ask Odoo at once for what these name; return the names that no record has."""


class Desk:
    """One place for both ways in."""

    def __init__(self, service: Takes, meter: Meter, at_once: int) -> None:
        """`at_once` chains of a batch are worked at side by side."""
        self._service = service
        self._meter = meter
        self._at_once = at_once

    def refusal(self, delivery: str) -> Reply | None:
        """Return how one is answered unread, None where it may be handed in."""
        refusal = self._service.refusal()
        return None if refusal is None else self._reply(delivery, refusal)

    async def one(self, body: bytes) -> Reply:
        """Answer one delivery."""
        try:
            return await self._of(_read(incoming.parse(body)))
        except NotOurs as error:
            return self._reply("", Rejected(answer.NOT_OURS, str(error)))

    async def many(self, body: bytes) -> Reply:
        """Answer a list: those of one chain in their order, others side by side."""
        try:
            said = incoming.parse(body)
        except NotOurs as error:
            return self._reply("", Rejected(answer.NOT_OURS, str(error)))
        if not isinstance(said, list) or len(said) > MANY:
            why = f"the body is no JSON list of at most {MANY} messages"
            return self._reply("", Rejected(answer.NOT_OURS, why))
        read = [_read(each) for each in said]
        deliveries = [each for each in read if isinstance(each, Incoming)]
        absent = await self._service.prefetch(deliveries)
        read = [replace(e, absent=absent) if isinstance(e, Incoming) else e for e in read]
        replies: list[Reply | None] = [None] * len(said)
        slots = asyncio.Semaphore(self._at_once)

        async def in_order(places: Sequence[int]) -> None:
            async with slots:
                for place in places:
                    replies[place] = await self._of(read[place])

        await asyncio.gather(*(in_order(places) for places in _chains(said)))
        return Reply(200, [_numbered(each) for each in replies if each is not None])

    async def _of(self, read: Incoming | NotOurs) -> Reply:
        if isinstance(read, NotOurs):
            return self._reply(read.delivery, Rejected(answer.NOT_OURS, str(read)))
        return self._reply(read.id, await self._service.take(read))

    def _reply(self, delivery: str, said: Answer) -> Reply:
        self._meter.count("answers", outcome(said))
        body = answer.to_json(delivery, said)
        if "message" in body:  # what Odoo says may hold what its administrator wrote into a URL
            body["message"] = hide(body["message"])
        after = said.after if isinstance(said, Retry) else None
        return Reply(answer.status_of(said), body, after)


class Journal:
    """Notes what became of each delivery that was worked at; never its values."""

    def __init__(self, meter: Meter) -> None:
        """`meter` is told how long it lasted."""
        self._meter = meter

    def __call__(self, delivery: Incoming, said: Answer, seconds: float) -> None:
        """Note one."""
        self._meter.observe("delivery", seconds)
        remarkable = not isinstance(said, Delivered) or said.note not in ("", answer.STALE)
        logger.log(
            logging.INFO if remarkable else logging.DEBUG,
            "%s of a record is %s",
            delivery.operation,
            outcome(said),
            extra={
                "action": "applied" if isinstance(said, Delivered) else "not_applied",
                "delivery": delivery.id,
                "answer": outcome(said),
                "milliseconds": round(seconds * 1000),
            },
        )


def outcome(said: Answer) -> str:
    """Name an answer: `delivered`, `stale`, or its code."""
    match said:
        case Delivered(note=answer.STALE):
            return "stale"
        case Delivered():
            return "delivered"
        case Rejected(code=code) | Retry(code=code):
            return code


def _chains(said: Iterable[object]) -> Iterable[Sequence[int]]:
    """Return the places of a batch, those of one chain together."""
    found: dict[object, list[int]] = {}
    for place, each in enumerate(said):
        name = each.get("id") if isinstance(each, dict) else None
        chain = name.rsplit("/", 2)[0] if isinstance(name, str) else place
        found.setdefault(chain, []).append(place)
    return found.values()


def _read(said: object) -> Incoming | NotOurs:
    try:
        return incoming.of(said)
    except NotOurs as error:
        return error


def _numbered(reply: Reply) -> dict[str, Any]:
    after = {} if reply.after is None else {"retry_after": reply.after}
    return {**reply.body, **after, "http_status": reply.status}
