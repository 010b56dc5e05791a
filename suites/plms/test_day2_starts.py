"""Day 2: starts and their keys, and rehearsals, as the interface answers them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_rollout import Observe
from suites.plms.scenarios.keyed_starts import (
    OTHER_PROJECT,
    PROJECT,
    START,
    Aged,
    Rehearsals,
    Starts,
    start_body,
)
from suites.plms.views.dialect import spoken
from suites.plms.views.listed import listed
from suites.plms.views.portfolio import LANES

pytestmark = pytest.mark.day2

BUMPED_TO = 0.05  # the most that a rehearsal is raised to by itself
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
).filter(lambda body: not (body["run_kind"] == "baseline" and body.get("write_sandbox")))
# The nightly check objects to a baseline in a sandbox: none may be left in production.


# Demo 1: a key stands for one start


@pytest.mark.criterion("demo1-first-call-submitted")
def test_the_first_call_is_submitted(keyed_starts: Starts) -> None:
    first = keyed_starts.first
    assert first.status == 200, f"the first start answers {first.status}, not 200"
    said = first.body.get("status")
    assert said == "submitted", f"the first start says {said!r}, not 'submitted'"
    stored = [row["status"] for row in keyed_starts.made_by_first]
    assert stored, "the first start says submitted, the registry has no run of it"
    assert set(stored) <= {"submitted", "executing"}, f"the submitted run is stored as {stored}"


@pytest.mark.criterion("demo1-first-call-run-id")
def test_the_first_call_gives_a_run(keyed_starts: Starts) -> None:
    run = keyed_starts.first.id
    assert isinstance(run, str), f"the first start gives run_id {run!r}"
    assert run.strip(), "the first start gives an empty run_id"
    made = [row["run_id"] for row in keyed_starts.made_by_first]
    assert made == [run], (
        f"the first start gives run_id {run!r}, the registry has {listed(made)} of it"
    )
    row = keyed_starts.made_by_first[0]
    asked = {name: START[name] for name in ("run_kind", "lane_name")}
    stored = {name: row[name] for name in asked}
    assert stored == asked, f"asked for was {asked}, the registry has {stored}"


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
    step = keyed_starts.changed_by_again
    assert step is None or not step.changes, f"the repeated start did this: {step.in_words()}"


@pytest.mark.criterion("demo1-key-lifetime")
def test_a_key_stands_for_its_run_for_a_day(aged_key: Aged) -> None:
    assert aged_key.first.accepted, f"the first start answers {aged_key.first.status}"
    assert aged_key.later, "nobody repeated a start later"
    for age, again in aged_key.later.items():
        assert again.id == aged_key.first.id, (
            f"{age} later the key gave run {again.id!r} instead of {aged_key.first.id!r}"
        )
        assert again.replay, f"{age} later the repeated start has no Idempotent-Replay: true"
    assert aged_key.made == 1, f"one key made {aged_key.made} runs, allowed is one"


@pytest.mark.criterion("demo1-new-key-new-run")
def test_a_new_key_gives_a_new_run(keyed_starts: Starts) -> None:
    first, fresh = keyed_starts.first, keyed_starts.fresh
    assert fresh.accepted, f"the start with a new key answers {fresh.status}, run {fresh.id!r}"
    assert fresh.id != first.id, f"two keys gave the same run {first.id!r}"
    assert not fresh.replay, "the start with a new key is flagged as a replay"
    assert fresh.body.get("status") == "submitted", f"it says {fresh.body.get('status')!r}"
    made = [row["run_id"] for row in keyed_starts.made_by_fresh]
    assert made == [fresh.id], f"it gives run {fresh.id!r}, the registry has {listed(made)} of it"


@pytest.mark.criterion("demo1-new-key-new-run")
@pytest.mark.effect("change")
def test_keys_that_look_alike_are_two(keyed_starts: Starts) -> None:
    starts, common = keyed_starts.starts, keyed_starts.starts.new_key()
    keys = [f"{common}{end}" for end in ("-1", "-2")] + [f"{start}-{common}" for start in "12"]
    told = [starts.ask(START, key) for key in keys]
    ids = {answer.id for answer in told if answer.accepted and not answer.replay}
    assert len(ids) == len(keys), f"{len(keys)} keys that look alike gave {len(ids)} runs"


@pytest.mark.criterion("demo1-replay-same-run")
@pytest.mark.effect("change")
@quick
@given(body=bodies)
def test_any_start_can_be_repeated(keyed_starts: Starts, body: dict[str, Any]) -> None:
    key, body = keyed_starts.starts.new_key(), spoken().body("start", body)
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
    body, changed = (spoken().body("start", ours) for ours in (body, changed))
    if changed != body:
        keyed_starts.starts.refuses(body, changed)


@pytest.mark.criterion("demo1-key-scoped-to-project")
@pytest.mark.effect("change")
def test_a_key_belongs_to_its_project(keyed_starts: Starts) -> None:
    starts, key = keyed_starts.starts, keyed_starts.starts.new_key()
    first, other = (
        starts.ask(start_body(), key),
        starts.ask(start_body(), key, keyed_starts.other_path),
    )
    assert other.accepted, f"the key on another project answers {other.status}, run {other.id!r}"
    assert other.id != first.id, f"project {OTHER_PROJECT} gave run {first.id!r} of {PROJECT}"
    for project, told in ((PROJECT, first), (OTHER_PROJECT, other)):
        runs = [row["run_id"] for row in keyed_starts.runs_of(project)]
        assert told.id in runs, f"run {told.id!r} is none of project {project}"


@pytest.mark.criterion("demo1-concurrent-same-key")
@pytest.mark.effect("change")
def test_simultaneous_starts_make_one_run(keyed_starts: Starts) -> None:
    keyed_starts.starts.survives(start_body(), at_once=20)


@pytest.mark.criterion("demo1-key-required")
@pytest.mark.effect("change")
def test_a_start_needs_a_key(keyed_starts: Starts) -> None:
    keyed_starts.starts.demands_key(start_body())


# Demo 2: one percent stands for everything


@pytest.mark.criterion("demo2-rehearsal-pct")
def test_one_percent_is_asked_for_and_taken(rehearsals: Rehearsals) -> None:
    canary = rehearsals.canary
    assert canary.requested == 0.01, f"the rehearsal is one of {canary.requested}, not 0.01"
    total, taken = canary.said.whole("n_total"), canary.said.whole("n_sample")
    assert abs(taken - total / 100) < 1, f"{taken} of {total} tasks are rehearsed, not one percent"
    listed = sum(canary.samples.values())
    assert listed == taken, f"told are {taken} tasks, listed by stratum {listed}"
    assert abs(canary.actual - canary.share) < 1e-4, (
        f"told is a share of {canary.actual}, {taken} of {total} tasks are {canary.share}"
    )


@pytest.mark.criterion("demo2-strata-coverage")
@pytest.mark.parametrize("project", ["canary", "small"])
def test_every_stratum_is_represented(rehearsals: Rehearsals, project: str) -> None:
    rehearsal = getattr(rehearsals, project)
    assert rehearsal.coverage == 1.0, f"strata_coverage is {rehearsal.coverage}, not 1.0"
    strata = rehearsals.strata if project == "canary" else list(rehearsal.samples)
    absent = [name for name in strata if not rehearsal.samples.get(name)]
    assert strata, "no stratum is told"
    assert not absent, f"strata_coverage is 1.0, and no task of {', '.join(absent)} is rehearsed"


@pytest.mark.criterion("demo2-strata-coverage")
def test_a_rehearsal_is_raised_where_it_must_be_and_not_too_far(rehearsals: Rehearsals) -> None:
    for rehearsal in (rehearsals.canary, rehearsals.small):
        assert rehearsal.share <= BUMPED_TO, (
            f"{rehearsal.share} of the tasks are rehearsed, at most 0.05"
        )
        raised = rehearsal.share > rehearsal.requested
        assert rehearsal.said.flag("auto_bumped") is raised, (
            f"{rehearsal.share} of {rehearsal.requested} are taken, auto_bumped is {not raised}"
        )
    small = rehearsals.small.share
    assert small > 0.01, f"one percent is fewer tasks than strata, and {small} are rehearsed"


@pytest.mark.criterion("demo2-coverage-is-measured")
def test_coverage_is_that_of_the_sample(rehearsals: Rehearsals) -> None:
    canary, strata = rehearsals.canary, rehearsals.strata
    told = canary.said.whole("n_strata")
    assert len(strata) == told, f"told are {told} strata, a fifth of the tasks is of {len(strata)}"
    covered = canary.represented(strata)
    assert canary.coverage == covered, f"told is {canary.coverage}, the sample covers {covered}"
    small = rehearsals.small
    covered = small.represented(tuple(small.samples))
    assert small.coverage == covered, f"told is {small.coverage}, the sample covers {covered}"


@pytest.mark.criterion("demo2-projected-tokens")
def test_the_projection_is_near_15000(rehearsals: Rehearsals, observe: Observe) -> None:
    canary = rehearsals.canary
    observe("projection_off", abs(canary.projected - 15_000) / 15_000, of="told")
    observe("projection_off", abs(canary.scaled - 15_000) / 15_000, of="sample")
    observe("projection_off", abs(canary.tokens - 150) / 150, of="rehearsal")


@pytest.mark.criterion("demo2-extrapolation-consistent")
def test_the_projection_follows_from_the_sample(rehearsals: Rehearsals, observe: Observe) -> None:
    for project, rehearsal in (
        ("942", rehearsals.canary),
        ("401", rehearsals.small),
        ("942", rehearsals.large),
    ):
        assert rehearsal.scaled > 0, f"the sample of project {project} took no tokens"
        observe(
            "extrapolation_off", abs(rehearsal.projected / rehearsal.scaled - 1), project=project
        )


@pytest.mark.criterion("demo2-risk-score")
def test_the_risk_is_low(rehearsals: Rehearsals, observe: Observe) -> None:
    observe("risk_score", rehearsals.canary.risk)


@pytest.mark.criterion("demo2-risk-score")
def test_the_risk_is_less_the_more_is_rehearsed(rehearsals: Rehearsals) -> None:
    canary, large = rehearsals.canary, rehearsals.large
    assert 0 <= large.risk <= 1, f"a risk score is {large.risk}"
    assert 0 <= canary.risk <= 1, f"a risk score is {canary.risk}"
    assert large.risk < canary.risk, (
        f"the risk is {canary.risk} after {canary.share} of the tasks, and {large.risk} after "
        f"{large.share}: it does not tell how much was seen"
    )


@pytest.mark.criterion("demo2-risk-score")
def test_the_risk_tells_of_strata_that_nobody_saw(rehearsals: Rehearsals) -> None:
    canary, uncovered = rehearsals.canary, rehearsals.uncovered
    if uncovered is not None:
        assert uncovered.coverage < canary.coverage, "five percent covers more strata than tasks"
        assert uncovered.risk > canary.risk, (
            f"the risk is {uncovered.risk} where the rehearsal covers {uncovered.coverage} of the "
            f"strata, and {canary.risk} where it covers all: a low score says nothing of coverage"
        )
