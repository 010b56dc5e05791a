"""Reading what a target runs at every look of a watch, without waiting for one that hangs."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from pytest_rollout.model.evidence import ReleaseFact

_WAIT_S = 1.0


class ReleaseReader:
    """Asks in a thread of its own; an answer that takes longer is taken at a later look."""

    def __init__(self, identify: Callable[[str], ReleaseFact | None]) -> None:
        self._identify = identify
        self._pool = ThreadPoolExecutor(1, "release")
        self.fresh = False  # whether the latest answer was asked for when it was taken
        self._asked: Future[ReleaseFact | None] | None = None

    def latest(self) -> ReleaseFact | None:
        """Return what the target says now; None where it has not answered yet, or not well.

        Raises what keeps the watch from being one, as a reference target that answers.
        """
        self.fresh = self._asked is None
        if self._asked is None:
            self._asked = self._pool.submit(self._identify, "look")
        try:
            fact = self._asked.result(_WAIT_S)
        except TimeoutError:
            return None
        finally:
            if self._asked.done():
                self._asked = None
        return None if fact is None or fact.error else fact

    def close(self) -> None:
        """Wait for nobody any more."""
        self._pool.shutdown(wait=False, cancel_futures=True)
