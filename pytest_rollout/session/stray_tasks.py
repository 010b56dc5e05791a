"""What fails in a loop of asyncio without reaching who started it: tasks and callbacks."""

from __future__ import annotations

import asyncio
from asyncio.base_events import BaseEventLoop
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from weakref import WeakSet

from pytest_rollout.session.stray_threads import replaced
from pytest_rollout.targets.trouble import trouble

_UNREAD = "_log_traceback"  # asyncio's own: whether an exception was set and never retrieved


class Tasks:
    """Tells of failures that asyncio only logs, or not even that while somebody holds the task."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._known: WeakSet[asyncio.Task[Any]] = WeakSet()
        self._any = False  # whether one was made since none was known

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Note what is made meanwhile, and what loops are told went wrong."""
        with ExitStack() as stack:
            # Not futures: streams hold some whose exception they read when they are dropped.
            made = self._noted(vars(BaseEventLoop)["create_task"])
            stack.enter_context(replaced(BaseEventLoop, "create_task", made))
            name = "default_exception_handler"  # not called where a loop has a handler of its own
            heard = self._heard(vars(BaseEventLoop)[name])
            stack.enter_context(replaced(BaseEventLoop, name, heard))
            yield

    def look(self) -> None:
        """Tell of what ended with an exception that nobody has read."""
        if not self._any:
            return
        self._any = False
        for task in list(self._known):
            if not task.done():
                self._any = True
                continue
            self._known.discard(task)
            if not task.cancelled() and getattr(task, _UNREAD, False):
                error = task.exception()  # from here on it is read, and asyncio says no more
                if error is not None:
                    self._tell(f"Task exception was never retrieved: {trouble(error)}")

    def _noted(self, make: Any) -> Any:
        def noted(loop: BaseEventLoop, *given: Any, **named: Any) -> Any:
            made = make(loop, *given, **named)
            self._known.add(made)
            self._any = True
            return made

        return noted

    def _heard(self, handle: Any) -> Any:
        def heard(loop: BaseEventLoop, context: dict[str, Any]) -> None:
            error = context.get("exception")
            if isinstance(error, Exception):
                said = str(context.get("message", "")).splitlines() or ["failed in a loop"]
                self._tell(f"{said[0]}: {trouble(error)}")
            handle(loop, context)

        return heard
