"""States are reached, not written: which methods lead from one to another."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from streams.applying.settings import Action, Model
from streams.odoo.port import Odoo


class NoWay(Exception):
    """No action leads there, or it did not lead there."""


def way(actions: Sequence[Action], now: str, then: str) -> list[Action] | None:
    """Return the fewest actions that lead from one state to another; None where none do. Pure."""
    came: dict[str, list[Action]] = {now: []}
    waiting = deque([now])
    while waiting:
        state = waiting.popleft()
        if state == then:
            return came[state]
        for action in actions:
            if state in action.begins and action.state not in came:
                came[action.state] = [*came[state], action]
                waiting.append(action.state)
    return None


class Acting:
    """Brings records to their states through one session."""

    def __init__(self, odoo: Odoo) -> None:
        """Ask nothing yet."""
        self._odoo = odoo

    def bring(self, model: Model, number: int, then: str) -> bool:
        """Bring a record to a state, and look whether it got there; return whether it had to be.

        NoWay where it cannot be brought there.
        """
        now = self._state(model, number)
        if is_as_good(model, now, then):
            return False
        actions = way(model.actions, now, then)
        if actions is None:
            raise NoWay(
                f"{model.state_field}: {model.name} {number} is {now!r}, and no action of"
                f" target.yaml leads from there to {then!r}"
            )
        for action in actions:
            self._odoo.call(model.name, action.method, [number], context=action.context)
            now = self._state(model, number)
            if not is_as_good(model, now, action.state):
                raise NoWay(
                    f"{model.state_field}: {model.name} {number} is {now!r} after"
                    f" {action.method}, not {action.state!r}"
                )
            if now != action.state:
                break  # as good as there, by target.yaml
        return True

    def _state(self, model: Model, number: int) -> str:
        rows = self._odoo.call(model.name, "read", [number], [model.state_field], load=None)
        return str(rows[0][model.state_field]) if rows else ""


def is_as_good(model: Model, now: str, then: str) -> bool:
    """Say whether a state is the one that is wanted, or accepted in its place."""
    return now == then or any(
        now in action.accepts for action in model.actions if action.state == then
    )
