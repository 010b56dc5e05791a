"""The locustfiles that a plan names: there, and Python; none is imported here."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from pytest_rollout.model.plan import Plan


def locustfile_problems(plan: Plan, root: Path) -> Iterator[str]:
    """Yield each load whose locustfile is not there, or cannot be read as Python."""
    for load in plan.loads:
        path = root / load.locustfile
        trouble = "" if path.is_file() else "is not there"
        try:
            if not trouble:
                ast.parse(path.read_bytes())
        except (OSError, SyntaxError, ValueError) as error:
            trouble = f"cannot be read: {error}"
        if trouble:
            yield f"{plan.path}:{load.line}: load {load.id}: {load.locustfile} {trouble}"
