"""Week 3: the validator finds what is wrong, only that, every hour, and people are told."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from pytest_rollout import NoValueError, Observe, Stage
from suites.pipeline.scenarios.planted import (
    SOUND,
    VIOLATES,
    Planted,
    Validation,
    drilled,
    validations,
)
from suites.pipeline.scenarios.weeks import Seen
from suites.pipeline.views.channels import LEAD, findings_in, heard, mails, posts, text_of
from suites.pipeline.views.guidance import read_guidance
from suites.pipeline.views.journal import ASSIGNED, COPILOT, TRIAGE, Issue, demand
from suites.pipeline.views.schedules import VALIDATE
from suites.pipeline.views.violations import (
    CHECKS,
    COMPLAINT,
    TRACKED,
    References,
    concerned,
    severity_of,
    violates,
)

pytestmark = pytest.mark.week3_checks

HOURLY = re.compile(r"\d+ \* \* \* \*")
SOON = timedelta(minutes=5)
SECOND = timedelta(seconds=1)
CRITICAL = "broken-refs"  # of the five checks the one that is mailed
HARMLESS = "label-drift"


@pytest.mark.criterion("issues-in-every-state")
@pytest.mark.parametrize("label", [TRIAGE, ASSIGNED, COPILOT])
def test_there_is_something_to_check(before: Seen, label: str) -> None:
    day = before.end - timedelta(days=1)
    spans = [span for issue in before.journal.work for span in issue.spans(label, before.end)]
    assert any(end > day for _, end in spans), f"no issue had {label} in the last day"


# The schedule


@pytest.mark.criterion("validation-workflow-present")
def test_the_validator_is_scheduled_hourly(week: Seen) -> None:
    crons = week.file(VALIDATE).crons
    assert len(crons) == 1, f"{VALIDATE} has the schedules {crons}"
    assert HOURLY.fullmatch(crons[0]), f"{VALIDATE} is scheduled for {crons[0]!r}"
    assert week.file(VALIDATE).commands, f"{VALIDATE} runs no command"


@pytest.mark.criterion("validation-workflow-present")
def test_the_schedule_starts_it_and_it_ends_well(week: Seen) -> None:
    begin, end = week.days[-1]
    runs = week.journal.scheduled(VALIDATE, begin, end)
    good = sum(run.good for run in runs)
    # GitHub may drop a start; that each hour has one is a criterion of its own.
    assert good >= 20, f"on {begin.date()} {len(runs)} validations began, and {good} ended well"


@pytest.mark.criterion("validation-runs-hourly")
def test_the_validator_ran_in_each_hour(week: Seen, observe: Observe) -> None:
    begin, _ = week.days[-1]
    runs = demand(week.journal.scheduled(VALIDATE), "validation by schedule")
    for hour in range(24):
        since = begin + timedelta(hours=hour)
        ran = [r for r in runs if since <= r.begun < since + timedelta(hours=1) and r.good]
        observe("hour_without_validation", not ran, at=since)


# Planted violations, and neighbours that are none


@pytest.fixture(scope="session")
def planted(phase: Stage, request: pytest.FixtureRequest) -> Planted:
    """What was planted: by the rehearsal, which stops all other work, or by people."""
    if phase.embedded:
        made: Planted = request.getfixturevalue("violations_planted")
        return made
    seen: Seen = request.getfixturevalue("week")
    return drilled(seen, heard(phase, seen.begin, seen.end))


def _planted(planted: Planted, check: str) -> tuple[int, int]:
    """The violation of a check and its neighbour; raises NoValueError where nobody planted them."""
    for issues, title in ((planted.violations, VIOLATES), (planted.neighbours, SOUND)):
        if check not in issues:
            raise NoValueError(f"nobody planted an issue titled {title + check!r}")
    return planted.violations[check], planted.neighbours[check]


def _after(planted: Planted, check: str) -> list[Validation]:
    """The validations since a violation stood."""
    later = [
        validation
        for validation in planted.validations
        if validation.at >= planted.planted_at[check]
    ]
    return demand(later, f"validation after the violation of {check} was planted")


@pytest.mark.parametrize(
    "check", [pytest.param(c, marks=pytest.mark.criterion(f"detects-{c}")) for c in CHECKS]
)
def test_a_planted_violation_is_found(planted: Planted, check: str, observe: Observe) -> None:
    violation, neighbour = _planted(planted, check)
    first = _after(planted, check)[0]
    missed = (check, violation) not in first.found
    observe("planted_violation_missed", missed, check=check, issue=violation)
    accused = [name for name, number in first.found if number == neighbour]
    why = f"found {', '.join(accused)}" if accused else ""
    observe("planted_violation_missed", bool(accused), check=check, issue=neighbour, why=why)


@pytest.mark.parametrize(
    "check", [pytest.param(c, marks=pytest.mark.criterion(f"detects-{c}")) for c in CHECKS]
)
def test_each_validation_counts_what_it_found(planted: Planted, check: str) -> None:
    for validation in demand(list(planted.validations), "validation"):
        for name in (check, "conflicting-states"):
            counted = sum(other == name for other, _ in validation.found)
            said = validation.counts.get(name)
            shown = f"the validation of {validation.at} says {said} of {name}; it has {counted}"
            assert said == counted, shown
        assert validation.named, f"the findings of {validation.at} are of another run or time"
        due = {pair for pair in validation.found if severity_of(pair[0]) == "critical"}
        assert validation.critical == due, (
            f"critical at {validation.at} are {validation.critical}, and not {due}"
        )


@pytest.mark.rehearsal_only
@pytest.mark.criterion("detects-template-remnants")
def test_what_is_no_work_is_not_looked_at(planted: Planted) -> None:
    last, issues = planted.validations[-1], planted.journal.issues
    work = {n: issue for n, issue in issues.items() if not issue.labels & {COMPLAINT, TRACKED}}
    accused = sorted(number for _, number in last.found if number not in work)
    assert not accused, f"issues {accused} are no work of the pipeline, and they are found"
    later = {
        n for n, issue in work.items() if any(at > last.ended for at in issue.times("closed", ""))
    }
    there = [number for number, issue in work.items() if not issue.closed or number in later]
    shown = f"the last validation looked at {last.checked} issues"
    assert last.checked == len(there), f"{shown}, and {len(there)} of the pipeline's are open"


@pytest.mark.criterion("detects-stale-copilot")
def test_nothing_is_stale_before_its_week_is_over(planted: Planted) -> None:
    wrong = ("stale-copilot", _planted(planted, "stale-copilot")[0])
    early = [v for v in planted.validations if v.at < planted.planted_at["stale-copilot"]]
    moments = [v.at for v in demand(early, "validation in the first week") if wrong in v.found]
    assert not moments, (
        f"the issue is called stale at {moments[0]}, before its seven days were over"
    )


@pytest.mark.criterion("validation-readonly")
def test_the_validator_changes_no_issue(planted: Planted, observe: Observe) -> None:
    demand(list(planted.validations), "validation")
    for number, was in demand(list(planted.before.items()), "issue that only validation saw"):
        now = planted.journal.issues[number]
        changed = now != was or planted.comments[number] > 0
        observe("changed_by_validator", changed, issue=number)


@pytest.mark.criterion("validation-outlives-rollback")
def test_validation_goes_on_after_a_rollback(planted: Planted) -> None:
    if planted.after_rollback is None:
        raise NoValueError("nobody rolled back, so nothing shows that the validation goes on")
    left = ", ".join(sorted(planted.left_on))
    assert not left, f"an alert about a workflow left the schedule of {left} on"
    good = [run for run in planted.after_rollback if run.good]
    assert len(good) >= 2, f"in the two hours after a rollback {len(good)} validations ended well"


# The live state


def _live(week: Seen) -> References:
    """The branches that are there, and the files that open issues name."""
    branches = frozenset(row["name"] for row in week.hub.pages("/branches"))
    files = {}
    for issue in week.journal.work:
        said = read_guidance(issue.body)
        if said.branch in branches and not issue.closed:
            path = f"/contents/{said.file}"
            answer = week.hub.ask("GET", path, params={"ref": said.branch})
            files[said.branch, said.file] = answer.is_success
    return References(branches, files)


@pytest.fixture(scope="session")
def live(week: Seen) -> References:
    """What the live issues may refer to."""
    return _live(week)


@pytest.mark.parametrize(
    "check", [pytest.param(c, marks=pytest.mark.criterion(f"clean-{c}")) for c in CHECKS]
)
def test_the_live_state_is_clean(
    week: Seen, live: References, check: str, observe: Observe
) -> None:
    for issue in week.journal.work:
        if not issue.closed and concerned(check, issue):
            wrong = violates(check, issue, week.journal.now, live)
            at = week.journal.now
            observe("live_violation", wrong, at=at, check=check, issue=issue.number)


@pytest.mark.parametrize(
    "check", [pytest.param(c, marks=pytest.mark.criterion(f"clean-{c}")) for c in CHECKS]
)
def test_the_validator_says_the_same_of_the_live_state(week: Seen, check: str) -> None:
    runs = validations(week.hub, week.journal, week.days[-1][0], week.end)
    last = demand(runs, "validation on the last day")[-1]
    accused = sorted(number for name, number in last.found if name == check)
    due = [_open(week, moment) for moment in (last.at, last.ended)]
    assert last.checked > 0, "the last validation looked at no issue"
    assert min(due) <= last.checked <= max(due), (
        f"the last validation looked at {last.checked} issues, {max(due)} were open"
    )
    assert not accused, f"the last validation finds {check} of the issues {accused}"


def _open(week: Seen, moment: datetime) -> int:
    """How many issues of the pipeline were open at a moment."""
    return sum(issue.open_at(moment) for issue in week.journal.work)


# Who is told


@pytest.mark.criterion("alert-slack-any-failure")
def test_the_channel_hears_of_each_check(planted: Planted, observe: Observe) -> None:
    for check in CHECKS:
        number, _ = _planted(planted, check)
        first = _after(planted, check)[0]
        told = [
            m for m in posts(list(planted.told), "quality: ") if _names(text_of(m), check, number)
        ]
        soon = [m for m in told if first.at <= m.at <= first.ended + SOON]
        why = f"{len(told)} messages, {len(soon)} of them after the first validation"
        wrong = len(told) != 1 or len(soon) != 1
        observe("failure_without_slack", wrong, at=first.at, check=check, why=why)
    for before, validation in pairwise(planted.validations):
        during = [m for m in planted.told if validation.at <= m.at <= validation.ended + SOON]
        named = sorted(pair for m in posts(during, "quality: ") for pair in findings_in(text_of(m)))
        new = sorted(validation.found - before.found)
        assert named == new, f"of the validation of {validation.at} it was told {named}, not {new}"


def _names(text: str, check: str, number: int) -> bool:
    """Whether a text names a check with an issue."""
    return re.search(rf"\b{check} #{number}\b", text) is not None


def _tracking(planted: Planted, check: str) -> list[Issue]:
    """The tracking issues of a planted violation."""
    title = f"{check}: issue #{_planted(planted, check)[0]}"
    return [
        issue
        for issue in planted.journal.issues.values()
        if "quality::tracking" in issue.labels and issue.title == title
    ]


@pytest.mark.criterion("alert-issue-persistent")
@pytest.mark.parametrize("check", CHECKS)
def test_a_persistent_problem_has_one_tracking_issue(planted: Planted, check: str) -> None:
    runs = _after(planted, check)
    if len(runs) < 5:
        raise NoValueError(f"{len(runs)} validations saw the violation of {check}, not five")
    tracking = _tracking(planted, check)
    assert len(tracking) == 1, f"{len(runs)} validations in a row opened {len(tracking)} issues"
    opened = demand(tracking[0].times("labeled", "quality::tracking"), "time of its opening")[0]
    assert runs[2].at <= opened <= runs[2].ended + SOON, (
        f"it was opened at {opened}, the third validation began at {runs[2].at}"
    )


@pytest.mark.criterion("alert-email-critical")
def test_the_lead_is_mailed_of_a_critical_finding(planted: Planted, observe: Observe) -> None:
    number, _ = _planted(planted, CRITICAL)
    first = _after(planted, CRITICAL)[0]
    sent = mails(list(planted.told), f"[critical] {CRITICAL} #{number}", LEAD)
    soon = [m for m in sent if first.at <= m.at <= first.ended + SOON]
    why = f"{len(sent)} mails, {len(soon)} of them after the first validation"
    wrong = len(sent) != 1 or len(soon) != 1
    observe("critical_finding_without_mail", wrong, at=first.at, check=CRITICAL, why=why)
    about = str(soon[0].body.get("text") or "") if soon else ""
    assert not soon or f"#{number}" in about, f"the mail does not say of which issue: {about[:80]}"


@pytest.mark.criterion("alert-email-critical")
def test_the_lead_is_not_mailed_of_another_finding(planted: Planted) -> None:
    number, _ = _planted(planted, HARMLESS)
    assert (HARMLESS, number) in _after(planted, HARMLESS)[0].found, f"{HARMLESS} is not found"
    sent = [m for m in mails(list(planted.told), "[critical]") if f"#{number}" in text_of(m)]
    assert not sent, f"a warning was mailed as critical: {text_of(sent[0])[:80]}"


@pytest.mark.criterion("alert-none-when-clean")
def test_nothing_is_sent_while_all_is_clean(planted: Planted, observe: Observe) -> None:
    clean = [validation for validation in planted.validations if not validation.found]
    said = [*posts(list(planted.told), "quality: "), *mails(list(planted.told), "[critical]")]
    for validation in demand(clean, "validation that found nothing"):
        during = [m for m in said if validation.at <= m.at <= validation.ended + SOON]
        observe("alert_while_clean", len(during), at=validation.at)
