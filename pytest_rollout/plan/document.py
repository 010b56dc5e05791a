"""Where the document that a plan comes from says what a criterion or guardrail asks."""

from __future__ import annotations

from pytest_rollout.model.plan import Source
from pytest_rollout.plan.reader import Reader
from pytest_rollout.plan.spec.criterion_keys import SourceKeys
from pytest_rollout.plan.spec.keys import Key
from pytest_rollout.plan.tree import Tree


def read_document_source(reader: Reader, key: Key[Tree | None]) -> Source | None:
    """Return the place in the document; None where the plan names none, or it is broken."""
    tree = reader.get(key)
    if tree is None:
        return None
    inner = reader.inner(tree, SourceKeys, f"{reader.what}: source")
    section, lines = inner.get(SourceKeys.section), inner.get(SourceKeys.lines)
    derived = inner.get(SourceKeys.derived) or ""
    inner.done()
    return Source(section, lines, derived) if section else None
