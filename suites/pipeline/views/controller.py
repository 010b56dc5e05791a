"""What the rollback controller would do of given facts, held against the plan."""

from __future__ import annotations

import json
import random
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pytest_rollout import NoValueError, Reported

BEGIN = datetime(2026, 1, 12, tzinfo=UTC)
FOUR = 4  # runs of the window of 1.1
SEED = 11


@dataclass(frozen=True)
class Case:
    """Facts, and the decision that the plan makes of them."""

    facts: Mapping[str, Any]
    decision: str
    warns: bool | None = None  # whether anything bad is among them; None: not asked

    @property
    def words(self) -> str:
        """The facts in a line."""
        runs = self.facts.get("runs")
        if runs:
            return "runs " + "".join(str(run["failed"]) for run in runs)
        return ", ".join(f"{name} {value}" for name, value in self.facts.items() if name != "rule")


def answers(commands: Path, cases: Sequence[Case]) -> list[Reported]:
    """What the controller says of each case; raises NoValueError where it is not there."""
    program = commands / "pipeline-rollback"
    if not program.is_file():
        raise NoValueError(f"there is no pipeline-rollback in {commands}")
    lines = "".join(json.dumps(dict(case.facts)) + "\n" for case in cases)
    said = run_program(program, lines)
    return [
        Reported(json.loads(line), "pipeline-rollback")
        for line in said.splitlines()
        if line.strip()
    ]


def run_program(program: Path, text: str) -> str:
    """What a program prints of what it reads."""
    done = subprocess.run([program], input=text, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, (
        f"{program.name} ended with {done.returncode}: {done.stderr[-200:]}"
    )
    return done.stdout


def errors(commands: Path, cases: Sequence[Case]) -> Iterator[tuple[Case, bool, str]]:
    """Each case, whether the controller decides otherwise, and what it decides."""
    given = answers(commands, cases)
    assert len(given) == len(cases), f"{len(given)} decisions of {len(cases)} cases"
    for case, said in zip(cases, given, strict=True):
        decision = said.text("decision")
        otherwise = case.warns is not None and said["warning"] is not case.warns
        yield case, decision != case.decision or otherwise, decision


def run_sequences() -> list[Case]:
    """Sequences of runs: every one of up to five, and long ones with a failure here and there."""
    sequences = [
        [number >> place & 1 for place in range(length)]
        for length in range(1, 6)
        for number in range(2**length)
    ]
    drawn = random.Random(SEED)
    for length in (8, 12, 24):
        sequences += [[0] * length, [1, *[0] * (length - 1)], [*[0] * (length - 1), 1]]
        sequences += [[int(drawn.random() < 0.1) for _ in range(length)] for _ in range(6)]
    cases = [Case(_runs(failed), _of_four(failed), any(failed[-FOUR:])) for failed in sequences]
    # The newest runs count, in whichever order they are told.
    told = [{**case.facts, "runs": case.facts["runs"][::-1]} for case in cases]
    return [*cases, *(replace(case, facts=facts) for case, facts in zip(cases, told, strict=True))]


def _runs(failed: Sequence[int]) -> dict[str, Any]:
    runs = [
        {"at": (BEGIN + timedelta(hours=2 * place)).isoformat(), "failed": count}
        for place, count in enumerate(failed)
    ]
    return {"rule": "assignment-failure-rate", "runs": runs}


def _of_four(failed: Sequence[int]) -> str:
    if len(failed) < FOUR:
        return "insufficient"
    return "rollback" if any(failed[-FOUR:]) else "none"


def item_counts() -> list[Case]:
    """Both sides of a tenth of the issues, and of the first finding."""
    told = [
        (10, 1, 0, "none"),
        (11, 2, 0, "rollback"),
        (15, 2, 0, "rollback"),
        (20, 2, 0, "none"),
        (20, 3, 0, "rollback"),
        (40, 4, 0, "none"),
        (9, 9, 0, "insufficient"),
        (1, 1, 0, "insufficient"),
        (20, 0, 0, "none"),
        (20, 0, 1, "rollback"),
        (10, 1, 1, "rollback"),
    ]
    rule = "processing-failure-rate"
    return [
        Case(
            {"rule": rule, "items": items, "failed": failed, "findings": findings},
            decision,
            failed + findings > 0,
        )
        for items, failed, findings, decision in told
    ]


def daily_runs() -> list[Case]:
    """Both sides of fifteen and of thirty minutes, and of the first conflict."""
    told = [
        (10.0, 0, "none"),
        (15.0, 0, "none"),
        (15 + 1 / 60, 0, "hold"),
        (16.0, 0, "hold"),
        (30.0, 0, "hold"),
        (30 + 1 / 60, 0, "rollback"),
        (45.0, 0, "rollback"),
        (10.0, 1, "rollback"),
        (20.0, 1, "rollback"),
    ]
    return [
        Case(
            {"rule": "daily", "minutes": minutes, "conflicts": conflicts},
            decision,
            decision != "none",
        )
        for minutes, conflicts, decision in told
    ]
