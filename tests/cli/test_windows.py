"""When the verbs say that a phase is open for its changes."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Project
from tests.evidence.runs import ENTRY, PLAN, Writer


@pytest.mark.parametrize(
    ("windows", "clear", "said"),
    [
        ("", "yes", "open now, with no end in sight"),
        ("windows: {freeze: [{why: year end}]}\n", "no ", "is in a freeze: year end; does not"),
        ("windows: {change: [{from: 2100-01-01}]}\n", "no ", "does not open within 400 days"),
        ("windows: {freeze: [{to: 2025-01-01}]}\n", "yes", "open now, with no end in sight"),
    ],
)
def test_clear_says_when_it_opens(project: Project, windows: str, clear: str, said: str) -> None:
    project.plan.write_text(windows + PLAN)
    with project.ledger() as ledger:
        Writer(ledger, environment="prod", gates=(ENTRY,), text=windows + PLAN).good()
    out = project.rollout("clear", "demo.canary/entry", "--env", "prod").out
    (line,) = [line for line in out.splitlines() if "window: " in line]
    assert line.startswith(f"  {clear}  window: ")
    assert said in line


def test_status_says_when_each_phase_opens(project: Project) -> None:
    (row,) = [line for line in project.rollout("status").out.splitlines() if "canary  " in line]
    assert row.endswith("exit undecided")
    row = project.rollout("status", "--json").json["phases"][0]
    assert (row["opens"], row["opening"][1]) == ("", None)
    dated = '  - {id: done, date: 2025-11-10, hours: "09:00-11:00"}\n'
    later = '  - {id: later, date: 2195-11-10, hours: "09:00-11:00"}\n'
    project.plan.write_text(PLAN + dated + later)
    lines = project.rollout("status").out.splitlines()
    over, opens = [line for line in lines if line.startswith("    ") and "0-11:00 UTC; " in line]
    assert over.endswith("its window is over")
    assert "opens Tuesday 2195-11-10 09:00 UTC (in " in opens
    assert opens.endswith("for 2 h, then its window is over")
    rows = project.rollout("status", "--json").json["phases"]
    assert rows[1]["opening"] == []
    assert rows[2]["opening"] == ["2195-11-10T09:00:00.000000Z", "2195-11-10T11:00:00.000000Z"]


@pytest.mark.slow
def test_check_names_phases_that_are_never_open(project: Project) -> None:
    friday = '  - {id: tuning, date: 2025-11-14, hours: "11:00-12:30"}\n'
    project.plan.write_text("windows: {change: [{days: mon-thu}]}\n" + PLAN + friday)
    out = project.rollout("check").out
    assert "note: demo.tuning (Fri 2025-11-14 11:00-12:30 UTC) is never open" in out
    project.plan.write_text("windows: {change: [{days: mon-fri}]}\n" + PLAN + friday)
    assert "never open" not in project.rollout("check").out
