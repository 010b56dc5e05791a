"""Week 3: violations of each check are planted beside sound neighbours, and validations follow."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pytest_rollout import Message, Reported, RolloutError, Stage, reported, scenario
from suites.pipeline.scenarios.triggers import without_schedule
from suites.pipeline.scenarios.weeks import Seen
from suites.pipeline.views.channels import heard
from suites.pipeline.views.guidance import TYPE, guided
from suites.pipeline.views.hub import Hub
from suites.pipeline.views.journal import ASSIGNED, COPILOT, SUITE, TRIAGE, Issue, Journal, Run
from suites.pipeline.views.schedules import ASSIGN, DAILY, FOLDER, LIVE, PROCESS, VALIDATE
from suites.pipeline.views.summaries import read_json
from suites.pipeline.views.violations import CHECKS, COMPLAINT, STALE

MONITOR, TRACK = "ops-site-monitoring.yml", "ops-copilot-tracking.yml"
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
FIVE_VALIDATIONS = timedelta(hours=4, minutes=40)
FIXED = timedelta(hours=1, minutes=40)  # after two of them
VIOLATES, SOUND = "Drill: ", "Drill: no "  # titles of planted issues; then the check
SECOND = f"{VIOLATES}label-drift, once more"


@dataclass(frozen=True, slots=True)
class Validation:
    """One run of the validator."""

    at: datetime  # its begin
    ended: datetime
    found: frozenset[tuple[str, int]]  # check and issue
    critical: frozenset[tuple[str, int]]
    checked: int
    counts: Mapping[str, int]  # of findings, by check, as it says itself
    named: bool  # it names its own run, at a time of that


@dataclass(frozen=True)
class Planted:
    """What was planted, what each validation found, and who was told."""

    begin: datetime
    violations: Mapping[str, int]  # issue by check
    neighbours: Mapping[str, int]
    planted_at: Mapping[str, datetime]
    validations: tuple[Validation, ...]
    before: Mapping[int, Issue]  # the planted issues before any validation saw them
    journal: Journal
    told: tuple[Message, ...]
    comments: Mapping[int, int]  # how many of others each planted issue has at the end
    after_rollback: Sequence[Run] | None  # the validations of two hours; None: nobody rolled back
    left_on: frozenset[str] = frozenset()  # workflows whose schedule the rollback left


class Planter:
    """Makes issues, branches and files by the API."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub

    def issue(self, title: str, body: str, *labels: str) -> int:
        """An issue with labels; Copilot is the assignee of one that is with Copilot."""
        said = self._made("issues", "create", title=title, body=body, labels=list(labels))
        if COPILOT in labels:
            given = {"issue_number": said["number"], "assignees": ["Copilot"]}
            self._made("issues", "add_assignees", **given)
        return said.whole("number")

    def branch(self, name: str, file: str) -> None:
        """A branch from main, with a file on it."""
        main = self.hub.get("/git/ref/heads/main").inner("object").text("sha")
        self._made("git", "create_ref", ref=f"refs/heads/{name}", sha=main)
        content = base64.b64encode(b"notes\n").decode()
        put = {"path": file, "message": f"Add {file}", "content": content, "branch": name}
        self._made("repos", "create_or_update_file_contents", **put)

    def comment(self, number: int, text: str) -> None:
        """A comment, which is no change of an issue's state."""
        self._made("issues", "create_comment", issue_number=number, body=text)

    def _made(self, group: str, name: str, **given: object) -> Reported:
        """What was made, as GitHub describes it; raises RolloutError where it says otherwise."""
        answer = self.hub.described(group, name, **given)
        if answer.status_code != 201:
            raise RolloutError(f"{name} answers {answer.status_code}, not 201")
        return reported(answer)

    def handed_over(self, title: str, name: str) -> int:
        """An issue with Copilot, whose branch and file are there."""
        self.branch(f"work/{name}", f"work/{name}.md")
        return self.issue(title, guided(f"work/{name}", f"work/{name}.md"), COPILOT, TYPE)


def stop(hub: Hub, *others: str) -> None:
    """Disable what would work on planted issues, and other workflows."""
    for file in (MONITOR, ASSIGN, PROCESS, DAILY, *others):
        hub.ask("PUT", f"/actions/workflows/{file}/disable").raise_for_status()


def validations(hub: Hub, journal: Journal, begin: datetime, end: datetime) -> list[Validation]:
    """What each validation of a time found."""
    return [
        Validation(
            at=run.begun,
            ended=run.ended,
            found=_pairs(said.each("findings")),
            critical=_pairs(said.each("findings"), "critical"),
            checked=said.whole("checked"),
            counts={check: said.inner("checks").whole(check) for check in said.inner("checks")},
            named=said["run_id"] == run.id and run.begun <= said.moment("at") <= run.ended,
        )
        for run in journal.runs_of(VALIDATE, begin, end)
        if run.ended
        for said in [read_json(hub, run, "findings", "findings.json")]
    ]


def _pairs(findings: tuple[Reported, ...], severity: str = "") -> frozenset[tuple[str, int]]:
    return frozenset(
        (finding.text("check"), finding.whole("issue"))
        for finding in findings
        if not severity or finding["severity"] == severity
    )


