"""What the controller must say of each of its rules, by the runs so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from pytest_rollout import Reported
from suites.eros.views.conditions import AUTOMATIC, FIVE_MINUTES, Outcome, mean, p95
from suites.eros.views.figures import differs

QUIET = {"active": False, "alerted": False, "reason": None, "at": None, "by": None}


@dataclass(frozen=True, slots=True)
class Figure:
    """What a rule looks at, of how many runs, and whether it holds; no value of too few runs."""

    value: Fraction | None
    runs: int
    holds: bool


def figures_of(runs: Sequence[Outcome]) -> Mapping[str, Figure]:
    """The rules of the automatic table, after the last of some runs."""
    ten, twenty = runs[-10:], runs[-20:]
    lately = [run for run in runs if run.at > runs[-1].at - FIVE_MINUTES]
    looked = lately if len(lately) >= 7 else ten
    judged = len(lately) >= 7 or len(ten) == 10
    rolling = twenty if len(twenty) == 20 else runs[-1:]
    slowest = p95([run.seconds for run in rolling]) if len(runs) >= 3 else None
    scores = mean(run.quality for run in ten if run.quality is not None)
    score = scores if len(ten) == 10 else None
    broke = Fraction(sum(run.violations > 0 for run in ten), 10) if len(ten) == 10 else None
    held = {name: bool(runs) and holds(runs, {}) for name, holds in AUTOMATIC.items()}
    success = Fraction(sum(run.ok for run in looked), len(looked)) if judged else None
    return {
        "success": Figure(success, len(looked), held["auto-success-rate"]),
        "latency": Figure(slowest, len(twenty), held["auto-latency"]),
        "gates": Figure(broke, len(ten), held["auto-gate-rate"]),
        "quality": Figure(score, len(ten), score is not None and score < 70),
    }


def mistold(rules: Reported, runs: Sequence[Outcome]) -> str:
    """What is said of a rule otherwise than by the runs; empty: nothing."""
    for name, due in figures_of(runs).items():
        said = rules.inner(name)
        if differs(said.number_or_none("value"), due.value):
            shown = "nothing" if due.value is None else f"{float(due.value):.4g}"
            return f"{name} is {said['value']}, by the runs {shown}"
        told = (said.whole("runs"), said.flag("evaluable"), said.flag("holds"))
        if told != (due.runs, due.value is not None, due.holds):
            return f"{name} says {told} of runs, evaluable and holds, by the runs {due}"
    return ""
