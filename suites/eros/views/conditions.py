"""The rollback conditions of each phase, computed from single runs of v5."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

FIVE_MINUTES = timedelta(minutes=5)
SERVING = ("canary", "early_adopters", "percent25", "percent50", "percent75", "cutover", "final")


@dataclass(frozen=True, slots=True)
class Outcome:
    """A run of v5 as conditions see it, before any fallback."""

    at: datetime
    creator: str
    ok: bool
    seconds: Fraction
    quality: Fraction | None  # none where the run failed
    violations: int
    regression: bool = False  # v4 kept the gate that v5 broke on the same input


Baseline = Mapping[str, Fraction]  # creator to the mean quality of v4
Condition = Callable[[Sequence[Outcome], Baseline], bool]  # of the runs so far, the newest last


def mean(values: Iterable[Fraction]) -> Fraction | None:
    """The exact mean; None of nothing."""
    held = list(values)
    return sum(held, Fraction(0)) / len(held) if held else None


def p95(values: Sequence[Fraction]) -> Fraction:
    """The 95th percentile, nearest rank."""
    return sorted(values)[math.ceil(Fraction(95, 100) * len(values)) - 1]


def _share(runs: Sequence[Outcome], good: Callable[[Outcome], bool]) -> Fraction:
    return Fraction(sum(map(good, runs)), len(runs))


def _ok(run: Outcome) -> bool:
    return run.ok


def shadow_failures(runs: Sequence[Outcome], _: Baseline) -> bool:
    """Whether more than a fifth of 20 or more shadow runs failed."""
    return len(runs) >= 20 and _share(runs, _ok) < Fraction(4, 5)


def regression(runs: Sequence[Outcome], _: Baseline) -> bool:
    """Whether v5 broke a hard gate that v4 kept."""
    return any(run.regression for run in runs)


def violation(runs: Sequence[Outcome], _: Baseline) -> bool:
    """Whether any run broke a hard gate."""
    return any(run.violations for run in runs)


def canary_success(runs: Sequence[Outcome], _: Baseline) -> bool:
    """Whether fewer than 90 % of the last 20 succeeded; 10 are enough to say so."""
    return len(runs) >= 10 and _share(runs[-20:], _ok) < Fraction(9, 10)


def low_quality(runs: Sequence[Outcome], _: Baseline) -> bool:
    """Whether the last ten scores are under 70 on average."""
    scores = [run.quality for run in runs if run.quality is not None]
    average = mean(scores[-10:])
    return len(scores) >= 10 and average is not None and average < 70


def any_creator(runs: Sequence[Outcome], baseline: Baseline) -> bool:
    """Whether one creator alone breaks a hard gate, fails too often, or loses over ten points."""
    apart: dict[str, list[Outcome]] = defaultdict(list)
    for run in runs:
        apart[run.creator].append(run)
    return any(
        violation(own, baseline) or canary_success(own, baseline) or _fell(own, baseline)
        for own in apart.values()
    )


def _fell(own: Sequence[Outcome], baseline: Baseline) -> bool:
    scores = [run.quality for run in own if run.quality is not None]
    before, now = baseline.get(own[-1].creator), mean(scores[-10:])
    return len(scores) >= 10 and before is not None and now is not None and now - before < -10


def auto_success(runs: Sequence[Outcome], _: Baseline) -> bool:
    """Whether under 85 % succeeded in five minutes with seven runs, else in the last ten."""
    newest = runs[-1].at
    lately = [run for run in runs if run.at > newest - FIVE_MINUTES]
    looked = lately if len(lately) >= 7 else runs[-10:] if len(runs) >= 10 else ()
    return bool(looked) and _share(looked, _ok) < Fraction(85, 100)


def auto_latency(runs: Sequence[Outcome], _: Baseline) -> bool:
    """Whether the rolling 95th percentile is over 180 s three runs in a row."""
    looks = [runs[: len(runs) - back] for back in range(3) if len(runs) > back]
    values = [
        p95([run.seconds for run in (look[-20:] if len(look) >= 20 else look[-1:])])
        for look in looks
    ]
    return len(values) == 3 and all(value > 180 for value in values)


def auto_gates(runs: Sequence[Outcome], _: Baseline) -> bool:
    """Whether more than one of the last ten runs broke a hard gate."""
    return len(runs) >= 10 and _share(runs[-10:], lambda run: run.violations > 0) > Fraction(1, 10)


AUTOMATIC: Mapping[str, Condition] = {
    "auto-success-rate": auto_success,
    "auto-latency": auto_latency,
    "auto-gate-rate": auto_gates,
    "gr-quality": low_quality,
}
SHADOW: Mapping[str, Condition] = {
    "gr-failure-rate": shadow_failures,
    "gr-gate-regression": regression,
}
CANARY: Mapping[str, Condition] = {
    "gr-gate-violation": violation,
    "gr-success-rate": canary_success,
    **AUTOMATIC,
}
ADOPTERS: Mapping[str, Condition] = {"of one creator": any_creator, **AUTOMATIC}


def of_phase(phase: str) -> Mapping[str, Condition]:
    """The conditions of a phase, by the names of its guardrails."""
    own = {"shadow": SHADOW, "canary": CANARY, "early_adopters": ADOPTERS}
    return own.get(phase, AUTOMATIC)


_OWN: Mapping[str, Mapping[str, Condition]] = {  # as the service names them
    "shadow": {"failures": shadow_failures, "regression": regression},
    "canary": {"success": canary_success, "gates": violation, "quality": low_quality},
    "early_adopters": {"success": canary_success, "gates": violation, "quality": _fell},
}


def holding(phase: str, runs: Sequence[Outcome], baseline: Baseline) -> set[str]:
    """The triggers of a phase's own that hold after some runs; of adopters, of any creator."""
    apart: dict[str, list[Outcome]] = defaultdict(list)
    for run in runs:
        apart[run.creator if phase == "early_adopters" else ""].append(run)
    own = _OWN[phase].items()
    return {name for name, met in own if any(met(each, baseline) for each in apart.values())}


def held(
    phase: str, runs: Sequence[Outcome], baseline: Baseline | None = None
) -> Iterator[tuple[Outcome, tuple[str, ...]]]:
    """Each run, oldest first, with the conditions that held once it had ended."""
    ordered = sorted(runs, key=lambda run: run.at)
    conditions = of_phase(phase)
    for place, run in enumerate(ordered, 1):
        so_far = ordered[:place]
        yield (
            run,
            tuple(name for name, is_met in conditions.items() if is_met(so_far, baseline or {})),
        )
