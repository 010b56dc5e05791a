"""The workflow types that main knows, by their schema files."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

import yaml

from pytest_rollout import NoValueError

SPECIALIST = "specialist::"


def _schemas(checkout: Path) -> list[Mapping[str, object]]:
    paths = sorted((checkout / "schemas").glob("*.yaml"))
    if not paths:
        raise NoValueError("there is no schema in the checkout")
    return [yaml.safe_load(path.read_text()) or {} for path in paths]


def schema_labels(checkout: Path) -> set[str]:
    """The labels of all schemas; raises NoValueError where there is none."""
    return {str(schema.get("label", "")) for schema in _schemas(checkout)}


def specialists(checkout: Path) -> dict[str, str]:
    """The label of the specialist that each workflow label calls for."""
    return {
        str(schema.get("label", "")): f"{SPECIALIST}{schema.get('specialist', '')}"
        for schema in _schemas(checkout)
    }


def wrong_specialist(labels: Collection[str], due: Mapping[str, str]) -> str:
    """How the specialist of an issue is not the one of its workflow; empty: it is."""
    wanted = sorted({due[label] for label in labels if label in due})
    there = sorted(label for label in labels if label.startswith(SPECIALIST))
    if there == wanted:
        return ""
    return f"has {' and '.join(there) or 'no specialist'}, not {' and '.join(wanted) or 'none'}"
