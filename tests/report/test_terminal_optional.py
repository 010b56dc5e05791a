"""The terminal names an optional criterion that failed; the answer stays what it was."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pytest_rollout.model.finding import Reason
from pytest_rollout.model.verdict import Answer, Verdict
from pytest_rollout.report.terminal import gate
from tests.report import report_decisions as given


@pytest.mark.parametrize(
    ("severity", "verdict", "named"),
    [
        ("optional", Verdict.FAIL, True),
        ("optional", Verdict.PASS, False),
        ("soft", Verdict.FAIL, False),
    ],
)
def test_an_optional_criterion_that_failed_is_named(
    severity: str, verdict: Verdict, named: bool
) -> None:
    decision = given.decision(Answer.GO)
    lacking = Reason("gate.undecided", {"gate": "plms.day2/exit"})
    paged = replace(decision.criteria[0], severity=severity, verdict=verdict, reason=lacking)
    lines = [line.text for line in gate(replace(decision, criteria=(paged,)))]
    told = [line for line in lines if line.startswith(f"  optional: {paged.id}: ")]
    assert bool(told) == named
    assert lines[0].startswith("GO: plms.day3")
