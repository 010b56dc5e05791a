"""The report that a plan asks for is made of what a run left in the ledger."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_rollout.plan.load import parse
from tests.session.project import PLAN, TESTS, Project

REPORTED = PLAN.replace(
    "    owners: [sre]\n",
    """\
    owners: [sre]
    signoff: [sre, pm]
    report:
      title: The end of the <demo>
      sections:
        - title: Summary
          figures:
            - {says: Duration, from: canary, to: canary}
            - {says: Errors, metric: errors, take: sum}
            - {says: Incidents, events: incident}
            - {says: Uptime, metric: probe, take: rate, as: percent}
        - title: By lane
          each: {lane: [A, B]}
          figures: [{says: Load, metric: load, take: mean}]
""",
)
MORE = """

@pytest.mark.criterion("nice")
def test_load(observe, phase):
    observe("load", 3, lane="A")
    phase.record("incident", "a disk was full")
"""


@pytest.fixture
def reported(project: Project) -> Project:
    project.plan(REPORTED)
    project.tests(TESTS + MORE)
    return project


def test_figures_come_from_the_ledger_and_nothing_is_made_up(reported: Project) -> None:
    assert reported.run("-m", "canary").ret == 0
    text = reported.rollout("report", "demo.canary", "--final", "--format", "md").stdout.str()
    assert "# The end of the &lt;demo>" in text
    for line in (
        "- Status: GO in a rehearsal, which accepts nothing",
        "- Errors: 0, n = 3",
        "- Incidents: 1: a disk was full",
        "- Uptime: N/A",
        "| A | 3, n = 1 |",
        "| B | N/A |",
        "| pm | N/A | N/A | no criterion of this gate is the role's to attest |",
        "- Decision: GO",
    ):
        assert line in text, text
    assert "| demo.canary.errors | hard | pass | 3 | sum of errors was 0" in text


def test_it_is_written_beside_the_gate_and_html_says_the_same(reported: Project) -> None:
    reported.run("-m", "canary")
    assert reported.rollout("report", "demo.canary").ret == 0
    folder = reported.root / "rollout-report/demo/embedded/canary/exit"
    page = (folder / "final-report.html").read_text(encoding="utf-8")
    assert "<span>The end of the &lt;demo&gt;</span></h1>" in page
    assert "<dt>Incidents</dt><dd>1: a disk was full</dd>" in page
    assert "- Incidents: 1: a disk was full" in (folder / "final-report.md").read_text()


def test_what_is_not_known_of_other_phases_is_said(reported: Project) -> None:
    reported.plan(REPORTED + "  - {id: after}\n")
    reported.run("-m", "canary")
    text = reported.rollout("report", "demo.canary", "--final", "--format", "md").stdout.str()
    assert "- Incidents: 1: a disk was full (nothing is known of after)" in text


def test_a_phase_that_asks_for_none_says_so(project: Project) -> None:
    project.plan()
    project.tests()
    project.run("-m", "canary")
    result = project.rollout("report", "demo.canary", "--final")
    assert result.ret == 4
    result.stderr.fnmatch_lines(["*the plan asks for no report of demo.canary/exit*"])


WRONG = {
    "metric: errors, take: sum": ("take: sum", "has one of `metric`, `events`, `from`"),
    "metric: probe, take: rate": ("metric: probe", "`metric` without `take`"),
    "from: canary, to: canary": ("from: canary", "`from` goes with `to`"),
    "events: incident": ("events: incident, phase: canry", "did you mean `canary`?"),
    "as: percent": ("as: per cent", "`as` is percent or number, not `per cent`"),
    "{lane: [A, B]}": ("{lane: 2}", "`each` does not list the values of `lane`"),
}


@pytest.mark.parametrize("old", WRONG)
def test_a_mistake_is_told_with_its_line(old: str) -> None:
    new, told = WRONG[old]
    loaded = parse(REPORTED.replace(old, new), Path("rollout.yaml"), "rollout.yaml")
    (problem,) = map(str, loaded.problems)
    assert problem.startswith("rollout.yaml:")
    assert told in problem
