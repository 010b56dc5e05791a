"""The workflow types that main knows, by their schema files."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

import yaml

from pytest_rollout import NoValueError, RolloutError
from suites.pipeline.views.guidance import finding

FIELDS = ("label", "title", "specialist", "inputs", "deliverables")
SPECIALIST, WORKFLOW = "specialist::", "workflow::"


def _schemas(checkout: Path) -> list[Mapping[str, object]]:
    paths = sorted((checkout / "schemas").glob("*.yaml"))
    if not paths:
        raise NoValueError("there is no schema in the checkout")
    schemas = {path.name: yaml.safe_load(path.read_text()) or {} for path in paths}
    for name, schema in schemas.items():
        lacking = [field for field in FIELDS if not schema.get(field)]
        if lacking:
            raise RolloutError(f"schemas/{name} does not say {', '.join(lacking)}")
    return list(schemas.values())


def schema_labels(checkout: Path) -> set[str]:
    """The labels of all schemas; raises NoValueError where there is none."""
    return {str(schema.get("label", "")) for schema in _schemas(checkout)}


def specialists(checkout: Path) -> dict[str, str]:
    """The label of the specialist that each workflow label calls for."""
    return {
        str(schema.get("label", "")): f"{SPECIALIST}{schema.get('specialist', '')}"
        for schema in _schemas(checkout)
    }


def findings_of(checkout: Path) -> dict[str, str]:
    """The words of a finding that call for each workflow label.

    Raises NoValueError where no schema names any: then no label can be held against them.
    """
    words = {
        str(schema.get("label", "")): str(schema["finding"]).lower()
        for schema in _schemas(checkout)
        if schema.get("finding")
    }
    if not words:
        raise NoValueError(
            "no file in schemas/ says by which words of a finding its type is known "
            "(`finding: WORDS`)"
        )
    return words


def wrong_type(title: str, body: str, labels: Collection[str], words: Mapping[str, str]) -> str:
    """How the workflow of an issue is not the one that its finding calls for; empty: it is.

    A finding that has the words of no schema, or of several, calls for none.
    """
    said = f"{title}\n{finding(body)}".lower()
    due = sorted(label for label, word in words.items() if word in said)
    there = sorted(label for label in labels if label.startswith(WORKFLOW))
    if len(due) != 1 or there == due:
        return ""
    return f"has {' and '.join(there) or 'no workflow'}, and its finding calls for {due[0]}"


def wrong_specialist(labels: Collection[str], due: Mapping[str, str]) -> str:
    """How the specialist of an issue is not the one of its workflow; empty: it is."""
    wanted = sorted({due[label] for label in labels if label in due})
    there = sorted(label for label in labels if label.startswith(SPECIALIST))
    if there == wanted:
        return ""
    return f"has {' and '.join(there) or 'no specialist'}, not {' and '.join(wanted) or 'none'}"
