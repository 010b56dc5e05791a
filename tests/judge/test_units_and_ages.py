"""Units of what is measured, the age of evidence, and the release before this one."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from fractions import Fraction

import pytest
from scipy import stats

from pytest_rollout.model.decision import Decision
from pytest_rollout.model.evidence import ReleaseFact, Seen, exact
from pytest_rollout.model.finding import Estimate, Finding
from pytest_rollout.model.plan import Plan
from pytest_rollout.model.rule import Cut, Rule
from pytest_rollout.model.verdict import State, Verdict
from pytest_rollout.report.trust import worth
from tests.judge.worlds import (
    AT,
    DAY,
    HEADER,
    NINE,
    SECOND,
    compared,
    criterion,
    decided,
    guardrail,
    plan_of,
    samples,
    seen,
    text,
    world_of,
)

FAIL, MISSING, INCONCLUSIVE = Verdict.FAIL, Verdict.MISSING, Verdict.INCONCLUSIVE
PASS = Verdict.PASS
HOUR_NOW = (AT - NINE) // SECOND


# --- units ------------------------------------------------------------------------------------


def in_units(unit: str, observed: Iterable[Seen], rule: str, *cuts: Cut) -> Finding:
    """The finding of a criterion whose metric has a unit, and cuts in units of their own."""
    plan = plan_of(criterion(rule))
    phase = plan.phases[0]
    stated = phase.criteria[0].rule
    assert stated is not None
    bands = dataclasses.replace(stated.bands, **dict(zip(("passes", "warn"), cuts, strict=False)))
    changed: Rule = dataclasses.replace(stated, unit=unit, bands=bands)
    criteria = (dataclasses.replace(phase.criteria[0], rule=changed),)
    phases = (dataclasses.replace(phase, criteria=criteria),)
    plan = dataclasses.replace(plan, phases=phases)
    return decided(plan, world_of(plan, observed)).criteria[0]


def estimate_of(finding: Finding) -> Estimate:
    """The measurement of a criterion without groups."""
    estimate = finding.parts[-1].estimate
    assert estimate is not None
    return estimate


P95 = 'metric: m, take: p95, pass: "< 1"'


@pytest.mark.parametrize(
    ("unit", "cut", "value", "verdict", "said"),
    [
        ("ms", Cut("<", Fraction(500), "< 500"), "320", PASS, "was 320ms at"),
        ("ms", Cut("<", Fraction(500), "< 0.5s"), "320", PASS, "was 0.32s at"),
        ("ms", Cut("<", Fraction(500), "< 500ms"), "650", FAIL, "was 650ms at"),
        ("ms", Cut("<", Fraction(60_000), "< 1m"), "60000", FAIL, "was 1m at"),
        ("ms", Cut("<", Fraction(60_000), "< 1m"), "59999.5", PASS, "was 59999.5ms at"),
        ("s", Cut("<", Fraction(5), "< 5000ms"), "4", PASS, "was 4000ms at"),
        ("%", Cut("<", Fraction(5), "< 5%"), "4.5", PASS, "was 4.5 % at"),
        ("%", Cut("<", Fraction(5), "< 5"), "5", FAIL, "was 5 % at"),
        ("MiB", Cut("<", Fraction(2048), "< 2GiB"), "1536", PASS, "was 1.5GiB at"),
        ("requests", Cut("<", Fraction(5), "< 5"), "4", PASS, "was 4 requests at"),
    ],
)
def test_a_value_is_said_in_the_unit_of_its_cut_and_kept_in_that_of_its_metric(
    unit: str, cut: Cut, value: str, verdict: Verdict, said: str
) -> None:
    finding = in_units(unit, samples(value), P95, cut)
    assert finding.verdict is verdict
    assert f"p95 of m {said} 2025-11-10" in text(finding)
    assert text(finding).endswith(f"; allowed {cut.text}")
    assert (estimate_of(finding).value, estimate_of(finding).unit) == (value, unit)


def test_a_rate_is_said_in_percent_where_its_cut_is() -> None:
    rule = 'metric: m, take: rate, pass: "< 1", confidence: 95%'
    cut = Cut("<", exact("0.05"), "< 5%")
    finding = in_units("", samples('{"bad": 1, "of": 200}'), rule, cut)
    assert finding.verdict is PASS
    assert text(finding).startswith(
        "rate of m was 0.5 % (1 of 200), the first bad one at 2025-11-10 09:00:00 EST "
        "(at most 2.34985 % at 95 % confidence), over 200 samples in this run; allowed < 5%"
    )
    kept = estimate_of(finding)
    assert float(kept.high or 0) == pytest.approx(stats.beta.ppf(0.95, 2, 199), rel=1e-5)
    assert (kept.value, kept.high, kept.unit) == ("0.005", "0.0234985", "")


def test_bounds_and_differences_have_the_unit_too() -> None:
    mean = 'metric: m, take: mean, pass: "<= 1", confidence: 95%, range: [0, 1000]'
    finding = in_units("ms", samples(*[200] * 60), mean, Cut("<=", Fraction(500), "<= 0.5s"))
    high = estimate_of(finding).high
    assert high == "316.855"
    assert "mean of m was 0.2s (at most 0.316855s at 95 % confidence), over" in text(finding)
    assert next(worth(estimate_of(finding))).endswith(
        f"{high}ms (betting bounds of a mean within its range, at 95 % confidence)."
    )
    shift = f'{compared()}, pass: "<= 1"'
    both = [*samples(200), *samples(150, series="b")]
    finding = in_units("ms", both, shift, Cut("<=", Fraction(100), "<= 0.1s"))
    assert text(finding).startswith("mean of m was 0.2s, 0.05s more than that of b, over 1 sample")
    assert (estimate_of(finding).value, estimate_of(finding).unit) == ("50", "ms")


# --- the age of evidence ----------------------------------------------------------------------


def aged_plan(max_age_us: int | None, rule: str = "", **more: str) -> Plan:
    stated = rule or 'metric: m, over: [{last: 5}], take: max, pass: "<= 1"'
    plan = plan_of(criterion(stated, **more))
    criteria = (dataclasses.replace(plan.phases[0].criteria[0], max_age_us=max_age_us),)
    phases = (dataclasses.replace(plan.phases[0], criteria=criteria),)
    return dataclasses.replace(plan, phases=phases)


@pytest.mark.parametrize("environment", ["embedded", "prod"])
@pytest.mark.parametrize(
    ("max_age", "age", "verdict"),
    [(1800, 1800, PASS), (1800, 1800.000001, INCONCLUSIVE), (None, 1800.000001, PASS)],
)
def test_a_criterion_limits_the_age_of_its_evidence(
    environment: str, max_age: int | None, age: float, verdict: Verdict
) -> None:
    plan = aged_plan(max_age and max_age * SECOND)
    observed = [seen(1, HOUR_NOW - age), seen(1, HOUR_NOW - 60)]
    finding = decided(plan, world_of(plan, observed, environment=environment)).criteria[0]
    assert finding.verdict is verdict
    if verdict is INCONCLUSIVE:
        assert text(finding) == (
            "1 of 2 samples of m cannot be judged: older than evidence may be (max_age)"
        )


def test_what_was_recorded_again_is_as_old_as_its_first_record() -> None:
    plan = aged_plan(60 * SECOND)
    twice = [seen(1, 5, run="r0", recorded=5), seen(1, 5, recorded=HOUR_NOW)]
    for observed in (twice, twice[::-1]):
        finding = decided(plan, world_of(plan, observed)).criteria[0]
        assert finding.verdict is INCONCLUSIVE
        assert text(finding) == (
            "1 of 1 sample of m cannot be judged: older than evidence may be (max_age)"
        )


def test_the_age_of_a_criterion_takes_the_place_of_the_environments() -> None:
    old = [seen(1, HOUR_NOW - DAY - 1), seen(1, HOUR_NOW)]
    for own, verdict in ((7 * DAY, PASS), (60, INCONCLUSIVE)):
        plan = aged_plan(own * SECOND)
        assert decided(plan, world_of(plan, old, environment="prod")).criteria[0].verdict is verdict
    plan = aged_plan(7 * DAY * SECOND)
    assert decided(plan, world_of(plan, old)).criteria[0].verdict is PASS


def test_stale_evidence_that_fails_still_fails_only_where_what_is_left_does() -> None:
    plan = aged_plan(60 * SECOND)
    stale_bad = [seen(9, HOUR_NOW - 61), seen(1, HOUR_NOW)]
    fresh_bad = [seen(1, HOUR_NOW - 61), seen(9, HOUR_NOW)]
    assert decided(plan, world_of(plan, stale_bad)).criteria[0].verdict is INCONCLUSIVE
    assert decided(plan, world_of(plan, fresh_bad)).criteria[0].verdict is FAIL


@pytest.mark.parametrize(("fixed", "verdict"), [("", INCONCLUSIVE), (", frozen: begin", PASS)])
def test_a_baseline_that_the_plan_fixes_does_not_age(fixed: str, verdict: Verdict) -> None:
    plan = aged_plan(60 * SECOND, f'{compared("over: [{last: 5}]", fixed)}, pass: "<= 1"')
    both = [seen(1, HOUR_NOW), seen(1, -1, "b")]
    assert decided(plan, world_of(plan, both)).criteria[0].verdict is verdict


# --- the previous release ---------------------------------------------------------------------


RELEASED = HEADER.replace("phases:", "release: {target: api, path: /version}\nphases:")
V2 = (ReleaseFact("start", "v2"), ReleaseFact("end", "v2"))


def with_past(previous: str | None, *values: tuple[str, object], **more: object) -> Decision:
    """The decision of a comparison with the previous release, of which values were accepted."""
    rule = 'metric: m, take: mean, pass: "<= 1", versus: {release: previous}'
    plan = plan_of(criterion(rule), header=RELEASED)
    past = tuple(
        dataclasses.replace(seen(value, -DAY + n, run=f"r-{release}"), release=release)
        for n, (release, value) in enumerate(values)
    )
    world = world_of(plan, samples(5), releases=V2, **more)  # type: ignore[arg-type]
    return decided(plan, dataclasses.replace(world, past=past, previous=previous))


def test_a_comparison_with_the_previous_release() -> None:
    finding = with_past("v1", ("v0", 1), ("v1", 5), ("v1", 5)).criteria[0]
    assert finding.verdict is PASS
    assert text(finding).startswith(
        "mean of m was 5, 0 more than that of m in accepted runs of the previous release, over"
    )
    assert with_past("v0", ("v0", 1), ("v1", 5)).criteria[0].verdict is FAIL


@pytest.mark.parametrize("previous", [None, "v3"])
def test_without_a_previous_release_nothing_is_compared(previous: str | None) -> None:
    finding = with_past(previous, ("v0", 5), ("v1", 5)).criteria[0]
    assert finding.verdict is MISSING
    assert text(finding) == (
        "0 of 1 needed samples of the other side, "
        "m in accepted runs of the previous release, were seen: a run of it counts where its exit "
        "is GO, or lacks only this comparison"
    )


def test_a_hole_of_the_previous_release_leaves_it_open() -> None:
    assert with_past("v1", ("v1", 5), ("v1", None)).criteria[0].verdict is INCONCLUSIVE


def test_the_previous_release_is_watched() -> None:
    rule = 'metric: m, take: mean, over: [{last: 1}], versus: {release: previous}, fail: "> 1"'
    plan = plan_of(guardrail(rule), header=RELEASED)
    past = (dataclasses.replace(seen(1, -DAY, run="r0"), release="v1"),)
    world = dataclasses.replace(world_of(plan, samples(1, 5, 1)), past=past, previous="v1")
    assert decided(plan, world).guardrails[0].state is State.TRIPPED
    other = dataclasses.replace(world, previous="v2")
    assert decided(plan, other).guardrails[0].state is State.BLIND
