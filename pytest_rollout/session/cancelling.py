"""Signals that end a run before its time, as CI systems send them to jobs that were cancelled.

SIGINT and then SIGTERM come some seconds before a kill. The first ends the run as Ctrl-C does,
the second breaks off a tear-down that takes long; what ended until then is sealed.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_PLAIN = (signal.SIG_DFL, signal.default_int_handler)


class Cancelling:
    """Notes which signal ended the run, and raises KeyboardInterrupt where it came."""

    def __init__(self) -> None:
        self.by = ""  # the first one, by its name
        self._pid = os.getpid()
        self._before: dict[int, Any] = {}
        self._held = False

    def listen(self) -> None:
        """Take the signals that nobody else takes; a thread that is not the main one cannot."""
        if threading.current_thread() is not threading.main_thread():
            return
        for number in _SIGNALS:
            before = signal.getsignal(number)
            if before in _PLAIN:
                self._before[number] = before
                signal.signal(number, self._ended)

    def stop_listening(self) -> None:
        """Give the signals back, but for those that somebody else has taken since."""
        for number, before in self._before.items():
            if signal.getsignal(number) == self._ended:
                signal.signal(number, before)
        self._before = {}

    @contextmanager
    def held(self) -> Iterator[None]:
        """Note signals, and let none break off what is done meanwhile."""
        self._held = True
        try:
            yield
        finally:
            self._held = False

    def _ended(self, number: int, _: FrameType | None) -> None:
        if os.getpid() != self._pid:  # a child that was forked ends as it would without us
            signal.signal(number, self._before.get(number, signal.SIG_DFL))
            os.kill(os.getpid(), number)
            return
        self.by = self.by or signal.Signals(number).name
        if not self._held:
            raise KeyboardInterrupt(f"ended by {self.by}")
