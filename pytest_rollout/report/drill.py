"""Drills as text and markdown: the matrix of faults and of what noticed them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain

from pytest_rollout.model.drill import Cell, Drill, DrillOutcome, FaultRow, LastNo, exit_status
from pytest_rollout.model.plan import Address
from pytest_rollout.report.escaping import code, plain, row, table
from pytest_rollout.report.text import count, moment, word

_VERDICTS = {
    0: "every fault was caught",
    10: "a fault was MISSED",
    11: "what the gates can see could not be proven",
}
_UNSAID = "every criterion left pass"


def last_no(last: LastNo | None, gate: Address) -> str:
    """When a gate last said no, in one sentence for its reports."""
    if last is None:
        return (
            f"never drilled: nobody has shown that this gate can refuse (rollout drill {gate.name})"
        )
    release = f"release {last.release}, " if last.release else ""
    old = ", outdated: the plan was changed since" if last.outdated else ""
    by = f"{release}plan {last.plan_digest[:12]}{old}"
    return f"last refused {moment(last.at)}, {last.answer.value} in a drill of {last.fault} ({by})"


def summary(drills: Sequence[Drill]) -> str:
    """The last word of some drills: how many pairs of fault and criterion came to what."""
    cells = tuple(chain.from_iterable(drill.cells for drill in drills))
    if not cells:
        return "nothing was drilled: no criterion names a fault"
    counts = {outcome: sum(cell.outcome is outcome for cell in cells) for outcome in DrillOutcome}
    tally = ", ".join(f"{n} {outcome.value}" for outcome, n in counts.items() if n)
    faults = count(sum(len(drill.rows) for drill in drills), "fault")
    return f"{_VERDICTS[exit_status(cells)]}: {faults}, {tally}"


def lines(drill: Drill) -> Iterator[str]:
    """The matrix of a phase for a terminal."""
    release = f", release {drill.healthy.release}" if drill.healthy.release else ""
    yield f"{drill.address}{release}: {count(len(drill.rows), 'fault')}"
    width = max((len(drilled.fault) for drilled in drill.rows), default=0)
    for drilled in drill.rows:
        for number, cell in enumerate(drilled.cells):
            verdict = f" ({word(cell.verdict)})" if cell.verdict else ""
            fault = drilled.fault if number == 0 else ""
            why = f": {cell.because}" if _asks(cell) and cell.because else ""
            yield f"  {fault.ljust(width)}  {cell.outcome.value:9}  {cell.id}{verdict}{why}"
        for said in _beside(drilled):
            yield f"  {''.ljust(width)}  {said}"
    if drill.left_out:
        yield f"  left out: {', '.join(drill.left_out)}"


def to_markdown(drills: Sequence[Drill]) -> str:
    """The drills of a plan as markdown, the answer first."""
    parts = [f"# Drill: {plain(summary(drills))}"]
    for drill in drills:
        healthy = drill.healthy
        answers = ", ".join(f"{gate} {answer.value}" for gate, answer in healthy.answers.items())
        facts = [f"Without a fault: {plain(healthy.trouble or answers)}."]
        if healthy.release:
            facts.append(f"Release {plain(healthy.release)}.")
        facts.append(f"Plan digest {code(drill.plan_digest)}.")
        parts += [f"## {code(str(drill.address))}", " ".join(facts), "\n".join(_table(drill))]
        if drill.left_out:
            parts.append(f"Left out: {', '.join(map(code, drill.left_out))}.")
    return "\n\n".join(parts) + "\n"


def _table(drill: Drill) -> Iterator[str]:
    yield from table("Fault", "Must notice it", "Outcome", "Verdict", "Because", "Gates", "Beside")
    for drilled in drill.rows:
        answers = ", ".join(f"{gate} {answer.value}" for gate, answer in drilled.answers.items())
        for cell in drilled.cells:
            yield row(
                code(drilled.fault),
                code(cell.id),
                f"**{cell.outcome.value}**" if _asks(cell) else cell.outcome.value,
                word(cell.verdict) if cell.verdict else "",
                plain(cell.because),
                answers,
                plain("; ".join(_beside(drilled))),
            )


def _asks(cell: Cell) -> bool:
    """Whether somebody must look at it."""
    return cell.outcome not in (DrillOutcome.CAUGHT, DrillOutcome.NOT_APPLICABLE)


def _beside(drilled: FaultRow) -> Iterator[str]:
    """What else a fault did."""
    if drilled.collapsed:
        yield _UNSAID
    elif drilled.collateral:
        names = (f"{name} ({word(verdict)})" for name, verdict in drilled.collateral.items())
        yield f"also left pass: {', '.join(names)}"
