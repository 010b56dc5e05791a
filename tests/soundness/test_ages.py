"""Rules that reach further than a phase lasts, or than evidence may be old."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pytest_rollout.soundness.remarks import remarks
from tests.judge.worlds import criterion, plan_of
from tests.soundness.plans import LASTING, MAX, said, told


@pytest.mark.parametrize(
    "rule",
    [
        f"{MAX}, soak: {{for: 7d, gap: 1h}}",
        f"{MAX}, over: [{{span: 7d}}]",
    ],
)
def test_what_reaches_further_back_than_evidence_lasts(rule: str) -> None:
    assert told(criterion(rule), header=LASTING) == []
    ((grave, what),) = said(criterion(rule))
    assert grave
    assert what == (
        "criterion c can never pass in prod: it reaches further back than max_age, 1d, so that a "
        "part of it is always stale (a max_age of its own, a longer one of prod, or a shorter "
        "scope)"
    )
    own = rule.replace("over:", "max_age: 8d, over:").replace("soak:", "max_age: 8d, soak:")
    assert told(criterion(own)) == [], "it cures that for one criterion alone"


@pytest.mark.parametrize(
    "rule",
    [
        f"{MAX}, over: [{{days: 7}}]",
        f"{MAX}, per: night, in_a_row: 3",
        f"{MAX}, per: day, need: 20, over: [{{last: 7, need: 7}}]",
        f"{MAX}, over: [{{nights: 3}}], in_a_row: 2",
        f"{MAX}, per: day, soak: {{for: 7d, gap: 25h}}",
    ],
)
def test_days_that_no_run_but_one_that_reads_a_history_can_bring(rule: str) -> None:
    ((grave, what),) = said(criterion(rule))
    assert not grave
    assert what.startswith(
        "criterion c can pass in prod only where one run reads all of its days from a history: "
        "what earlier runs saw is stale after 1d"
    )


def test_spans_that_no_run_but_one_that_reads_a_history_can_bring() -> None:
    assert said(criterion(f"{MAX}, per: 1h, in_a_row: 23")) == []
    ((grave, what),) = said(criterion(f"{MAX}, per: 1h, in_a_row: 26"))
    assert not grave
    assert what.startswith(
        "criterion c can pass in prod only where one run reads all of its buckets from a history: "
    )


def test_a_criterion_has_a_max_age_of_its_own() -> None:
    plan = plan_of(criterion(f"{MAX}, over: [{{span: 2h}}]"))
    assert list(remarks(plan)) == []
    phase = plan.phases[0]
    brief = replace(phase, criteria=(replace(phase.criteria[0], max_age_us=3_600_000_000),))
    (remark,) = remarks(replace(plan, phases=(brief,)))
    assert remark.grave
    assert str(remark.problem) == (
        "rollout.yaml:9: criterion c can never pass: it reaches further back than max_age, 1h, so "
        "that a part of it is always stale (a longer max_age, or a shorter scope)"
    )


def test_what_reaches_back_to_a_begin_that_evidence_does_not_outlast() -> None:
    ((grave, what),) = said(criterion(f"{MAX}, over: [{{since: begin, until: 48h}}]"))
    assert not grave
    assert "can pass in prod only in the first 1d: then what was seen first is stale" in what


@pytest.mark.parametrize(
    ("row", "wants"),
    [
        ("soak: {for: 7d, gap: 1h}", "7d"),
        ("per: night, in_a_row: 3", "3d"),
        ("per: 30m, in_a_row: 5", "150m"),
    ],
)
def test_a_row_that_is_longer_than_its_phase(row: str, wants: str) -> None:
    header = LASTING + "    date: 2025-11-10\n    hours: 09:00-11:00\n"
    ((grave, what),) = said(criterion(f"{MAX}, {row}"), header=header)
    assert not grave
    assert f"wants {wants}, and the phase lasts 2h: only what was seen before it" in what


def test_a_row_that_fits_into_its_phase() -> None:
    header = LASTING + "    date: 2025-11-10\n    hours: 09:00-11:00\n"
    assert said(criterion(f"{MAX}, per: 30m, in_a_row: 4"), header=header) == []
