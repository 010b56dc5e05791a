"""What the suite counts by itself agrees with the rules of the plan, example by example."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest

from suites.eros.views.conditions import Outcome, held
from tests.eros.test_guardrails import WHERE, blocks
from tests.judge.test_guardrail_examples import seconds

BEGIN = datetime(2026, 1, 5, tzinfo=UTC)
COUNTED: dict[
    str, Callable[[float], dict[str, Any]]
] = {  # metric of the examples: what it makes of a run
    "shadow_failure": lambda value: {"ok": not value},
    "hard_gate_regression": lambda value: {"regression": bool(value)},
    "hard_gate_violations": lambda value: {"violations": int(value)},
    "hard_gate_violated": lambda value: {"violations": int(value)},
    "v5_success": lambda value: {"ok": bool(value)},
    "v5_latency_s": lambda value: {"seconds": Fraction(str(value))},
    "quality_score": lambda value: {"quality": Fraction(str(value))},
}
HEALTHY: dict[str, Any] = {
    "ok": True,
    "seconds": Fraction(75),
    "quality": None,
    "violations": 0,
    "regression": False,
}


def outcomes(metric: str, series: list[Any]) -> list[Outcome]:
    """The runs of an example, none of them from before the begin and none twice."""
    found: dict[tuple[datetime, str], Outcome] = {}
    for t, value, *more in series:
        labels, options = (*more, {}, {})[:2]
        for number in range(options.get("repeat", 1)):
            at = BEGIN + timedelta(seconds=seconds(t) + number * options.get("every", 60))
            creator = labels.get("creator", "alexia")
            run = Outcome(at, creator, **{**HEALTHY, **COUNTED[metric](value)})
            if at >= BEGIN:
                found[at, creator] = run
    return list(found.values())


def examples() -> Iterator[Any]:
    for block in blocks():
        metric, (name, phases) = block["reads"]["metric"], WHERE[block["rule"]]
        if metric not in COUNTED:
            continue
        for example in block["examples"]:
            whole = all(isinstance(entry[1], int | float) for entry in example["series"])
            late = any("seen" in entry[3] for entry in example["series"] if len(entry) > 3)
            if whole and not late and example["series"]:
                named = f"{block['rule']}-{example['name']}"
                yield pytest.param(phases[0], name, metric, example, id=named)


@pytest.mark.parametrize(("phase", "name", "metric", "example"), list(examples()))
def test_a_condition_holds_where_the_guardrail_trips(
    phase: str, name: str, metric: str, example: dict[str, Any]
) -> None:
    before = {who: Fraction(str(score)) for who, score in example.get("baseline", {}).items()}
    runs = outcomes(metric, example["series"])
    lumped = "of one creator" if phase == "early_adopters" and name.startswith("gr-") else name
    since = [run.at for run, names in held(phase, runs, before) if lumped in names]
    assert bool(since) == (example["expect"] == "tripped"), example["why"]
    if "first_trip" in example:
        assert since[0] == BEGIN + timedelta(seconds=seconds(example["first_trip"]))