def plant(planter: Planter) -> tuple[dict[str, int], dict[str, int]]:
    """One violation of each check but the stale one, each with a neighbour that just is none."""
    broken = guided("work/never-made", "work/never-made.md")
    left = guided("work/remnant", "work/remnant.md", "- <INSERT OBJECTIVE>")
    in_code = "- Quote the template: `<INSERT OBJECTIVE>`\n```\n{{ name }} TODO\n```"
    quoted = guided("work/quoted", "work/quoted.md", in_code)
    for name in ("remnant", "quoted"):
        planter.branch(f"work/{name}", f"work/{name}.md")
    violations = {
        "label-drift": planter.issue(VIOLATES + "label-drift", "a page", TRIAGE, ASSIGNED, TYPE),
        "orphaned-copilot": planter.issue(VIOLATES + "orphaned-copilot", "a page", COPILOT, TYPE),
        "template-remnants": planter.issue(VIOLATES + "template-remnants", left, COPILOT, TYPE),
        "broken-refs": planter.issue(VIOLATES + "broken-refs", broken, COPILOT, TYPE),
    }
    # A second one of a check: who counts findings must not stop at the first.
    planter.issue(SECOND, "a page", TRIAGE, ASSIGNED, TYPE)
    planter.issue("The result still says TODO", left, COMPLAINT)
    neighbours = {
        "label-drift": planter.issue(SOUND + "label-drift", "a page", ASSIGNED, TYPE),
        "orphaned-copilot": planter.handed_over(SOUND + "orphaned-copilot", "guided"),
        "template-remnants": planter.issue(SOUND + "template-remnants", quoted, COPILOT, TYPE),
        "broken-refs": planter.handed_over(SOUND + "broken-refs", "with-branch"),
    }
    return violations, neighbours


def drilled(seen: Seen, told: Sequence[Message]) -> Planted:
    """What people planted in the time of the phase: issues with the titles of a drill."""
    titles = {issue.title: issue for issue in seen.journal.issues.values()}
    violations = {c: titles[VIOLATES + c] for c in CHECKS if VIOLATES + c in titles}
    neighbours = {c: titles[SOUND + c] for c in CHECKS if SOUND + c in titles}
    since = {check: issue.events[0].at for check, issue in violations.items() if issue.events}
    if "stale-copilot" in since:
        since["stale-copilot"] += STALE
    return Planted(
        begin=seen.begin,
        violations={check: issue.number for check, issue in violations.items()},
        neighbours={check: issue.number for check, issue in neighbours.items()},
        planted_at=since,
        validations=tuple(validations(seen.hub, seen.journal, seen.begin, seen.end)),
        before={},  # others work on them, so nobody can tell who changed what
        journal=seen.journal,
        told=tuple(told),
        comments={},
        after_rollback=None,
    )


@scenario(effect="disrupt", own_target=True)
def violations_planted(phase: Stage) -> Planted:
    """Only validation runs. Two issues are with Copilot for a week; then the rest is planted.

    One problem is fixed for one validation, and comes back.
    """
    hub, clock, begin = Hub.of(phase), phase.target("github").clock, phase.window[0]
    planter = Planter(hub)
    clock.to(begin + timedelta(minutes=5))
    stop(hub, TRACK)
    old = clock.now()
    stale = planter.handed_over(VIOLATES + "stale-copilot", "stale")
    clock.to(begin + timedelta(hours=6, minutes=5))
    planter.comment(stale, "Is anybody at work on this?")
    neighbour = planter.handed_over(SOUND + "stale-copilot", "not-stale")
    clock.to(old + STALE)
    now = clock.now()
    violations, neighbours = plant(planter)
    violations["stale-copilot"], neighbours["stale-copilot"] = stale, neighbour
    mine = {*violations.values(), *neighbours.values()}
    issues = hub.journal(now, since=begin).issues
    second = next(issue.number for issue in issues.values() if issue.title == SECOND)
    clock.to(now + FIXED)
    hub.ask("DELETE", f"/issues/{second}/labels/{ASSIGNED}").raise_for_status()
    clock.to(now + FIXED + HOUR)
    hub.ask("POST", f"/issues/{second}/labels", json={"labels": [ASSIGNED]}).raise_for_status()
    clock.to(now + FIVE_VALIDATIONS)
    journal = hub.journal(clock.now(), since=begin)
    seen, comments = clock.now(), _comments(hub, mine)
    path = f"{FOLDER}/{PROCESS}"
    phase.operate("github", "security-alert", kind="code-scanning", path=path)
    clock.to(seen + 2 * HOUR)
    return Planted(
        begin=begin,
        violations=violations,
        neighbours=neighbours,
        planted_at={**dict.fromkeys(violations, now), "stale-copilot": old + STALE},
        validations=tuple(validations(hub, journal, now - DAY, seen)),
        before={number: issues[number] for number in mine},
        journal=journal,
        told=tuple(heard(phase, begin)),
        comments=comments,
        after_rollback=_validated(hub, seen),
        left_on=frozenset(LIVE) - set(without_schedule(hub)),
    )


def _comments(hub: Hub, issues: Iterable[int]) -> dict[int, int]:
    """How many comments each issue has that are not this suite's."""
    return {
        n: sum(row["user"]["login"] != SUITE for row in hub.pages(f"/issues/{n}/comments"))
        for n in issues
    }


def _validated(hub: Hub, since: datetime) -> list[Run]:
    """The validations that the schedule started from a moment on."""
    runs = hub.runs(created=f">={since.isoformat().replace('+00:00', 'Z')}")
    return [run for run in runs if run.file == VALIDATE and run.scheduled]
