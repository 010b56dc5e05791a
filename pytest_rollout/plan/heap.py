"""Python's garbage collector while what is made all stays."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_MANY = 50_000  # new objects; Python looks each 700


@contextmanager
def collector_seldom() -> Iterator[None]:
    """Let the collector look at new objects seldom, as most of what a command makes stays."""
    before = gc.get_threshold()
    gc.set_threshold(_MANY, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


@contextmanager
def collector_paused() -> Iterator[None]:
    """Keep the collector from looking through what grows, again and again.

    Plans, decisions and reports are many small objects, and nothing of them refers to itself.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
