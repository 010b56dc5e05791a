"""The matrix of a drill, pure: which faults there are, and what became of each."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.drill import Cell, DrillOutcome, FaultRow, Rehearsal
from pytest_rollout.model.fault import Fault
from pytest_rollout.model.plan import Gate, Phase
from pytest_rollout.model.verdict import Verdict
from pytest_rollout.report.text import word

_GOOD = (Verdict.PASS, Verdict.WARN)
_QUIET = (*_GOOD, Verdict.NOT_APPLICABLE)
_UNMEASURED = (Verdict.ERROR, Verdict.MISSING)


@dataclass(frozen=True, slots=True)
class Named:
    """A fault, and the criteria and guardrails that name it, with their gates."""

    fault: str
    by: Mapping[str, Gate]


def named(phase: Phase) -> tuple[Named, ...]:
    """The faults that a phase names, in the plan's order."""
    gates: dict[str, dict[str, Gate]] = {}
    for criterion in phase.criteria:
        for fault in criterion.faults:
            gates.setdefault(fault, {})[criterion.id] = criterion.gate
    for guardrail in phase.guardrails:
        for fault in guardrail.faults:
            gates.setdefault(fault, {})[guardrail.id] = Gate.EXIT
    return tuple(Named(fault, by) for fault, by in gates.items())


def matches(wanted: str, fault: str) -> bool:
    """Whether a fault is the wanted one: the same text, or its name alone."""
    parsed = Fault.parse(fault)
    return wanted == parsed.name or str(Fault.parse(wanted)) == str(parsed)


def sample(faults: Sequence[Named], size: int, seed: int) -> tuple[Named, ...]:
    """A few of the faults, in the plan's order; the same for the same seed.

    Seeds in a row take turns: after ``ceil(len(faults) / size)`` of them each fault was taken.
    """
    if size >= len(faults):
        return tuple(faults)
    # By digest, so that neighbours in the plan, which are often alike, are not taken together.
    order = sorted(faults, key=lambda fault: hashlib.sha256(fault.fault.encode()).digest())
    first = seed * size
    taken = {order[(first + step) % len(order)].fault for step in range(size)}
    return tuple(fault for fault in faults if fault.fault in taken)


def provable(fault: Named, healthy: Rehearsal) -> bool:
    """Whether planting a fault can prove anything: what names it passes without it."""
    return any(healthy.verdicts.get(name) in _GOOD for name in fault.by)


def row(fault: Named, healthy: Rehearsal, faulty: Rehearsal) -> FaultRow:
    """What a fault did, by a rehearsal without it and one with it."""
    passed = [name for name, verdict in healthy.verdicts.items() if verdict in _GOOD]
    left = {
        name: verdict
        for name, verdict in faulty.verdicts.items()
        if name in passed and verdict not in _QUIET
    }
    judged = [n for n in passed if n in faulty.verdicts and n not in healthy.guardrails]
    collapsed = bool(judged) and all(name in left for name in judged)
    dead = collapsed and all(left[name] in _UNMEASURED for name in judged)
    return FaultRow(
        fault=fault.fault,
        cells=tuple(
            _cell(name, gate, healthy, faulty, dead=dead) for name, gate in fault.by.items()
        ),
        collateral={name: verdict for name, verdict in left.items() if name not in fault.by},
        answers=faulty.answers,
        collapsed=collapsed,
        seconds=faulty.seconds,
    )


def _cell(name: str, gate: Gate, healthy: Rehearsal, faulty: Rehearsal, *, dead: bool) -> Cell:
    without, verdict = healthy.verdicts.get(name), faulty.verdicts.get(name)
    outcome, because = (
        DrillOutcome.CAUGHT,
        faulty.reasons.get(name) or healthy.reasons.get(name, ""),
    )
    if healthy.trouble:
        outcome, because = DrillOutcome.UNPROVEN, f"without the fault: {healthy.trouble}"
    elif without is Verdict.NOT_APPLICABLE:
        outcome = DrillOutcome.NOT_APPLICABLE
    elif without not in _GOOD:
        says = word(without) if without else "not judged"
        why = f": {healthy.reasons[name]}" if healthy.reasons.get(name) else ""
        outcome, because = DrillOutcome.UNPROVEN, f"without the fault it is {says}{why}"
    elif faulty.trouble or verdict is None:
        outcome, because = DrillOutcome.NOT_RUN, faulty.trouble or "it was not judged"
    elif verdict in _QUIET:
        outcome = DrillOutcome.MISSED
    elif dead:
        outcome = DrillOutcome.COLLAPSED
    return Cell(name, gate, outcome, verdict, because)
