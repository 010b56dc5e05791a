"""Whether what a plan names is there: what it serves, its faults, its locustfiles."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from pytest_rollout.extras import install, missing
from pytest_rollout.load.locustfiles import locustfile_problems
from pytest_rollout.model.errors import RolloutError
from pytest_rollout.model.fault import Fault
from pytest_rollout.model.plan import EMBEDDED, Plan
from pytest_rollout.model.spelling import nearest

Offence = tuple[int, str]  # the line, and what is wrong


def offences(plan: Plan, root: Path) -> list[str]:
    """Return what is wrong with `serve`, `faults` and locustfiles; imports what a plan serves.

    The import is in a process of its own, as that of the tests is. Without uvicorn nothing is
    served, and `unserved` says so.
    """
    unread = list(locustfile_problems(plan, root))
    if missing("uvicorn"):
        return unread
    known, offending = _known(plan, root)
    if not offending:
        offending = list(_unknown(plan, known))
    return [*unread, *(f"{plan.path}:{line}: {problem}" for line, problem in offending)]


def unserved(plans: Iterable[Plan]) -> list[str]:
    """Return a note for each plan that serves what cannot be asked, for want of a library."""
    library = missing("uvicorn")
    note = f"what it serves was not imported: {library} is not installed: {install('targets')}"
    served = {
        plan.path: [target.serve for target in plan.environments[EMBEDDED].targets.values()]
        for plan in plans
    }
    return [f"{path}: {note}" for path, apps in served.items() if library and any(apps)]


def _known(plan: Plan, root: Path) -> tuple[set[str], list[Offence]]:
    """The faults of all targets of the rehearsal, and which of these cannot be imported."""
    from pytest_rollout.targets.launch import known_faults

    known: set[str] = set()
    offending: list[Offence] = []
    for target in plan.environments[EMBEDDED].targets.values():
        try:
            known |= set(known_faults(target.serve, root)) if target.serve else set()
        except RolloutError as error:
            offending.append((target.line, f"target {target.name} of {EMBEDDED}: {error}"))
    return known, offending


def _unknown(plan: Plan, known: set[str]) -> Iterator[Offence]:
    people = {Fault.parse(name).name for name in plan.faults_of_people()}
    for who, line, faults in _naming(plan):
        for name in (Fault.parse(fault).name for fault in faults):
            if name not in known | people:
                fix = nearest(name, known | people, "see `rollout targets` for what is known")
                yield line, f"{who}: no target knows the fault `{name}` ({fix})"


def _naming(plan: Plan) -> Iterator[tuple[str, int, tuple[str, ...]]]:
    for phase in plan.phases:
        for criterion in phase.criteria:
            yield f"criterion {criterion.id}", criterion.line, criterion.faults
        for guardrail in phase.guardrails:
            yield f"guardrail {guardrail.id}", guardrail.line, guardrail.faults
