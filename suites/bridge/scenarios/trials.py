"""Several trials on one target of their own: each gives what it saw, or why it could not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from pytest_rollout import NoValueError, RolloutError

_TROUBLES = (
    RolloutError,
    AssertionError,
    httpx.HTTPError,
    LookupError,
    ValueError,
    TypeError,
    OSError,
)


@dataclass
class Trials:
    """What came of each trial, by name."""

    seen: dict[str, Any] = field(default_factory=dict)
    troubles: dict[str, Exception] = field(default_factory=dict)

    @classmethod
    def of(cls, **trials: Callable[[], object]) -> Trials:
        """Make trials one after the other; one that fails takes down only what reads it."""
        made = cls()
        for name, trial in trials.items():
            try:
                made.seen[name] = trial()
            except _TROUBLES as error:
                made.troubles[name] = error
        return made

    def get(self, name: str) -> Any:
        """What a trial saw; raises what it raised."""
        trouble = self.troubles.get(name)
        if isinstance(trouble, NoValueError | AssertionError):
            raise trouble
        if trouble is not None:
            raise RolloutError(f"{name}: {type(trouble).__name__}: {trouble}") from trouble
        return self.seen[name]
