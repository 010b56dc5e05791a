"""Plans of services: those in folders between where somebody stands and the root above."""

from __future__ import annotations

from collections.abc import Iterator
from glob import escape
from pathlib import Path

PLAN = "rollout.yaml"


def plans_on_the_way(root: Path, here: Path) -> Iterator[str]:
    """Patterns of the plans between a folder and the root above it."""
    for folder in (here, *here.parents):
        if folder == root or not folder.is_relative_to(root):
            return
        if (folder / PLAN).is_file():
            yield escape((folder / PLAN).relative_to(root).as_posix())
