"""Day 2: demo hardening. Three demos, idempotent starts, rehearsals, KPI-gated completion."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_rollout import Observe, RanTests, Stage, kpi_slips
from suites.plms.scenarios.demos import DEMOS, PROMISES, Demonstrated, GatedRun
from suites.plms.scenarios.keyed_starts import START, Rehearsed, Starts
from suites.plms.views.portfolio import LANES, observe_slot

pytestmark = pytest.mark.day2

RATE = "test_pass_rate"
EXPECTED = Path(__file__).with_name("demos") / "expected"
quick = settings(max_examples=15, deadline=None, derandomize=True, database=None)
notes = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
bodies = st.fixed_dictionaries(
    {
        "run_kind": st.sampled_from(["baseline", "hotfix", "rehearsal", "replay"]),
        "lane_name": st.sampled_from(sorted(LANES)),
        "tags": st.just("demo"),
    },
    optional={
        "tasks": st.integers(1, 9),
        "task_seconds": st.integers(1, 3600),
        "budget_tokens": st.integers(1, 10**9),
        "write_sandbox": st.booleans(),
        "note": notes,
    },
)


# Every demo


@pytest.mark.parametrize(
    "demo",
    [pytest.param(demo, marks=pytest.mark.criterion(f"{demo}-exit-0")) for demo in DEMOS],
)
def test_demo_exits_with_0(demonstrated: Demonstrated, demo: str) -> None:
    shown = demonstrated.shown[demo]
    why = shown.trouble or (shown.text.strip().splitlines() or ["it said nothing"])[-1]
    assert shown.status == 0, f"{DEMOS[demo]} exits with {shown.status}, not 0: {why}"


@pytest.mark.criterion("all-demos-exit-0")
def test_all_demos_exit_with_0(demonstrated: Demonstrated, observe: Observe) -> None:
    for demo, shown in demonstrated.shown.items():
        observe("demo_failed", shown.status != 0, demo=demo)


@pytest.mark.criterion("no-manual-intervention")
@pytest.mark.parametrize("demo", DEMOS)
def test_demo_waits_for_nobody(demonstrated: Demonstrated, demo: str) -> None:
    shown = demonstrated.shown[demo]
    assert not shown.asked, f"{DEMOS[demo]} reads from its standard input, where nobody answers"
    assert not shown.trouble, f"{DEMOS[demo]}: {shown.trouble}"


@pytest.mark.criterion("output-matches")
@pytest.mark.parametrize("demo", DEMOS)
def test_demo_says_what_it_should(demonstrated: Demonstrated, demo: str, observe: Observe) -> None:
    shown = demonstrated.shown[demo]
    observe.attach(f"{demo}_output.txt", shown.text)
    expected = (EXPECTED / f"demo_{demo[-1]}.txt").read_text(encoding="utf-8")
    unlike = shown.unlike(expected)
    assert not unlike, f"{DEMOS[demo]} says something else: {' | '.join(unlike)}"


@pytest.mark.criterion("outputs-captured")
@pytest.mark.parametrize("demo", DEMOS)
def test_transcript_is_kept(demonstrated: Demonstrated, demo: str) -> None:
    kept = demonstrated.kept[demo]
    assert kept, f"{demo}_output.txt is missing or empty"
    shown = demonstrated.shown[demo]
    assert not shown.unlike(replace(shown, text=kept).masked), (
        f"{demo}_output.txt is not what {demo} says"
    )


@pytest.mark.criterion("outputs-archived")
def test_results_are_archived_together(demonstrated: Demonstrated) -> None:
    assert demonstrated.archive, "docs/PRDs holds no results of the day, or an empty file"
    without = [demo for demo, text in demonstrated.kept.items() if text not in demonstrated.archive]
    assert not without, f"the archived results lack {without}"


# Demo 1: a key stands for one start


@pytest.mark.criterion("demo1-first-call-submitted")
def test_the_first_call_is_submitted(keyed_starts: Starts) -> None:
    first = keyed_starts.first
    assert first.status == 200, f"the first start answers {first.status}, not 200"
    said = first.body.get("status")
    assert said == "submitted", f"the first start says {said!r}, not 'submitted'"


@pytest.mark.criterion("demo1-first-call-run-id")
def test_the_first_call_gives_a_run(keyed_starts: Starts) -> None:
    run = keyed_starts.first.id
    assert isinstance(run, str), f"the first start gives run_id {run!r}"
    assert run.strip(), "the first start gives an empty run_id"


@pytest.mark.criterion("demo1-first-call-not-replay")
def test_the_first_call_is_no_replay(keyed_starts: Starts) -> None:
    assert not keyed_starts.first.replay, "the first use of a key is flagged as a replay"


@pytest.mark.criterion("demo1-replay-flag")
def test_a_repeated_call_is_flagged(keyed_starts: Starts) -> None:
    assert keyed_starts.again.replay, "the repeated start has no Idempotent-Replay: true"


@pytest.mark.criterion("demo1-replay-same-run")
def test_a_repeated_call_gives_the_same_run(keyed_starts: Starts) -> None:
    first, again = keyed_starts.first.id, keyed_starts.again.id
    assert again == first, f"the same key gave run {first!r}, then {again!r}"


@pytest.mark.criterion("demo1-replay-no-side-effect")
def test_a_repeated_call_makes_no_run(keyed_starts: Starts) -> None:
    made = keyed_starts.made_by_again
    assert made == 0, f"the repeated start made {made} runs, allowed is none"


@pytest.mark.criterion("demo1-new-key-new-run")
def test_a_new_key_gives_a_new_run(keyed_starts: Starts) -> None:
    first, fresh = keyed_starts.first, keyed_starts.fresh
    assert fresh.accepted, f"the start with a new key answers {fresh.status}, run {fresh.id!r}"
    assert fresh.id != first.id, f"two keys gave the same run {first.id!r}"


@pytest.mark.criterion("demo1-replay-same-run")
@pytest.mark.effect("change")
@quick
@given(body=bodies)
def test_any_start_can_be_repeated(keyed_starts: Starts, body: dict[str, Any]) -> None:
    key = keyed_starts.starts.new_key()
    first, again = (keyed_starts.starts.ask(body, key) for _ in range(2))
    assert first.status == again.status == 200, f"answers {first.status}, then {again.status}"
    assert again.id == first.id, f"the same key gave run {first.id!r}, then {again.id!r}"


@pytest.mark.criterion("demo1-key-body-conflict")
@pytest.mark.effect("change")
@quick
@given(body=bodies, other=bodies)
def test_a_key_with_another_body_is_refused(
    keyed_starts: Starts, body: dict[str, Any], other: dict[str, Any]
) -> None:
    changed = other if other != body else {**other, "note": "another"}
    if changed != body:
        keyed_starts.starts.refuses(body, changed)


@pytest.mark.criterion("demo1-key-scoped-to-project")
@pytest.mark.effect("change")
def test_a_key_belongs_to_its_project(keyed_starts: Starts) -> None:
    keyed_starts.starts.separates(START, keyed_starts.other_path)


@pytest.mark.criterion("demo1-concurrent-same-key")
@pytest.mark.effect("change")
def test_simultaneous_starts_make_one_run(keyed_starts: Starts) -> None:
    keyed_starts.starts.survives(START, at_once=20)


@pytest.mark.criterion("demo1-key-required")
@pytest.mark.effect("change")
def test_a_start_needs_a_key(keyed_starts: Starts) -> None:
    keyed_starts.starts.demands_key(START)


# Demo 2: one percent stands for everything


@pytest.fixture
def canary(rehearsals: dict[int, Rehearsed]) -> Rehearsed:
    """The rehearsal of the project of demo 2."""
    return rehearsals[942]


@pytest.mark.criterion("demo2-rehearsal-pct")
def test_one_percent_is_asked_for(canary: Rehearsed) -> None:
    assert canary.requested == 0.01, f"the rehearsal is one of {canary.requested}, not 0.01"


@pytest.mark.criterion("demo2-strata-coverage")
def test_every_stratum_is_represented(canary: Rehearsed) -> None:
    assert canary.coverage == 1.0, f"strata_coverage is {canary.coverage}, not 1.0"


@pytest.mark.criterion("demo2-coverage-is-measured")
def test_coverage_is_that_of_the_sample(canary: Rehearsed) -> None:
    seen = canary.represented
    assert canary.coverage == seen, f"told is {canary.coverage}, the sample covers {seen}"


@pytest.mark.criterion("demo2-projected-tokens")
def test_the_projection_is_near_15000(canary: Rehearsed, observe: Observe) -> None:
    observe("projection_off", abs(canary.projected - 15_000) / 15_000)


@pytest.mark.criterion("demo2-extrapolation-consistent")
def test_the_projection_follows_from_the_sample(
    rehearsals: dict[int, Rehearsed], observe: Observe
) -> None:
    for project, one in rehearsals.items():
        follows = one.tokens / one.actual
        observe("extrapolation_off", abs(one.projected / follows - 1), project=project)


@pytest.mark.criterion("demo2-risk-score")
def test_the_risk_is_low(canary: Rehearsed, observe: Observe) -> None:
    observe("risk_score", canary.risk)


# Demo 3: red tests do not complete a run


def _ran(demonstrated: Demonstrated, number: str) -> RanTests:
    assert number in demonstrated.tests, f"phase {number} of demo 3 left no report of its tests"
    return demonstrated.tests[number]


def _gated(demonstrated: Demonstrated, number: int) -> GatedRun:
    found = demonstrated.gated
    assert len(found) >= number, f"demo 3 made {len(found)} runs, not 2"
    return found[number - 1]


@pytest.mark.criterion("demo3-failing-run-exits-1")
def test_failing_tests_exit_with_1(demonstrated: Demonstrated) -> None:
    ran = _ran(demonstrated, "1")
    assert ran.failed, f"none of {ran.ran} tests failed, though the project is broken"
    assert not ran.contradiction, f"phase 1: {ran.contradiction}"
    assert ran.status == 1, f"phase 1 exits with {ran.status}, not 1"


@pytest.mark.criterion("demo3-fixed-run-exits-0")
def test_mended_tests_exit_with_0(demonstrated: Demonstrated) -> None:
    ran = _ran(demonstrated, "2")
    assert not ran.contradiction, f"phase 2: {ran.contradiction}"
    assert ran.status == 0, f"phase 2 exits with {ran.status}, not 0"


@pytest.mark.criterion("demo3-validator-catches")
def test_the_validator_refuses_the_broken_run(demonstrated: Demonstrated) -> None:
    run, ran = _gated(demonstrated, 1), _ran(demonstrated, "1")
    value = run.value(RATE)
    assert value == float(ran.rate), f"the receipt says {value}, the tests {float(ran.rate)}"
    assert value < 0.95, f"the broken run has {RATE} {value}"
    assert not run.passed(RATE), f"the receipt of {RATE} {value} says passed"


@pytest.mark.criterion("demo3-failing-run-blocked")
def test_the_broken_run_is_not_completed(demonstrated: Demonstrated) -> None:
    run = _gated(demonstrated, 1)
    slips = kpi_slips(run.completed, run.receipts, PROMISES)
    assert not slips, "; ".join(slips)
    assert run.status == "needs_review", f"the broken run is {run.status}, not needs_review"


@pytest.mark.criterion("demo3-validator-passes")
def test_the_validator_accepts_the_mended_run(demonstrated: Demonstrated) -> None:
    run = _gated(demonstrated, 2)
    value = run.value(RATE)
    assert value == 1.0, f"the repaired run has {RATE} {value}, not 1.0"
    assert run.completed, f"the repaired run is {run.status}, not completed"
    slips = kpi_slips(run.completed, run.receipts, PROMISES)
    assert not slips, "; ".join(slips)


@pytest.mark.criterion("demo3-calibration-accepts")
def test_the_mended_run_teaches(demonstrated: Demonstrated, observe: Observe) -> None:
    observe("priors_of_mended_run", _gated(demonstrated, 2).priors)


@pytest.mark.criterion("demo3-calibration-rejects-failed")
def test_the_broken_run_teaches_nothing(demonstrated: Demonstrated) -> None:
    priors = _gated(demonstrated, 1).priors
    assert priors == 0, f"{priors} priors come from the broken run"


# What the day leaves behind


@pytest.mark.criterion("testing-only")
def test_nothing_but_demo_rows_changes(demonstrated: Demonstrated) -> None:
    changed = demonstrated.changed
    assert not changed, f"rows without the tag of a demo changed in {', '.join(changed)}"


@pytest.mark.criterion("in-window")
def test_work_stays_in_the_slot(demonstrated: Demonstrated, phase: Stage, observe: Observe) -> None:
    observe_slot(phase, demonstrated.events, observe)
