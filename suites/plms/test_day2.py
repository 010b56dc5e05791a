"""Day 2: the three demos as they ran, what they say, and what a KPI gate lets through."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_rollout import Observe, RanTests, Stage, kpi_slips
from suites.plms.scenarios.demos import DEMOS, Demonstrated, GatedRun
from suites.plms.scenarios.gate_sides import SIDES, GateTried
from suites.plms.views.kpi_promises import PROMISES
from suites.plms.views.listed import listed
from suites.plms.views.portfolio import observe_slot

pytestmark = pytest.mark.day2

RATE = "test_pass_rate"
EXPECTED = Path(__file__).with_name("demos") / "expected"


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


@pytest.mark.criterion("output-matches")
def test_demo_1_tells_of_the_runs_it_made(demonstrated: Demonstrated) -> None:
    told = _runs(demonstrated.shown["demo1"].text)
    made = demonstrated.started["demo1"]
    assert len(told) == 3, f"demo 1 tells {len(told)} runs, not one a call"
    assert [told[0], told[2]] == made, (
        f"demo 1 tells of {listed(told)}; the registry has {listed(made)} of it"
    )


@pytest.mark.criterion("output-matches")
def test_demo_2_tells_what_the_plan_expects(demonstrated: Demonstrated) -> None:
    text = demonstrated.shown["demo2"].text
    projection = re.search(r"Projected: (\d+) tokens, 100 times the (\d+) tokens", text)
    risk = re.search(r"Risk score ([\d.]+), below", text)
    assert projection, f"demo 2 tells no projection: {text!r:.200}"
    assert risk, f"demo 2 tells no risk score: {text!r:.200}"
    projected, rehearsed = int(projection[1]), int(projection[2])
    assert abs(projected - 15_000) <= 1_500, f"demo 2 projects {projected} tokens, not about 15000"
    assert abs(rehearsed * 100 - projected) <= 1_500, (
        f"demo 2 projects {projected} tokens from {rehearsed}, which is not 100 times as many"
    )
    assert 0 <= float(risk[1]) < 0.2, f"demo 2 tells a risk score of {risk[1]}"


@pytest.mark.criterion("output-matches")
def test_demo_3_tells_what_the_registry_has(demonstrated: Demonstrated) -> None:
    text = demonstrated.shown["demo3"].text
    told = re.findall(r"validator \w+ run_id=(\S+): test_pass_rate=([\d.]+), status=(\w+)", text)
    stored = [(run.id, str(run.value(RATE)), run.status) for run in demonstrated.gated]
    assert told == stored, f"demo 3 tells {listed(told)}; the registry has {listed(stored)}"


def _runs(text: str) -> list[str]:
    """The runs that a demo tells of, in their order."""
    return re.findall(r"(?<=run_id=)[^\s,:]+", text)


@pytest.mark.criterion("outputs-captured")
@pytest.mark.parametrize("demo", DEMOS)
def test_transcript_is_kept(demonstrated: Demonstrated, demo: str, phase: Stage) -> None:
    kept, shown = demonstrated.kept[demo], demonstrated.shown[demo]
    assert kept.strip(), f"{demo}_output.txt is missing or empty"
    if phase.embedded:  # what is kept is what was just shown
        assert kept.strip() == shown.text.strip(), f"{demo}_output.txt is not what {demo} said"
    assert not shown.unlike(replace(shown, text=kept).masked), (
        f"{demo}_output.txt is not what {demo} says"
    )
    strange = set(_runs(kept)) - demonstrated.of_demos
    assert not strange, (
        f"{demo}_output.txt tells of runs that nobody started today: {listed(strange)}"
    )


@pytest.mark.criterion("outputs-archived")
def test_results_are_archived_together(demonstrated: Demonstrated) -> None:
    assert demonstrated.archive, "docs/PRDs holds no results of the day, or an empty file"
    kept = demonstrated.kept
    without = [demo for demo in DEMOS if kept[demo].strip() not in demonstrated.archive]
    without += [demo for demo in DEMOS if not kept[demo].strip() and demo not in without]
    assert not without, f"the archived results lack {without}"


# Demo 3: red tests do not complete a run


def _ran(demonstrated: Demonstrated, number: str) -> RanTests:
    assert number in demonstrated.tests, f"phase {number} of demo 3 left no report of its tests"
    return demonstrated.tests[number]


def _gated(demonstrated: Demonstrated, number: int) -> GatedRun:
    runs = demonstrated.gated
    assert len(runs) >= number, f"demo 3 made {len(runs)} runs, not 2"
    return runs[number - 1]


@pytest.mark.criterion("demo3-failing-run-exits-1")
def test_failing_tests_exit_with_1(demonstrated: Demonstrated) -> None:
    ran = _ran(demonstrated, "1")
    assert ran.failed, f"none of {ran.ran} tests failed, though the project is broken"
    assert not ran.contradiction, f"phase 1: {ran.contradiction}"
    assert ran.status == 1, f"phase 1 exits with {ran.status}, not 1"


@pytest.mark.criterion("demo3-fixed-run-exits-0")
def test_repaired_tests_exit_with_0(demonstrated: Demonstrated) -> None:
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
    limit = run.thresholds[RATE]
    assert limit == 0.95, f"the receipt holds {RATE} against {limit}, the plan against 0.95"


@pytest.mark.criterion("demo3-validator-catches")
@pytest.mark.parametrize("side", [name for name, side in SIDES.items() if side.builds])
def test_the_validator_decides_at_095(gate_tried: GateTried, side: str) -> None:
    handed, run = SIDES[side], gate_tried.runs[side]
    value = run.value(RATE)
    rates = {handed.rate} if handed.tests else {handed.rate, None}  # no tests have no rate of 1
    assert value in rates, f"of {side} the receipt says {value}, handed in was {handed.rate}"
    assert run.passed(RATE) is handed.may_complete, (
        f"the validator {'passes' if run.passed(RATE) else 'refuses'} {RATE} {value}; "
        "the plan asks for 0.95"
    )


@pytest.mark.criterion("demo3-failing-run-blocked")
@pytest.mark.parametrize("side", SIDES)
def test_the_gate_completes_what_kept_every_promise(gate_tried: GateTried, side: str) -> None:
    run, wanted = gate_tried.runs[side], "needs_review"
    if SIDES[side].may_complete:
        wanted = "completed"
    assert run.status == wanted, f"a run with {side} is {run.status}, not {wanted}"
    assert run.validated is SIDES[side].may_complete, (
        f"a run with {side} has validation_pass {run.validated}"
    )
    slips = kpi_slips(run.completed, run.receipts, PROMISES)
    assert not slips, "; ".join(slips)


@pytest.mark.criterion("demo3-calibration-rejects-failed")
@pytest.mark.parametrize("side", [name for name, side in SIDES.items() if not side.may_complete])
def test_what_was_blocked_teaches_nothing(gate_tried: GateTried, side: str) -> None:
    priors = gate_tried.runs[side].priors
    assert not priors, f"{len(priors)} priors come from a run with {side}"


@pytest.mark.criterion("demo3-failing-run-blocked")
def test_the_broken_run_is_not_completed(demonstrated: Demonstrated) -> None:
    run = _gated(demonstrated, 1)
    slips = kpi_slips(run.completed, run.receipts, PROMISES)
    assert not slips, "; ".join(slips)
    assert run.status == "needs_review", f"the broken run is {run.status}, not needs_review"
    assert not run.validated, "the registry has the broken run as validated"


@pytest.mark.criterion("demo3-validator-passes")
def test_the_validator_accepts_the_repaired_run(demonstrated: Demonstrated) -> None:
    run = _gated(demonstrated, 2)
    value = run.value(RATE)
    assert value == 1.0, f"the repaired run has {RATE} {value}, not 1.0"
    assert run.completed, f"the repaired run is {run.status}, not completed"
    assert run.validated, "the registry does not have the repaired run as validated"
    slips = kpi_slips(run.completed, run.receipts, PROMISES)
    assert not slips, "; ".join(slips)


@pytest.mark.criterion("demo3-calibration-accepts")
def test_the_repaired_run_teaches(demonstrated: Demonstrated, observe: Observe) -> None:
    observe("priors_of_repaired_run", len(_gated(demonstrated, 2).priors))


@pytest.mark.criterion("demo3-calibration-accepts")
def test_the_prior_is_of_the_repaired_run(demonstrated: Demonstrated) -> None:
    run = _gated(demonstrated, 2)
    for prior in run.priors:
        lane = prior["lane_name"]
        assert lane == run.row["lane_name"], f"the prior is of {lane}, not of the run's lane"
        for name in ("mean_tokens", "mean_duration"):
            assert (prior[name] or 0) > 0, f"the prior has {name} {prior[name]}"


@pytest.mark.criterion("demo3-calibration-accepts")
def test_what_passed_moves_the_estimate(gate_tried: GateTried) -> None:
    tokens = gate_tried.expected
    if tokens is not None:
        off = [abs(mean - tokens.actual) for mean in (tokens.after_failed, tokens.after_passed)]
        assert off[1] < off[0], (
            f"a run that took {tokens.actual:g} tokens passed, and the estimate went from "
            f"{tokens.after_failed:g} to {tokens.after_passed:g}"
        )


@pytest.mark.criterion("demo3-calibration-rejects-failed")
def test_the_broken_run_teaches_nothing(demonstrated: Demonstrated) -> None:
    priors = _gated(demonstrated, 1).priors
    assert not priors, f"{len(priors)} priors come from the broken run"


@pytest.mark.criterion("demo3-calibration-rejects-failed")
def test_what_failed_moves_no_estimate(gate_tried: GateTried) -> None:
    tokens = gate_tried.expected
    if tokens is not None:
        assert tokens.after_failed == tokens.first, (
            f"a run failed, and the estimate went from {tokens.first:g} to {tokens.after_failed:g}"
        )


# What the day leaves behind


@pytest.mark.criterion("testing-only")
def test_nothing_but_demo_rows_changes(demonstrated: Demonstrated) -> None:
    changed = demonstrated.changed
    assert not changed, f"besides the rows of demos: {'; '.join(changed[:5])}"


@pytest.mark.criterion("in-window")
def test_work_stays_in_the_slot(demonstrated: Demonstrated, phase: Stage, observe: Observe) -> None:
    observe_slot(phase, demonstrated.events, observe)
