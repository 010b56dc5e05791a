"""Finding the plans of a repository."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from pytest_rollout.model.errors import RolloutError
from pytest_rollout.plan.load import Loaded, load

DEFAULT_PATTERNS = ("rollout.yaml", "suites/*/rollout.yaml")


def files(root: Path, patterns: Iterable[str]) -> list[Path]:
    """The plan files below a root, in order of their paths.

    Raises RolloutError for a pattern that does not say where below the root.
    """
    found: set[Path] = set()
    for pattern in patterns:
        try:
            found.update(path for path in root.glob(pattern) if path.is_file())
        except (ValueError, NotImplementedError, IndexError) as error:
            raise RolloutError(f"rollout_plans: {pattern!r}: {error}") from error
    return sorted(found)


def load_all(root: Path, patterns: Iterable[str]) -> list[Loaded]:
    """Every plan below a root, the broken ones with their problems."""
    return [load(path, path.relative_to(root).as_posix()) for path in files(root, patterns)]
