"""Work beside the main thread, one thing after the other, that nobody waits for in the end.

A pool of `concurrent.futures` is joined when the interpreter ends: an answer that does not come
would keep a program from ending.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any, Final, TypeVar

Result = TypeVar("Result")

_PATIENCE: Final = 0.5  # seconds that the work at hand may take still when it is to end


class Aside:
    """A thread that begins with the first thing to do."""

    def __init__(self, name: str) -> None:
        """Do nothing yet; `name` is the thread's."""
        self._name = name
        self._todo: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None

    def submit(self, work: Callable[..., Result], *args: Any) -> Future[Result]:
        """Have it done; the future has what it returns or raises."""
        future: Future[Result] = Future()

        def do() -> None:
            try:
                future.set_result(work(*args))
            except BaseException as error:  # noqa: BLE001  it is raised where the result is asked for
                future.set_exception(error)

        self._todo.put(do)
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            self._thread.start()
        return future

    def shutdown(self) -> bool:
        """Do nothing more; say whether all is done. What hangs is left to itself."""
        self._todo.put(None)
        if self._thread is None:
            return True
        self._thread.join(_PATIENCE)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while (do := self._todo.get()) is not None:
            do()
