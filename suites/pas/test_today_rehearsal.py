"""Today: a rehearsal foretells what a run takes, and the portfolio says what really runs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pytest_rollout import NoValueError, Observe, Reported, Stage, reported
from suites.pas.scenarios.work import Look, Sent, Work
from suites.pas.views.executed import ended
from suites.pas.views.lanes import CAPS, LANES
from suites.pas.views.pas import Pas

pytestmark = pytest.mark.pas_today

NEAR = 1e-6
NEAR_SHARE = 0.1  # of a rehearsal, from what it should use
WIDEST = 1.0  # of an interval, as a share of the projection
NARROWER = 0.7  # is due of an interval when five times as much is rehearsed; 0.45 is usual


def _rehearsals(work: Work) -> Iterator[tuple[Sent, float, Reported]]:
    for sent in work.sent:
        for share, said in sent.rehearsals.items():
            yield sent, share, said


@pytest.mark.criterion("rehearsal-stratified")
def test_every_lane_of_the_run_is_sampled(work: Work, observe: Observe) -> None:
    """The coverage counts that is the lower: what is said, or what its samples come to."""
    for sent, share, said in _rehearsals(work):
        lanes = {node.lane for node in sent.nodes}
        samples = said.inner("samples_per_stratum")
        drawn = [lane for lane in lanes if samples.get(lane, 0) >= 1]
        coverage = min(said.number("strata_coverage"), len(drawn) / len(lanes))
        observe("strata_coverage", coverage, run=sent.run, share=str(share))
        assert said.whole("n_strata") == len(lanes), "another number of strata than of lanes"
        drawn_units, units = said.whole("n_sample"), said.whole("n_total")
        assert drawn_units == sum(samples.values()), "the samples do not add up"
        actual = drawn_units / units
        assert abs(said.number("actual_pct") - actual) < NEAR, f"its share is {actual:g}"
        assert abs(actual - share) < NEAR_SHARE * share, f"{actual:.2%} were drawn, not {share:.0%}"
        assert said.number("requested_pct") == share, f"asked for were {said['requested_pct']}"
    for sent in work.sent:
        totals = {said.whole("n_total") for said in sent.rehearsals.values()}
        assert len(totals) == 1, f"{sent.run} has {totals} units of work"


@pytest.mark.criterion("rehearsal-stratified")
def test_a_lane_that_is_left_out_is_not_covered(work: Work) -> None:
    for sent in work.sent:
        lanes = {node.lane for node in sent.nodes}
        samples = sent.few.inner("samples_per_stratum")
        drawn = sum(samples.get(lane, 0) >= 1 for lane in lanes)
        if drawn == len(lanes):
            raise NoValueError(f"{sent.few['n_sample']} units of {sent.run} are of every lane")
        said = sent.few.number("strata_coverage")
        due = drawn / len(lanes)
        assert abs(said - due) < NEAR, (
            f"of {len(lanes)} lanes {drawn} were drawn, and {said:g} is said"
        )


@pytest.mark.criterion("rehearsal-ci-extrapolation")
def test_the_projection_lies_in_its_interval(work: Work, observe: Observe) -> None:
    """And so does what the run took in the end, but for one in a thousand."""
    for sent, share, said in _rehearsals(work):
        lower, upper = said.number("ci_lower"), said.number("ci_upper")
        projected, half = said.number("projected_tokens"), (upper - lower) / 2
        inside = lower < projected < upper and lower > 0
        bounded = 2 * half < WIDEST * projected
        risk = min(1.0, 5 * half / projected)
        told = abs(said.number("risk_score") - risk) < 0.01
        took = work.ended[sent.run].number("spend_tokens")
        if not took:
            raise NoValueError(f"run {sent.run} used no tokens, so its projection stays untried")
        met = abs(took - projected) <= 2 * half  # 1.645 of sigma are half; 3.3 miss one in 1000
        wrong = not (inside and bounded and told and met)
        observe("interval_wrong", wrong, run=sent.run, share=str(share))
    for sent in work.sent:
        less, more = (_width(sent.rehearsals[share]) for share in sorted(sent.rehearsals))
        assert more < NARROWER * less, (
            f"an interval of {less:.1%} of the projection is {more:.1%} when more is rehearsed"
        )


def _width(said: Reported) -> float:
    """How wide an interval is, as a share of its projection."""
    return (said.number("ci_upper") - said.number("ci_lower")) / said.number("projected_tokens")


TIMES = 100  # that a run is rehearsed in each way
OUTSIDE = range(8, 51)  # of 200 intervals, each of which holds nine times in ten


@pytest.mark.criterion("rehearsal-ci-extrapolation")
@pytest.mark.effect("change")
def test_what_a_run_takes_lies_in_nine_intervals_of_ten(pas: Pas, phase: Stage) -> None:
    """Neither so narrow that they miss it, nor so wide that they say nothing."""
    run = pas.new_run("interval")
    for lane in ("Vector-Ops", "Graph-Ops"):
        pas.card(run, lane)
    said = [
        reported(pas.control("simulate", run, rehearsal_pct=share, stratified=way))
        for way in (True, False)
        for share in (0.01 + 0.0004 * number for number in range(TIMES))
    ]
    for answer in said:
        drawn, every = answer.whole("n_sample"), answer.whole("n_total")
        assert drawn == sum(answer.inner("samples_per_stratum").values()), (
            f"the samples of {answer}"
        )
        share = answer.number("requested_pct")
        assert abs(drawn - share * every) <= 2, f"of {every} units {drawn} are no {share:.2%}"
        used = answer.number("rehearsal_tokens") / answer.number("projected_tokens")
        assert abs(used / (drawn / every) - 1) < NEAR_SHARE, f"{drawn} of {every} use {used:.2%}"
        half = (answer.number("ci_upper") - answer.number("ci_lower")) / 2
        risk = min(1.0, 5 * half / answer.number("projected_tokens"))
        assert abs(answer.number("risk_score") - risk) < 0.01, (
            f"a risk of {risk:g} is told as {answer}"
        )
    pas.start(run)
    took = ended(pas, phase.target("pas"), run).number("spend_tokens")
    missed = sum(
        not answer.number("ci_lower") <= took <= answer.number("ci_upper") for answer in said
    )
    assert missed in OUTSIDE, f"of {len(said)} intervals {missed} do not hold what the run took"


@pytest.mark.criterion("rehearsal-scales", "rehearsal-ci-extrapolation")
def test_a_rehearsal_uses_its_share(work: Work, observe: Observe) -> None:
    for sent, share, said in _rehearsals(work):
        used = said.number("rehearsal_tokens") / said.number("projected_tokens")
        observe("rehearsal_share_error", abs(used / share - 1), run=sent.run, share=str(share))
        assert abs(used / share - 1) <= NEAR_SHARE, (
            f"a rehearsal of {share:.0%} of {sent.run} used {used:.2%} of its projection"
        )
        whole = work.ended[sent.run].number("spend_tokens")
        assert said.number("rehearsal_tokens") < whole / 2, "a rehearsal of 5 % used half of it"


# Portfolio


@pytest.mark.criterion("portfolio-lane-utilization")
def test_utilisation_is_what_runs(work: Work, observe: Observe) -> None:
    """Against the running tasks of every run, read one by one at the same time."""
    steady = [look for look in work.looks if look.steady]
    if not steady:
        raise NoValueError("the portfolio changed during each look; look again when less runs")
    for look in steady:
        caps = look.portfolio.inner("lane_caps")
        said = look.portfolio.inner("lane_utilization")
        for lane in LANES:
            share, cap = said.number(lane), caps.number(lane)
            right = 0 <= share <= 1 and abs(share - look.working[lane] / cap) < NEAR
            observe("utilisation_wrong", not right, lane=lane, at=look.at)
        assert {lane: caps[lane] for lane in LANES} == CAPS, f"the lanes have the caps {caps}"
    assert any(_busy(look) for look in steady), "no lane ever had anything to do"


def _busy(look: Look) -> bool:
    return any(look.working.values())


@pytest.mark.criterion("portfolio-utilization-live", "portfolio-lane-utilization")
def test_utilisation_rises_with_load(work: Work, observe: Observe) -> None:
    before = work.idle.portfolio.inner("lane_utilization")
    for lane in LANES:
        shares = [
            look.portfolio.inner("lane_utilization").number(lane)
            for look in work.looks
            if look.working[lane]
        ]
        if not shares:
            raise NoValueError(f"no look saw a task of {lane} at work")
        rise = max(shares) - before.number(lane)
        observe("utilisation_rise", rise, lane=lane)
        assert rise > 0, f"{lane} is as utilised when it works as when it was idle"


@pytest.mark.criterion("portfolio-fairness-weights")
def test_weights_are_of_the_active_runs(work: Work, observe: Observe) -> None:
    """Of both runs, and of the one that is left, each by the weight that it was started with."""
    due = {sent.run: sent.weight for sent in work.sent}
    counts = set()
    for look in work.looks:
        runs = look.portfolio.each("runs")
        active = {run.text("run_id") for run in runs if run.text("status") == "executing"}
        if not active:
            continue
        counts.add(len(active))
        weights = look.portfolio.inner("fairness_weights")
        shares = [weights.number(name) for name in weights]
        right = set(weights) == active and abs(sum(shares) - 1) < NEAR and min(shares) > 0
        if work.embedded and right:  # nobody else is there
            total = sum(due[name] for name in active)
            right = all(abs(weights.number(name) - due[name] / total) < NEAR for name in active)
        observe("weights_wrong", not right, at=look.at)
    if work.embedded and 2 not in counts:
        raise NoValueError("both runs were never active at a time")
    over = work.looks[-1].portfolio.inner("fairness_weights")
    assert not (work.embedded and over), f"after the end of all runs {sorted(over)} have weights"
