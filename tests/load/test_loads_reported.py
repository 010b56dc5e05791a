"""The report of a load beside its decision: what is void of its record, and what counts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_rollout.load.reports import load_reports
from pytest_rollout.model.coding import encode
from pytest_rollout.model.decision import Decision
from pytest_rollout.model.load import EndpointLoad, LoadRecord, LoadSecond
from pytest_rollout.model.verdict import Verdict
from pytest_rollout.report.load_html import to_html
from pytest_rollout.report.load_words import LoadReport
from tests.evidence.runs import FAIL, PLAN, Writer, opened, plan_of
from tests.load.records import record_of, seconds

LOADS = """\
loads:
  - id: nightly
    locustfile: load/web.py
    target: api
    rate: 100/s
    duration: 10s
    warm_up: 2s
    law: even
    need: 100
phases:
"""
TEXT = PLAN.replace("phases:\n", LOADS).replace(
    "{id: works, kind: demo, says: It works}",
    "{id: works, kind: demo, says: It works, metric: load_failed, take: rate, pass: '< 2%'}",
)


@pytest.fixture
def decision(tmp_path: Path) -> Decision:
    with opened(tmp_path / "ledger.db") as ledger:
        run = Writer(ledger, "r1", "prod", TEXT)
        run.start()
        run.manifest()
        run.checks(FAIL)
        run.seal()
        return run.decide().decisions[1]


def reported(record: LoadRecord, decision: Decision) -> LoadReport:
    content = json.dumps(encode(record)).encode()
    made = load_reports([("load.nightly.json", content)], plan_of(TEXT), decision)
    assert not made.notes
    (report,) = made.reports
    return report


def failing(record: LoadRecord, told: Sequence[LoadSecond]) -> tuple[EndpointLoad, ...]:
    """The endpoints of a record with the failures that its seconds tell."""
    left, found = sum(second.failed for second in told), []
    for endpoint in record.endpoints:
        failed = min(left, endpoint.requests)
        left -= failed
        found.append(replace(endpoint, failures=failed))
    return tuple(found)


def test_a_target_that_dies_makes_times_void_and_nothing_else(decision: Decision) -> None:
    good = record_of()
    whole = reported(good, decision)
    assert (whole.reasons, whole.of_times) == ((), ())
    died = tuple(replace(one, failed=one.answered) if one.second >= 6 else one for one in seconds())
    report = reported(replace(good, seconds=died, endpoints=failing(good, died)), decision)
    assert (report.reasons, report.believed) == ((), True)
    (said,) = report.of_times
    assert said.startswith("every request failed in the last 4 seconds")
    assert report.verdicts["demo.canary.works"] is Verdict.FAIL
    html = to_html(report)
    assert "not judged</span>" not in html
    assert ">fail</span>" in html
