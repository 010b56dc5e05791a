"""What windows, freezes and shared calendars mean for a run."""

from __future__ import annotations

import json

import pytest

from pytest_rollout.evidence.records import RecordKind
from tests.evidence.runs import append, opened
from tests.session.project import Project

STAGING = "environments:\n  staging: {allow: [change]}\n"
FREEZE = "windows: {freeze: [{why: year end}]}\n"
CALENDAR = """\
BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//x//y//EN
BEGIN:VEVENT
UID:1
SUMMARY:bank test
DTSTART:20251110T100000Z
DTEND:20251110T110000Z
END:VEVENT
END:VCALENDAR
"""
TESTS = """\
import datetime
import pytest

pytestmark = pytest.mark.canary


@pytest.mark.criterion("ready")
def test_ready():
    pass


@pytest.mark.criterion("works")
def test_works(phase):
    at = datetime.datetime(2025, 11, 10, 10, tzinfo=datetime.UTC)
    assert phase.frozen(at)
    assert not phase.frozen(at + datetime.timedelta(hours=1))


@pytest.mark.criterion("nice")
def test_nice():
    pass


@pytest.mark.criterion("errors")
def test_errors(observe):
    for number in range(3):
        observe("errors", 0, at=1_000 + number)
"""


@pytest.mark.parametrize(
    ("windows", "why"),
    [
        ("", None),
        (FREEZE, "is in a freeze: year end"),
        ("windows: {change: [{to: 2025-01-01}]}\n", "no change window admits a change"),
    ],
)
def test_a_change_is_refused_outside_of_its_windows(
    project: Project, windows: str, why: str | None
) -> None:
    project.change("phases:\n", f"{STAGING}{windows}phases:\n", "suites/demo/rollout.yaml")
    project.tests()
    project.change("def test_works(", '@pytest.mark.effect("change")\ndef test_works(')
    with opened(project.root / ".rollout" / "ledger.db") as ledger:
        begin = {"type": "begin", "t_us": 1, "says": "", "scenario": ""}
        append(ledger, RecordKind.EVENT, "r0", begin, "demo", "demo.canary", "staging")
    result = project.run("-m", "canary", "--rollout-env", "staging", "--rollout-gate", "exit")
    assert result.ret == (0 if why is None else 11)
    if why:
        result.stdout.fnmatch_lines([f"*has effect change, refused in staging: *{why}*"])


def test_a_shared_calendar_freezes_and_its_digest_is_kept(project: Project, how: list[str]) -> None:
    project.write("suites/demo/ops.ics", CALENDAR)
    include = "calendars: [{file: ops.ics, as: freeze}]\nphases:\n"
    dated = include + "  - {id: zero, date: 2025-11-10}\n"  # so that the calendar is read there
    project.change("phases:\n", dated, "suites/demo/rollout.yaml")
    project.tests(TESTS)
    assert project.run("-m", "canary", *how).ret == 0
    with opened(project.root / ".rollout" / "ledger.db") as ledger:
        (start,) = [one for one in ledger.between(1) if one.kind is RecordKind.RUN]
    (digest,) = json.loads(start.body)["calendars"]["demo"].values()
    assert len(digest) == 64


def test_a_decision_stands_without_the_calendar_of_its_plan(project: Project) -> None:
    calendar = project.write("suites/demo/ops.ics", CALENDAR)
    include = "calendars: [{file: ops.ics, as: freeze}]\nphases:\n"
    project.change("phases:\n", include, "suites/demo/rollout.yaml")
    project.tests()
    assert project.run("-m", "canary").ret == 0
    before = project.rollout("decide", "demo.canary", "--json")
    calendar.unlink()
    again = project.rollout("decide", "demo.canary", "--json")
    assert (again.ret, again.outlines) == (before.ret, before.outlines)
    assert before.ret == 0


def test_a_calendar_that_is_not_understood_lets_nothing_be_decided(project: Project) -> None:
    project.write("suites/demo/ops.ics", CALENDAR.replace("DTEND:20251110T110000Z\n", ""))
    include = "calendars: [{file: ops.ics, as: freeze}]\nphases:\n"
    project.change("phases:\n", include, "suites/demo/rollout.yaml")
    project.tests()
    result = project.run("-m", "canary")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*suites/demo/ops.ics:4: event 'bank test'*"])
