"""From Faust's consumer to the agents' buffers, without a task where there is nothing to wait for.

For every record that it hands over Faust starts four tasks, to notice a stop while a buffer is
full; they cost more than all else that it does with the record. Here a handover begins at once,
and only one that has to wait is watched.
"""

from __future__ import annotations

from collections.abc import Coroutine, Generator
from inspect import iscoroutine
from typing import Any

from mode import Service
from mode.services import WaitResults


class DirectHandover(Service):
    """A service that begins the first of two waits before it watches anything."""

    async def wait_first(self, *waits: Any, **options: Any) -> WaitResults:
        """Return when one of the waits is over, or the service stops."""
        if options or list(map(iscoroutine, waits)) != [True, True]:
            return await super().wait_first(*waits, **options)
        handover, other = waits
        try:
            awaited = handover.send(None)
        except StopIteration as end:
            other.close()
            return WaitResults([handover], [end.value], stopped=False)
        except BaseException:  # raised on; nothing is left unawaited
            other.close()
            raise
        return await super().wait_first(_Begun(handover, awaited), other)


class _Begun:
    """Goes on with a coroutine that was begun outside of the task that awaits this.

    `awaited` is what its first step waits for: a future that says so itself, as futures do when
    they are yielded to a task.
    """

    def __init__(self, coroutine: Coroutine[Any, Any, Any], awaited: Any) -> None:
        self._coroutine = coroutine
        self._awaited = awaited

    def __await__(self) -> Generator[Any, Any, Any]:
        awaited = self._awaited
        while True:
            try:
                try:
                    sent = yield awaited
                except BaseException as error:  # noqa: BLE001  the coroutine has to see it
                    awaited = self._coroutine.throw(error)
                else:
                    awaited = self._coroutine.send(sent)
            except StopIteration as end:
                return end.value
