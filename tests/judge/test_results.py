"""Files of other tools in the judge: what weighs, and what never does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest

from pytest_rollout.model.decision import Decision
from pytest_rollout.model.evidence import Attempt, Brought
from pytest_rollout.model.ingest import ResultKind
from pytest_rollout.model.verdict import Verdict
from tests.judge.worlds import at, criterion, decided, plan_of, seen, world_of
from tests.report.reasons_given import PROD, RELEASED, brought
from tests.words import because

RULE = "metric: load_service_time, take: max, pass: '< 1s'"
ASKED = "{load: web, lasts: 30s}"
PLAN = plan_of(criterion(RULE, ingest=ASKED), header=RELEASED)


def file(digest: str, value: str = "0.5", **facts: Any) -> Brought:
    """A file with one sample of the worst time."""
    one = brought(digest=digest * 64, **facts)
    sample = seen(value, -3540, "load_service_time", recorded=-3500, run=one.run)
    return replace(one, seen=(sample,))


GOOD, BAD = file("a"), file("b", "2")
LATER: dict[str, Any] = {"ended_us": at(-600), "started_us": at(-660)}


def judged(files: Sequence[Brought], **run: Any) -> Decision:
    told = {"begun_us": at(-4500), **PROD, **run}
    world = world_of(PLAN, items={"p.one.c": ()}, **told)
    return decided(PLAN, replace(world, brought=tuple(files)))


def verdict(*files: Brought, **run: Any) -> Verdict:
    return judged(files, **run).criteria[0].verdict


def test_the_worst_of_the_file_is_judged() -> None:
    assert verdict(GOOD) is Verdict.PASS
    assert verdict(BAD) is Verdict.FAIL
    assert verdict() is Verdict.MISSING


def test_what_tests_saw_does_not_answer_for_a_file() -> None:
    own = [seen("0.5", 0, "load_service_time")]
    world = world_of(PLAN, own, items={"p.one.c": ()}, **PROD)
    assert decided(PLAN, world).criteria[0].verdict is Verdict.MISSING


def test_a_file_does_not_answer_for_tests() -> None:
    plan = plan_of(criterion(RULE), header=RELEASED)
    world = replace(world_of(plan, **PROD), brought=(GOOD,))
    finding = decided(plan, world).criteria[0]
    assert (finding.verdict, finding.samples) == (Verdict.MISSING, 0)


def test_a_test_that_is_bound_must_pass_too() -> None:
    world = world_of(PLAN, begun_us=at(-4500), **PROD)
    failed = {"t.py::test_c": (Attempt(Verdict.FAIL, "no"),)}
    for checks, expected in ((failed, Verdict.FAIL), ({}, Verdict.MISSING)):
        told = replace(world, brought=(GOOD,), checks=checks)
        assert decided(PLAN, told).criteria[0].verdict is expected


OTHERS = (
    file("c", "0.1", release="v0", **LATER),
    file("d", "0.1", name="other", **LATER),
    file("e", "0.1", kind=ResultKind.JUNIT, **LATER),
)


@pytest.mark.parametrize("mine", [(), (GOOD,), (BAD,)])
def test_files_of_others_change_nothing(mine: tuple[Brought, ...]) -> None:
    assert verdict(*mine, *OTHERS) is verdict(*mine)


def test_the_order_in_which_files_are_read_is_of_no_weight() -> None:
    later = file("f", "0.4", **LATER)
    told = {because(judged(files).criteria[0]) for files in permutations((GOOD, BAD, later))}
    assert len(told) == 1


def test_the_newest_by_when_it_ended_decides() -> None:
    late_and_bad = file("1", "2", **LATER)
    assert verdict(GOOD, late_and_bad) is Verdict.FAIL
    late_and_good = file("2", "0.5", **LATER)
    assert verdict(BAD, late_and_good) is Verdict.WARN  # what failed before is told
    brought_again = replace(GOOD, at_us=at(-1), run="again")
    assert verdict(GOOD, late_and_bad, brought_again) is Verdict.FAIL


def test_a_newer_file_in_doubt_never_leaves_an_older_one_standing() -> None:
    doubted = file("3", doubts=("it was cut off",), **LATER)
    assert verdict(GOOD, doubted) is Verdict.ERROR


def test_one_file_as_of_two_releases_is_of_none() -> None:
    assert verdict(GOOD, replace(GOOD, facts=replace(GOOD.facts, release="v0"))) is Verdict.ERROR


def test_other_bytes_of_one_file_are_the_same_file() -> None:
    said = replace(GOOD.facts, content="c" * 64)
    packed = replace(said, digest="9" * 64, release="v0")
    file_, other = replace(GOOD, facts=said), replace(GOOD, facts=packed, run="again")
    assert verdict(file_, other) is Verdict.ERROR
    assert verdict(file_, replace(other, facts=replace(packed, content="e" * 64))) is Verdict.PASS
    assert verdict(GOOD, replace(other, facts=replace(packed, content=""))) is Verdict.PASS


def test_one_file_for_two_environments_is_of_none() -> None:
    assert verdict(replace(GOOD, elsewhere=("staging",))) is Verdict.ERROR


def test_the_exit_of_a_phase_that_never_began_reads_no_file() -> None:
    assert verdict(GOOD) is Verdict.PASS
    assert verdict(GOOD, begun_us=None) is Verdict.MISSING
    assert verdict(BAD, begun_us=None) is Verdict.MISSING


def test_of_a_run_without_a_seal_nothing_counts() -> None:
    assert verdict(GOOD, sealed=False) is Verdict.MISSING
