"""How far a long row of work is, and how long the rest may take."""

from __future__ import annotations

from collections.abc import Callable

_MINUTE_S = 60


class Pace:
    """Counts what ended, by a clock in seconds."""

    def __init__(self, of: int, clock: Callable[[], float]) -> None:
        self._of = of
        self._clock = clock
        self._began = clock()
        self._ended = 0

    def next(self) -> str:
        """Count one more as ended; return ``[3/20, about 4 min left]``."""
        self._ended += 1
        left = self._of - self._ended
        if not left:
            return f"[{self._ended}/{self._of}]"
        seconds = (self._clock() - self._began) / self._ended * left
        return f"[{self._ended}/{self._of}, about {rough(seconds)} left]"


def rough(seconds: float) -> str:
    """A time in seconds or minutes: ``40 s``, ``7 min``."""
    return f"{seconds / _MINUTE_S:.0f} min" if seconds >= _MINUTE_S else f"{seconds:.0f} s"
