"""Finding the plans of a repository."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from pytest_rollout.plan.load import Loaded, load

DEFAULT_PATTERNS = ("rollout.yaml", "suites/*/rollout.yaml")


def files(root: Path, patterns: Iterable[str]) -> list[Path]:
    """The plan files below a root, in order of their paths."""
    return sorted({path for pattern in patterns for path in root.glob(pattern) if path.is_file()})


def load_all(root: Path, patterns: Iterable[str]) -> list[Loaded]:
    """Every plan below a root, the broken ones with their problems."""
    return [load(path, path.relative_to(root).as_posix()) for path in files(root, patterns)]
