"""Python's garbage collector while a decision is made and reported."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def left_alone() -> Iterator[None]:
    """Keep the collector meanwhile from looking through all that is there now.

    Decisions and their reports are many small objects. Each time there are a quarter more of
    them, it would go through every test that pytest holds, too.
    """
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
