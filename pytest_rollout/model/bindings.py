"""What `rollout check` makes of tests that a plan does not ask for."""

from __future__ import annotations

from enum import Enum


class Bindings(Enum):
    """How tests are taken that are bound to nothing, or that nobody has reviewed."""

    OPEN = "open"  # remarked on
    STRICT = "strict"  # refused
