"""How long something takes, on a machine that may be busy with something else."""

from __future__ import annotations

import time
from collections.abc import Callable


def fastest_s(act: Callable[[], object], times: int = 3) -> float:
    """Return the seconds of processor time of the fastest of several calls."""
    return min(_taken_s(act) for _ in range(times))


def _taken_s(act: Callable[[], object]) -> float:
    began = time.process_time()
    act()
    return time.process_time() - began
