"""The clocks of a load: one for durations that never steps, and the wall clock beside it.

Tests put others in their place; nothing else here reads a clock.
"""

from __future__ import annotations

import time
from collections.abc import Callable

steady: Callable[[], float] = time.perf_counter  # seconds
wall: Callable[[], float] = time.time  # seconds since the epoch
processor: Callable[[], float] = time.process_time  # seconds that this process ran


def wall_us() -> int:
    """Return the time of day in microseconds since the epoch."""
    return round(wall() * 1_000_000)
