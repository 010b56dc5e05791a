"""How a criterion is proven: what the plan, its tests and the ledger say of it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from pathlib import Path

from pytest_rollout.cli.project import Project
from pytest_rollout.evidence.drills import last_outcomes
from pytest_rollout.model.node_id import NodeId
from pytest_rollout.model.plan import Address, Criterion, Guardrail, Plan
from pytest_rollout.model.proof import FaultProof, Proof, TestPlace
from pytest_rollout.plan import bindings


def proven(
    project: Project,
    plan: Plan,
    phase: Address,
    stated: Criterion | Guardrail,
    nodes: Sequence[str] = (),
) -> Proof:
    """Return how something that a phase states is proven.

    ``nodes`` are the checks that were bound to it; without any, those of ``bindings.txt`` count.
    Raises RolloutError where the list, or LedgerError where the ledger cannot be read.
    """
    if not nodes:
        listed = bindings.listed(project.root / plan.path, project.root) or {}
        nodes = listed.get(phase.full(stated.id), ())
    return Proof(
        stated=f"{plan.path}:{stated.line}",
        source=stated.source,
        document=plan.document,
        tests=tuple(_places(project.root, plan, stated, nodes)),
        faults=tuple(_faults(project, plan, phase, stated)),
    )


def _faults(
    project: Project, plan: Plan, phase: Address, stated: Criterion | Guardrail
) -> Iterator[FaultProof]:
    drilled = {}
    if stated.faults and project.has_ledger:
        drilled = last_outcomes(project.ledger, phase, stated.id, plan.digest)
    for fault in stated.faults:
        yield drilled.get(fault, FaultProof(fault))


def _places(
    root: Path, plan: Plan, stated: Criterion | Guardrail, nodes: Sequence[str]
) -> Iterator[TestPlace]:
    lines: dict[str, dict[tuple[str, ...], int]] = {}
    for node in nodes:
        parsed = NodeId.parse(node)
        if parsed.path == plan.path:  # a check that the plan states itself
            yield TestPlace(node, plan.path, stated.line)
            continue
        if parsed.path not in lines:
            lines[parsed.path] = function_lines(root / parsed.path)
        yield TestPlace(node, parsed.path, lines[parsed.path].get(parsed.names))


def function_lines(path: Path) -> dict[tuple[str, ...], int]:
    """Return the line of each function by the names on the way to it; empty where unreadable."""
    try:
        tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return {}
    return dict(_functions(tree.body, ()))


def _functions(
    body: Sequence[ast.stmt], above: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], int]]:
    for statement in body:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            yield (*above, statement.name), statement.lineno
        elif isinstance(statement, ast.ClassDef):
            yield from _functions(statement.body, (*above, statement.name))
