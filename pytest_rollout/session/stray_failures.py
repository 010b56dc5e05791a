"""Failures of a check that do not reach it: in threads, finalisers and tasks, or timeouts."""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from pytest_rollout.targets.trouble import trouble

_Wrapper = Generator[None, object, object]


class Elsewhere:
    """Tells of failures that warnings would tell of, were they not switched off."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._deadline: tuple[float, float] | None = None  # when it began, and its timeout

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Hear of failures in threads, finalisers and tasks meanwhile."""
        thread, finaliser = threading.excepthook, sys.unraisablehook

        def in_thread(said: threading.ExceptHookArgs) -> Any:
            if not issubclass(said.exc_type, SystemExit) and said.exc_value is not None:
                self._tell(f"failed in a thread: {trouble(said.exc_value)}")
            return thread(said)

        def in_finaliser(said: Any) -> Any:
            if said.exc_value is not None:
                self._tell(f"failed in a finaliser (Unraisable): {trouble(said.exc_value)}")
            return finaliser(said)

        tasks = _Tasks(self._tell)
        logging.getLogger("asyncio").addHandler(tasks)
        threading.excepthook, sys.unraisablehook = in_thread, in_finaliser
        try:
            yield
        finally:
            logging.getLogger("asyncio").removeHandler(tasks)
            if threading.excepthook is in_thread:
                threading.excepthook = thread
            if sys.unraisablehook is in_finaliser:
                sys.unraisablehook = finaliser

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


class _Tasks(logging.Handler):
    """Where asyncio says that a task failed and nobody looked."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        super().__init__(logging.ERROR)
        self._tell = tell

    def emit(self, record: logging.LogRecord) -> None:
        """Tell of a failure whose exception was never retrieved."""
        said = record.getMessage().splitlines()
        error = record.exc_info[1] if record.exc_info else None
        if said and "never retrieved" in said[0] and error is not None:
            self._tell(f"{said[0]}: {trouble(error)}")
