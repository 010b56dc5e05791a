"""The workflow types that main knows, by their schema files."""

from __future__ import annotations

from pathlib import Path

import yaml

from pytest_rollout import NoValueError


def schema_labels(checkout: Path) -> set[str]:
    """The labels of all schemas; raises NoValueError where there is none."""
    paths = sorted((checkout / "schemas").glob("*.yaml"))
    if not paths:
        raise NoValueError("there is no schema in the checkout")
    return {str((yaml.safe_load(path.read_text()) or {}).get("label", "")) for path in paths}
