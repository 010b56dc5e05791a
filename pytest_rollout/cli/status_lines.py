"""`rollout status` as text: trips first, then who is next, then the phases in their order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pytest_rollout.model.plan import EMBEDDED, Gate, Plan
from pytest_rollout.model.verdict import Answer
from pytest_rollout.model.waiver import WaiverUse
from pytest_rollout.report.fact_words import count
from pytest_rollout.report.next_steps import Urgency

_MOST_TITLE = 32
_MOST_LEADING = 5
Row = Mapping[str, Any]


def of_plan(
    plan: Plan, environment: str, rows: Sequence[Row], drifts: Sequence[str]
) -> Iterator[str]:
    """Yield the lines of one plan."""
    yield f"{plan.id}: {plan.title} ({environment})"
    for trip in (trip for row in rows for trip in row["trips"]):
        yield f"  TRIPPED {trip}"
    for drift in drifts:
        yield f"  DRIFT {drift}"
    leading = _leading(rows)
    for number, (row, step) in enumerate(leading, 1):
        yield f"  {number}. {row['phase']}: {step_words(step)}"
    widths = {
        key: min(_MOST_TITLE, max(len(row[key]) for row in rows)) for key in ("phase", "title")
    }
    yield from [""] * bool(leading)
    for row in rows:
        named = "  ".join(_cut(row[key], width) for key, width in widths.items())
        gates = "  ".join(_shown(row, gate.value) for gate in Gate)
        yield f"  {named}  {gates}"
        above = [number for number, (of, _) in enumerate(leading, 1) if of is row]
        steps = [
            step
            for step in row["next"]
            if step not in [leading_step for _, leading_step in leading]
        ]
        details = (*_details(row, environment), *_next(above, steps))
        yield from (f"    {words}" for words in details if words)


def _next(above: Sequence[int], steps: Sequence[Row]) -> Iterator[str]:
    if above:
        yield f"next: see {' and '.join(f'{number}.' for number in above)} above"
    yield from (f"next: {step_words(step)}" for step in steps)


def _cut(text: str, width: int) -> str:
    return text.ljust(width) if len(text) <= width else f"{text[: width - 1]}…"


def _leading(rows: Sequence[Row]) -> list[tuple[Row, Row]]:
    """What is wrong in the whole plan and who sees to it, worst first; empty for one phase."""
    if len(rows) < 2:
        return []  # the phase itself says it
    steps = [(row, step) for row in rows for step in row["next"]]
    due = [(row, step) for row, step in steps if urgency(step) < Urgency.OPEN]
    return sorted(due, key=lambda pair: urgency(pair[1]))[:_MOST_LEADING]


def urgency(step: Row) -> Urgency:
    """How bad it is that a next step was not taken."""
    return Urgency[step["urgency"].upper()]


def step_words(step: Row) -> str:
    """A next step in a line, with who takes it."""
    return f"{step['who']}: {step['do']}" if step["who"] else str(step["do"])


def _details(row: Row, environment: str) -> Iterator[str]:
    """What stands below the row of a phase."""
    release = f"release {row['release']}" if row["release"] else ""
    owners = f"owners: {', '.join(row['owners'])}" if row["owners"] else ""
    yield row["begun"] or row["ended"]
    yield row["freeze"]
    yield from row["overrides"]
    yield row["unidentified"]
    for gate, reasons in row["against"].items():
        yield from (f"{gate} is held: {why}" for why in reasons)
    yield row["watched"]
    yield from row["blind"]
    if environment != EMBEDDED:
        yield ", ".join(part for part in (release, owners) if part)
    if row["window"] != "no date" or row["opens"]:
        yield f"{row['window']}{'; ' * bool(row['opens'])}{row['opens']}"
    for gate in row["revalidate"]:
        yield f"to revalidate: {gate}"
    yield _noes(row)
    for gate in Gate:
        mutants = row[gate.value]["mutants"]
        yield f"{gate}: {mutants['words']}" if mutants else ""


def _noes(row: Row) -> str:
    """The days on which gates last refused in drills; ``never`` for a decided one that did not."""
    noes = []
    for gate in Gate:
        last = row[gate.value]["last_no"]
        if last:
            noes.append(f"{gate} {last['at'][:10]}{' (outdated)' * last['outdated']}")
        elif row[gate.value]["decision"]:
            noes.append(f"{gate} never")
    return f"last refused in a drill: {', '.join(noes)}" if noes else ""


def _shown(row: Row, gate: str) -> str:
    facts = row[gate]
    if facts["decision"] is None:
        return f"{gate} {'undecided' if facts['stated'] else 'no criteria'}"
    if facts["decided_at"] is None:  # the last full run decided nothing that counts
        return f"{gate} {facts['decision']} ({facts['reasons'][0]['reason']['text']})"
    said = f"{gate} {facts['decision']}"
    if facts["conditions"] and facts["decision"] == Answer.GO.value:
        said += f" +{count(len(facts['conditions']), 'condition')}"
    waived = sum(use["use"] == WaiverUse.APPLIED for use in facts["waivers"])
    if waived:
        said += f", {waived} waived"
    if facts["stand_ins"]:
        said += f", {count(len(facts['stand_ins']), 'stand-in')}"
    return said
