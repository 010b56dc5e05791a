"""The share that was noticed, with its bounds."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from pytest_rollout.model.mutants import Mutant, MutantOutcome
from pytest_rollout.model.mutation import (
    HealthyPhase,
    MutantResult,
    MutationDrill,
    Notice,
    Score,
    Trial,
    Weight,
    exit_status,
    gate_score,
    score,
    wilson,
)
from pytest_rollout.model.plan import Gate
from pytest_rollout.model.verdict import Verdict

MUTANT = Mutant("app.py:1", "app.py", 1, "number", "1", "2", 0, 1, "2")
STATED = {Gate.ENTRY: ("ready",), Gate.EXIT: ("sweet", "loud")}


@given(st.integers(1, 2000), st.data())
def test_the_bounds_are_wilsons(asked: int, data: st.DataObject) -> None:
    noticed = data.draw(st.integers(0, asked))
    theirs = binomtest(noticed, asked).proportion_ci(method="wilson")
    assert wilson(noticed, asked) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


def test_the_bounds_of_one_known_case() -> None:
    low, high = wilson(186, 200)
    assert (round(low, 4), round(high, 4)) == (0.8859, 0.9578)
    assert wilson(0, 5)[0] == 0.0
    assert wilson(5, 5)[1] == 1.0


def result(outcome: MutantOutcome, *trials: Trial) -> MutantResult:
    return MutantResult(MUTANT, outcome, trials)


def trial(*names: str, gate: Gate = Gate.EXIT, through: tuple[str, ...] = ()) -> Trial:
    notices = (Notice(name, gate, Weight.HARD, Verdict.FAIL, "") for name in names)
    return Trial("one", tuple(notices), through)


def drill(*results: MutantResult, stopped: str = "") -> MutationDrill:
    phase = HealthyPhase("one", stated=STATED)
    return MutationDrill("p", "d", (phase,), (), 9, len(results), 0, results, stopped=stopped)


def test_only_what_a_gate_could_notice_is_asked() -> None:
    assert score(map(result, MutantOutcome)) == Score(1, 4)
    assert Score(0, 0).share is None
    assert Score(0, 0).bounds is None


def test_a_gate_is_asked_about_what_its_own_criteria_ran_through() -> None:
    seen = drill(
        result(MutantOutcome.HARD, trial("sweet", through=("sweet",))),
        result(MutantOutcome.HARD, trial("ready", gate=Gate.ENTRY, through=("ready", "loud"))),
        result(MutantOutcome.HARD, trial("run.release")),
        result(MutantOutcome.SURVIVED, trial(through=("loud",))),
        result(MutantOutcome.SURVIVED, replace(trial(through=("loud",)), phase="two")),
        result(MutantOutcome.SURVIVED, replace(trial(through=("loud",)), collapsed=True)),
        result(MutantOutcome.BROKEN, trial(through=("loud",))),
    )
    assert gate_score(seen, "one", Gate.EXIT) == Score(2, 4)
    assert gate_score(seen, "one", Gate.ENTRY) == Score(1, 1)


def test_the_exit_status_says_whether_enough_was_noticed() -> None:
    seen = drill(*[result(MutantOutcome.HARD)] * 9, result(MutantOutcome.SURVIVED))
    assert exit_status(seen, None) == 0
    assert exit_status(seen, 0.9) == 0
    assert exit_status(seen, 0.91) == 10
    assert exit_status(replace(seen, stopped="stopped by Ctrl-C"), 0.5) == 11
    assert exit_status(replace(seen, chosen=11), 0.5) == 11
    assert exit_status(replace(seen, phases=(HealthyPhase("one", trouble="hm"),)), 0.5) == 11
    assert exit_status(drill(result(MutantOutcome.BROKEN)), None) == 11
