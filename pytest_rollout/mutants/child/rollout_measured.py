"""Says which check a line was run for: a plugin of coverage.py.

Every process that is measured, also a served target, reads what the pytest of its rehearsal does
whenever one of the measured functions is called. It imports nothing that a target would not.
"""

from __future__ import annotations

import mmap
import os
from types import FrameType
from typing import Any

_SIZE = 4096
_IMPORTS = "<module>"


class _Measured:
    """Names the context of each call of a measured function; see coverage.CoveragePlugin."""

    def __init__(self, noted: mmap.mmap, places: tuple[str, ...]) -> None:
        self._noted = noted
        self._places = places

    def dynamic_context(self, frame: FrameType) -> str | None:
        """What pytest does now; None for what others call, and while a module is imported."""
        if not frame.f_code.co_filename.startswith(self._places):
            return None
        caller: FrameType | None = frame
        while caller is not None:
            code = caller.f_code
            if code.co_name == _IMPORTS and code.co_filename.startswith(self._places):
                return None
            caller = caller.f_back
        return self._noted[: self._noted.find(b"\0")].decode("utf-8", "replace") or None


def coverage_init(registry: Any, _: object) -> None:
    """Register with coverage.py."""
    import coverage

    place = os.environ.get("ROLLOUT_CONTEXTS")
    if not place:
        return
    measured = type("Measured", (_Measured, coverage.CoveragePlugin), {})
    places = tuple(os.environ.get("ROLLOUT_MEASURED", "").split(os.pathsep))
    registry.add_dynamic_context(measured(_opened(place), places))


def _opened(place: str) -> mmap.mmap:
    with open(place, "r+b") as file:  # noqa: PTH123  # quicker to start than pathlib
        return mmap.mmap(file.fileno(), _SIZE)
