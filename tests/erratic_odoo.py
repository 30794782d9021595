"""A proxy before an Odoo in which calls meet faults at random, or the end of whoever asked."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from aiohttp import web

from tests.faulty_odoo import CLOSE, Fault, FaultyOdoo
from tests.odoo_client import Odoo
from tests.stand_ins import Answer, Received

WRITES: Final = frozenset(("load", "create", "write", "unlink", "button_cancel", "button_confirm"))


@dataclass(frozen=True)
class Struck:
    """`strike` is called as the call comes, once Odoo has done it, or as its answer has left."""

    strike: Callable[[], object]
    when: str

    MOMENTS = ("it comes", "it is done", "it is answered")


@dataclass
class Plan:
    """What becomes of a call: (model, method) -> a fault; None: it goes through."""

    choose: Callable[[str, str], Fault | Struck | None] = field(default=lambda *_: None)


class ErraticOdoo(FaultyOdoo):
    """Asks `plan` at every call."""

    def __init__(self, behind: Odoo) -> None:
        self.plan = Plan()
        super().__init__(behind)

    def decide(self, scripted: object, request: Received) -> Any:
        chosen = super().decide(scripted, request)
        called = self.calls[-1] if self.calls else ("", "")
        return self.plan.choose(*called) or chosen

    async def _answer(self, act: Any, request: web.Request) -> web.StreamResponse:
        match act:
            case Struck(strike, "it comes"):
                strike()
                await self._ask(request)
                return await super()._answer(CLOSE, request)
            case Struck(strike, "it is done"):
                await self._ask(request)
                strike()
                return await super()._answer(CLOSE, request)
            case Struck(strike, _):
                answer = await self._ask(request)
                later = random.random() * 0.01  # noqa: S311  seconds
                self._background.loop.call_later(later, strike)
                return await super()._answer(answer, request)
            case _:
                return await super()._answer(act, request)


def not_serialised_by_load() -> Answer:
    """Answer as a `load` that another transaction was faster than."""
    said = {"type": "error", "record": 0, "rows": {"from": 0, "to": 0}}
    message = {**said, "message": "could not serialize access due to concurrent update\n"}
    result = {"ids": False, "messages": [message], "nextrow": 0}
    body = json.dumps({"jsonrpc": "2.0", "id": None, "result": result}).encode()
    return Answer(200, body, (("Content-Type", "application/json"),))
