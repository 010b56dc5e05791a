"""Failures of a check that do not reach it: in threads, pools, processes, tasks, or timeouts."""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack
from typing import Any

import pytest

from pytest_rollout.session.stray_threads import GEVENT, Started, Tell, greenlets
from pytest_rollout.targets.trouble import trouble

_Wrapper = Generator[None, object, object]


class Elsewhere:
    """Tells of failures that warnings would tell of, were they not switched off."""

    def __init__(self, tell: Tell, item: Callable[[], str]) -> None:
        self._tell_of = tell
        self._started = Started(tell, item)
        self._look_at_tasks: Callable[[], None] = lambda: None
        self._pools = logging.getLogger("concurrent.futures")
        self._callbacks = _Callbacks(self._tell)
        self._deadline: tuple[float, float] | None = None  # when it began, and its timeout
        self._hooks = self._in_thread, self._in_finaliser
        self._before: tuple[Any, Any] = threading.excepthook, sys.unraisablehook
        self._greenlets = ExitStack()

    def _tell(self, what: str) -> None:
        self._tell_of(self._started.owner(), what)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtestloop(self) -> _Wrapper:
        """Watch what checks start, up to the end of the last one, and wait for what is left."""
        from pytest_rollout.session.stray_tasks import Tasks  # asyncio: tens of milliseconds

        tasks = Tasks(self._tell)
        self._look_at_tasks = tasks.look
        with self._started.watched(), tasks.watched():
            try:
                result = yield
                # Not after an interruption: such a run is evidence of nothing.
                self._started.settle()
                return result
            finally:
                self._pools.removeHandler(self._callbacks)

    def listen(self) -> None:
        """Hear of failures in threads, finalisers, tasks and pools from now on.

        No context manager: a run of ten thousand checks begins and ends as many.
        """
        mine = self._hooks
        if threading.excepthook is not mine[0]:
            self._before = threading.excepthook, self._before[1]
        if sys.unraisablehook is not mine[1]:
            self._before = self._before[0], sys.unraisablehook
        if self._callbacks not in self._pools.handlers:  # a check may have set logging up anew
            self._pools.addHandler(self._callbacks)
        self._callbacks.heard = True
        threading.excepthook, sys.unraisablehook = mine
        if GEVENT in sys.modules:
            self._greenlets.enter_context(greenlets(self._tell))

    def stop_listening(self) -> None:
        """Tell of what failed and nobody looked at, and let go of the hooks."""
        try:
            self._greenlets.close()
            self._started.look()
            self._look_at_tasks()
        finally:
            self._callbacks.heard = False
            if threading.excepthook is self._hooks[0]:
                threading.excepthook = self._before[0]
            if sys.unraisablehook is self._hooks[1]:
                sys.unraisablehook = self._before[1]

    def _in_thread(self, failure: threading.ExceptHookArgs) -> Any:
        if not issubclass(failure.exc_type, SystemExit) and failure.exc_value is not None:
            owner = self._started.owner(failure.thread)
            self._tell_of(owner, f"failed in a thread: {trouble(failure.exc_value)}")
        return self._before[0](failure)

    def _in_finaliser(self, failure: Any) -> Any:
        if failure.exc_value is not None:
            self._tell(f"failed in a finaliser (Unraisable): {trouble(failure.exc_value)}")
        return self._before[1](failure)

    @pytest.hookimpl(wrapper=True, optionalhook=True)
    def pytest_timeout_set_timer(self, settings: Any) -> _Wrapper:
        """pytest-timeout begins to count."""
        self._deadline = (time.monotonic(), float(settings.timeout))
        return (yield)

    @pytest.hookimpl(wrapper=True, optionalhook=True)
    def pytest_timeout_cancel_timer(self) -> _Wrapper:
        """A check that goes on after its timeout has caught what should have ended it."""
        deadline, self._deadline = self._deadline, None
        if deadline is not None and time.monotonic() - deadline[0] >= deadline[1]:
            self._tell(f"went on after its timeout of {deadline[1]:g} s")
        return (yield)


class _Callbacks(logging.Handler):
    """Where a pool says that a callback of a future failed."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        super().__init__(logging.ERROR)
        self._tell = tell
        self.heard = False  # whether a check runs

    def emit(self, record: logging.LogRecord) -> None:
        """Tell of an exception that the pool has caught."""
        error = record.exc_info[1] if record.exc_info else None
        if error is not None and self.heard:
            self._tell(f"failed in a callback of a future: {trouble(error)}")
