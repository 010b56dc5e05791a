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
        self._mask: Any = None  # what the forking thread blocks besides, while it forks
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
        if self._before and hasattr(os, "register_at_fork"):
            os.register_at_fork(
                before=self._block, after_in_parent=self._unblock, after_in_child=self._forked
            )

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

    def _block(self) -> None:
        """Let signals wait while a child is forked: Python drops one that comes just then."""
        if self._before:
            self._mask = signal.pthread_sigmask(signal.SIG_BLOCK, self._before)

    def _unblock(self) -> None:
        """Take the signals that waited."""
        mask, self._mask = self._mask, None
        if mask is not None:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)

    def _forked(self) -> None:
        """Have a child that was forked end as it would without us."""
        self.stop_listening()
        self._unblock()

    def _ended(self, number: int, _: FrameType | None) -> None:
        if os.getpid() != self._pid:  # a child that was forked past those hooks
            signal.signal(number, self._before.get(number, signal.SIG_DFL))
            os.kill(os.getpid(), number)
            return
        self.by = self.by or signal.Signals(number).name
        if not self._held:
            raise KeyboardInterrupt(f"ended by {self.by}")
