"""Measures each Python process of a rehearsal, where the environment asks for it.

It stands in a folder of its own that only rehearsals in a workshop have on their path, and lets a
module of the same name that stands behind it do its work.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import os
import sys
from pathlib import Path


def _next_one() -> None:
    mine = Path(__file__).resolve().parent
    further = [place for place in sys.path if place and Path(place).resolve() != mine]
    spec = importlib.machinery.PathFinder.find_spec("sitecustomize", further)
    if spec is not None and spec.loader is not None:
        spec.loader.exec_module(importlib.util.module_from_spec(spec))


if os.environ.get("COVERAGE_PROCESS_START"):
    import coverage

    coverage.process_startup()
_next_one()
