"""Week 3: Copilot does not finish, and the path of escalation is followed to its end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pytest_rollout import NoValueError, Stage, scenario
from suites.pipeline.scenarios.planted import stop
from suites.pipeline.scenarios.weeks import WEEK, Seen, last_moment, look
from suites.pipeline.views.channels import OPERATIONS, heard, posts
from suites.pipeline.views.cohorts import TWO_DAYS, Assignment, assignments
from suites.pipeline.views.hub import Hub
from suites.pipeline.views.journal import COPILOT, Run
from suites.pipeline.views.schedules import VALIDATE
from suites.pipeline.views.tracking import TRACK

DUE = {  # since the assignment: its deadline of 48 h, and so many days overdue
    "reminder": TWO_DAYS + timedelta(days=3),
    "notice": TWO_DAYS + timedelta(days=7),
    "review": TWO_DAYS + timedelta(days=14),
}
REMINDER, REVIEW = "<!-- pipeline:reminder -->", "review::manual"
LOOKS = timedelta(hours=1)
LATE = LOOKS + timedelta(minutes=15)  # the first look after it is due, and its work


@dataclass(frozen=True)
class Overdue:
    """Assignments that took long, and what was done about each."""

    seen: Seen
    made: Sequence[Assignment]
    steps: Mapping[int, Mapping[str, Sequence[datetime]]]  # times by issue and step
    looks: Sequence[Run]
    stuck: int | None  # one that never ends; in a rehearsal, as the next two
    late: int | None  # one that is complete after its reminder
    soon: int | None  # one that is complete just before its reminder is due

    def due(self, step: str) -> list[tuple[Assignment, bool]]:
        """Each assignment, and whether the step was due before it was complete."""
        now = self.seen.journal.now
        return [
            (assignment, (assignment.done or now) >= assignment.at + DUE[step] + LATE)
            for assignment in self.made
            if not _close(assignment, step, now)
        ]

    def times(self, issue: int, step: str) -> Sequence[datetime]:
        """When a step was taken for an issue."""
        return self.steps.get(issue, {}).get(step, ())


def _close(assignment: Assignment, step: str, now: datetime) -> bool:
    """Whether it ended so near to the time of a step that either is right."""
    due = assignment.at + DUE[step]
    return due <= (assignment.done or now) < due + LATE


def escalated(phase: Stage, seen: Seen, held: Sequence[int]) -> Overdue:
    """What was done about assignments that took long."""
    ids: list[int | None] = [*held] or [None, None, None]
    return Overdue(
        seen=seen,
        made=assignments(seen.journal.work),
        steps=_steps(phase, seen),
        looks=[run for run in seen.journal.runs_of(TRACK) if run.ended],
        stuck=ids[0],
        late=ids[1],
        soon=ids[2],
    )


@scenario()
def tracked_week(phase: Stage, before: Seen) -> Seen:
    """The seven days of the phase; in a rehearsal Copilot is blocked on a young one at their end.

    What is too young to be judged must not count as blocked either.
    """
    begin = before.end
    if phase.embedded:
        clock = phase.target("github").clock
        clock.to(last_moment(begin) - 3 * LOOKS)
        there = Hub.of(phase).issues()
        open_ones = [m for m in assignments(there.values()) if COPILOT in there[m.issue].labels]
        if not open_ones:
            raise NoValueError("no assignment is open that Copilot could be blocked on")
        phase.operate("github", "block-copilot", issue=open_ones[-1].issue)
        clock.to(last_moment(begin))
    return look(phase, begin, begin + WEEK, before)


@scenario(effect="disrupt", own_target=True)
def copilot_held(phase: Stage) -> Overdue:
    """Three assignments are held: for ever, six days, and nearly five; all else stands still.

    On the first one Copilot is blocked until a person steps in, and is given it again.
    """
    begin = phase.window[0]
    held = _hold(phase, begin)
    seen = look(phase, begin, begin + timedelta(days=7))
    tried = escalated(phase, seen, [assignment.issue for assignment in held])
    ends = {assignment.issue: assignment.done for assignment in tried.made}
    given = Hub.of(phase).issues()[held[0].issue].times("labeled", COPILOT)
    if len(given) < 2:
        raise NoValueError(f"#{held[0].issue} was blocked, and Copilot was not given it again")
    done = [bool(ends[assignment.issue]) for assignment in held]
    if done != [False, True, True]:
        raise NoValueError(f"of what was held for ever, six days and nearly five is done: {done}")
    return tried


def _hold(phase: Stage, begin: datetime) -> list[Assignment]:
    """Hold the three newest assignments of the first morning, and let time pass until day 17."""
    clock = phase.target("github").clock
    clock.to(begin + timedelta(hours=8, minutes=30))
    there = Hub.of(phase).issues()
    made = assignments(there.values())
    open_ones = [assignment for assignment in made if COPILOT in there[assignment.issue].labels]
    if len(open_ones) < 3:
        raise NoValueError(f"{len(open_ones)} assignments are open, and three are to be held")
    held = open_ones[-3:]
    for assignment in held:
        phase.operate("github", "hold-copilot", issue=assignment.issue)
    phase.operate("github", "block-copilot", issue=held[0].issue)
    stop(Hub.of(phase), VALIDATE)
    clock.to(held[2].at + DUE["reminder"] - timedelta(hours=2))
    phase.operate("github", "release-copilot", issue=held[2].issue)
    clock.to(held[1].at + DUE["reminder"] + timedelta(days=1))
    phase.operate("github", "release-copilot", issue=held[1].issue)
    clock.to(held[0].at + DUE["review"] + timedelta(days=1))
    return held


def _steps(phase: Stage, seen: Seen) -> dict[int, dict[str, list[datetime]]]:
    """What was done about each issue: comments, messages and labels, as they arrived."""
    by_issue: dict[int, dict[str, list[datetime]]] = {
        issue.number: {"reminder": [], "notice": [], "review": issue.times("labeled", REVIEW)}
        for issue in seen.journal.work
    }
    for row in seen.hub.pages("/issues/comments"):
        number = int(row["issue_url"].rsplit("/", 1)[-1])
        if row["body"].startswith(REMINDER) and number in by_issue:
            by_issue[number]["reminder"].append(datetime.fromisoformat(row["created_at"]))
    notices = posts(heard(phase, seen.begin - timedelta(days=60)), "", OPERATIONS)
    for number, steps in by_issue.items():
        wanted = f"overdue: #{number}"
        texts = ((str(m.body.get("text", "")), m.at) for m in notices)
        steps["notice"] = [at for text, at in texts if _begins(text, wanted)]
    return by_issue


def _begins(text: str, wanted: str) -> bool:
    """Whether a text begins with a number of an issue, and not with a longer one."""
    return text.startswith(wanted) and not text[len(wanted) :][:1].isdigit()
