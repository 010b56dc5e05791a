"""KPI gates: thresholds, receipts that lie, and tests that fail under a green status."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from pytest_rollout import Kpi, KpiReceipt, RanTests, RolloutError, kpi_slips
from pytest_rollout.model.errors import NoValueError

RATE = Kpi("test_pass_rate", 0.95)
DIFFS = Kpi("schema_diffs", 0, at_most=True)
PROMISES = {"code": [RATE], "schema": [DIFFS]}


@pytest.mark.parametrize(
    ("kpi", "value", "holds"),
    [
        (RATE, 0.95, True),
        (RATE, 0.9499, False),
        (RATE, 1, True),
        (RATE, None, False),
        (RATE, float("nan"), False),
        (RATE, float("inf"), False),
        (DIFFS, 0, True),
        (DIFFS, 1, False),
    ],
)
def test_a_threshold_is_inclusive_and_needs_a_number(
    kpi: Kpi, value: float | None, *, holds: bool
) -> None:
    assert kpi.holds(value) is holds


def slips(lane: str, *receipts: KpiReceipt) -> list[str]:
    return kpi_slips({"r1": lane}, receipts, PROMISES)


def test_only_a_kept_promise_completes_a_run() -> None:
    assert slips("code", KpiReceipt("r1", "test_pass_rate", 0.95, passed=True)) == []
    assert slips("free") == []
    assert slips("code") == ["r1 is complete without a receipt of test_pass_rate"]
    other = KpiReceipt("r2", "test_pass_rate", 1.0, passed=True)
    assert slips("code", other) == ["r1 is complete without a receipt of test_pass_rate"]


def test_a_receipt_that_calls_red_green_is_told() -> None:
    (slip,) = slips("code", KpiReceipt("r1", "test_pass_rate", 0.8, passed=True))
    assert slip == (
        "r1 is complete with test_pass_rate 0.8, promised test_pass_rate >= 0.95, "
        "which its receipt calls passed"
    )
    (slip,) = slips("code", KpiReceipt("r1", "test_pass_rate", None, passed=False))
    assert "test_pass_rate None" in slip
    (slip,) = slips("schema", KpiReceipt("r1", "schema_diffs", 0, passed=False))
    assert slip == "r1 is complete although its receipt of schema_diffs says failed"


def report(folder: Path, cases: str) -> Path:
    path = folder / "report.xml"
    path.write_text(f"<testsuites><testsuite>{cases}</testsuite></testsuites>", encoding="utf-8")
    return path


GOOD, BAD, ODD = (
    "<testcase name='a'/>",
    "<testcase name='b'><failure/></testcase>",
    "<testcase name='c'><skipped/></testcase>",
)


@pytest.mark.parametrize(
    ("cases", "status", "says"),
    [
        (GOOD, 0, ""),
        (GOOD + BAD, 1, ""),
        (GOOD + BAD, 0, "exit status 0 over 1 failing tests of 2"),
        ("<testcase name='b'><error/></testcase>", 0, "exit status 0 over 1 failing tests of 1"),
        (ODD, 0, "exit status 0 although no test was executed"),
        ("", 0, "exit status 0 although no test was executed"),
        (GOOD, 2, "exit status 2 although no test of 1 failed"),
    ],
)
def test_an_exit_status_that_contradicts_its_tests(
    tmp_path: Path, cases: str, status: int, says: str
) -> None:
    assert RanTests.read(report(tmp_path, cases), status).contradiction == says


def test_what_was_skipped_is_no_pass(tmp_path: Path) -> None:
    assert RanTests.read(report(tmp_path, GOOD * 3 + BAD + ODD), 1).rate == Fraction(3, 4)
    with pytest.raises(NoValueError, match="no pass rate"):
        _ = RanTests.read(report(tmp_path, ODD), 0).rate


@pytest.mark.parametrize("text", ["green", "<!DOCTYPE x []><testsuite/>", "<testsuite>"])
def test_what_is_no_report_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "report.xml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(RolloutError, match=r"report\.xml"):
        RanTests.read(path, 0)
    with pytest.raises(RolloutError, match=r"none\.xml is no report"):
        RanTests.read(tmp_path / "none.xml", 0)
