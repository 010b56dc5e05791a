"""Reports say what a decision says beside its verdict: controls, validity, who ran it."""

from __future__ import annotations

from dataclasses import replace

from pytest_rollout.model.decision import Decision
from pytest_rollout.model.finding import Reason
from pytest_rollout.model.provenance import Bound, Producer, input_of
from pytest_rollout.model.verdict import Verdict
from pytest_rollout.report.html import to_html
from pytest_rollout.report.markdown import to_markdown
from tests.report import report_decisions as given


def told() -> Decision:
    good = replace(given.PASSING[0], controls=("B-2", "A-1"))
    bad = replace(given.criterion("broken", Verdict.FAIL), controls=("B-2",))
    off = replace(given.criterion("off", Verdict.NOT_APPLICABLE), controls=("A-1", "C-3"))
    ends = Bound("2025-11-11T10:12:04-05:00", Reason("ends.waiver", {"criterion": "p.a.c"}))
    return given.decision(
        criteria=(good, bad, off),
        ends=(ends,),
        valid_until=ends.until,
        producer=Producer("github-actions", "https://ci/1", "abc123"),
        inputs=(input_of("rollout-run:r1", "0" * 64),),
        versions={"pytest": "9.1"},
    )


def test_criteria_are_grouped_by_control_with_the_worst_verdict() -> None:
    text = to_markdown(told())
    _, _, table = text.partition("## Controls")
    rows = [line for line in table.splitlines() if line.startswith("| `")]
    assert [[cell.strip() for cell in row.split("|")[1:3]] for row in rows] == [
        ["`A-1`", "pass"],
        ["`B-2`", "fail"],
        ["`C-3`", "not applicable"],
    ]
    assert rows[1].index("broken") < rows[1].index(given.PASSING[0].id)


def test_without_controls_there_is_no_such_table() -> None:
    assert "Controls" not in to_markdown(given.decision())
    assert 'id="controls"' not in to_html(given.decision())


def test_both_reports_say_until_when_and_by_whom() -> None:
    for page in (to_markdown(told()), to_html(told())):
        assert "2025-11-11T10:12:04-05:00: the waiver of" in page
        assert "https://ci/1 commit abc123 (not authenticated)" in page
        assert "pytest 9.1" in page
        assert "1 input" in page
    html = to_html(told())
    assert html.index('id="controls"') < html.index("A-1</th>") < html.index("C-3</th>")
