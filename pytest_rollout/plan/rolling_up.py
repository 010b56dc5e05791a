"""`rolls_up`: findings of other gates that a criterion reads.

Gates are decided in the plan's order, the entry of a phase before its exit, so that what a
criterion names must stand before its own gate. That leaves no circles.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from pytest_rollout.model.plan import Criterion, Gate, Phase, Plan, RollsUp, Severity
from pytest_rollout.plan.reader import Reader, nearest
from pytest_rollout.plan.spec.criterion_keys import CriterionKeys

_FIX = "rolls_up: [PHASE.CRITERION, PHASE/exit]"


def read_rolls_up(reader: Reader) -> tuple[RollsUp, ...]:
    """What a criterion names; in which gate a criterion is found shows when all were read."""
    line = reader.line_of(CriterionKeys.rolls_up)
    words = reader.get(CriterionKeys.rolls_up) or ()
    named: list[RollsUp] = []
    for word in dict.fromkeys(words):
        if words.count(word) > 1:
            reader.problem(line, f"{reader.what}: `rolls_up` states {word} twice")
        rolls_up = _named(word)
        if rolls_up is None:
            problem = f"{reader.what}: `rolls_up`: {word!r:.80} is no criterion and no gate"
            reader.problem(line, problem, _FIX)
        else:
            named.append(rolls_up)
    if reader.has(CriterionKeys.rolls_up) and not words:
        reader.problem(line, f"{reader.what}: `rolls_up` names nothing", _FIX)
    if named and reader.has(CriterionKeys.of):
        fix = "state them as two criteria"
        reader.problem(line, f"{reader.what}: `rolls_up` with `of`", fix)
    return tuple(named)


def _named(word: str) -> RollsUp | None:
    phase, slash, gate = word.partition("/")
    if slash:
        return RollsUp(phase, Gate(gate)) if phase and gate in tuple(Gate) else None
    phase, _, criterion = word.partition(".")
    whole = phase and criterion and "." not in criterion
    return RollsUp(phase, Gate.EXIT, criterion) if whole else None


def resolved(reader: Reader, phases: Sequence[Phase]) -> tuple[Phase, ...]:
    """The phases with each name led to its gate; what cannot be is an offence."""
    return tuple(
        replace(
            phase,
            criteria=tuple(
                _resolved(reader, phases, phase, criterion) for criterion in phase.criteria
            ),
        )
        for phase in phases
    )


def with_dues(phases: Sequence[Phase]) -> tuple[Phase, ...]:
    """Return the phases with the soft criteria of others that are due at their gates."""
    due = [
        (criterion.due_gate, RollsUp(phase.id, criterion.gate, criterion.id))
        for phase in phases
        for criterion in phase.criteria
        if criterion.due_gate and criterion.severity is Severity.SOFT
    ]
    return tuple(
        replace(
            phase,
            dues=tuple(
                (gate.gate, rolls_up)
                for gate, rolls_up in due
                if gate.gate and gate.phase == phase.id
            ),
        )
        for phase in phases
    )


def due_gates(reader: Reader, plan: Plan) -> None:
    """Report conditions due at a gate that never asks: of no phase, or of another plan."""
    for _, criterion in plan.criteria():
        due = criterion.due_gate
        if due and due.plan != plan.id:
            reader.problem(
                criterion.line,
                f"criterion {criterion.id}: `due` names a gate of another plan, `{due.plan}`, "
                "which does not ask for it",
                f"name a gate of {plan.id}, or the last day",
            )
        elif due and due.plan == plan.id and plan.phase(due.phase) is None:
            reader.problem(
                criterion.line,
                f"criterion {criterion.id}: `due` names unknown phase `{due.phase}`",
                nearest(due.phase, [phase.id for phase in plan.phases]),
            )


def _resolved(
    reader: Reader, phases: Sequence[Phase], phase: Phase, criterion: Criterion
) -> Criterion:
    if not criterion.rolls_up:
        return criterion
    led = tuple(_led(phases, rolls_up) for rolls_up in criterion.rolls_up)
    for rolls_up in led:
        for problem, fix in _offences(phases, phase, criterion, rolls_up):
            reader.problem(criterion.line, f"criterion {criterion.id}: `rolls_up`: {problem}", fix)
    return replace(criterion, rolls_up=led)


def _led(phases: Sequence[Phase], rolls_up: RollsUp) -> RollsUp:
    stated = [
        criterion
        for phase in phases
        if phase.id == rolls_up.phase
        for criterion in phase.criteria
        if criterion.id == rolls_up.criterion
    ]
    return replace(rolls_up, gate=stated[0].gate) if stated else rolls_up


def _offences(
    phases: Sequence[Phase], phase: Phase, criterion: Criterion, rolls_up: RollsUp
) -> Iterator[tuple[str, str]]:
    named = next((known_phase for known_phase in phases if known_phase.id == rolls_up.phase), None)
    if named is None:
        yield (
            f"unknown phase `{rolls_up.phase}`",
            nearest(rolls_up.phase, [known_phase.id for known_phase in phases]),
        )
        return
    known = [named_criterion.id for named_criterion in named.criteria]
    if rolls_up.criterion is not None and rolls_up.criterion not in known:
        problem = f"phase {named.id} has no criterion `{rolls_up.criterion}`"
        yield problem, nearest(rolls_up.criterion, known)
        return
    if rolls_up.criterion is None and not named.of(rolls_up.gate):
        yield f"{rolls_up.name} states no criterion, so it is never GO", "name a gate that can be"
        return
    order = _order(phases)
    mine, theirs = order[phase.id, criterion.gate], order[named.id, rolls_up.gate]
    if mine == theirs:
        yield f"{rolls_up.name} belongs to its own gate", "make a group of it, as of: [CRITERION]"
    elif theirs > mine and (phase.id, criterion.gate) in _reached(
        phases, (named.id, rolls_up.gate)
    ):
        problem = f"{rolls_up.name} and {phase.id}/{criterion.gate} roll up each other, in a circle"
        yield problem, "leave out one of the two"
    elif theirs > mine:
        problem = f"{rolls_up.name} is decided after {phase.id}/{criterion.gate}"
        yield problem, f"gates are decided in the plan's order: state phase {phase.id} later"


def _order(phases: Sequence[Phase]) -> dict[tuple[str, Gate], int]:
    places = ((phase.id, gate) for phase in phases for gate in (Gate.ENTRY, Gate.EXIT))
    return {place: number for number, place in enumerate(places)}


def _reached(phases: Sequence[Phase], start: tuple[str, Gate]) -> set[tuple[str, Gate]]:
    """Every gate that a gate reads, through all levels."""
    names = {
        (phase.id, gate): [
            (led.phase, led.gate)
            for criterion in phase.of(gate)
            for led in (_led(phases, rolls_up) for rolls_up in criterion.rolls_up)
        ]
        for phase in phases
        for gate in Gate
    }
    reached: set[tuple[str, Gate]] = set()
    todo = [start]
    while todo:
        further = set(names.get(todo.pop(), ())) - reached
        reached |= further
        todo += further
    return reached
