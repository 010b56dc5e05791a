"""The live rehearsal, and what came of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from pytest_rollout import NoValueError, Observe, Stage
from suites.pipeline.scenarios.rehearsal import Rehearsal
from suites.pipeline.views.guidance import read_guidance
from suites.pipeline.views.hub import Hub
from suites.pipeline.views.journal import ASSIGNED, COPILOT, TRIAGE, Issue, demand
from suites.pipeline.views.people import kept, placeholder
from suites.pipeline.views.runs import BOT, Log, moved
from suites.pipeline.views.schedules import LIVE, workflow
from suites.pipeline.views.telemetry import Record, labels_told, miscounted, odd

pytestmark = pytest.mark.rehearsal

APART = timedelta(minutes=2)  # between what telemetry and GitHub say of one thing
COMMANDS = {
    "monitoring": "pipeline-monitor",
    "assignment": "pipeline-assign",
    "processing": "pipeline-process",
}
STAGES = {"monitoring": TRIAGE, "assignment": ASSIGNED, "processing": COPILOT}


@pytest.mark.criterion("workflows-can-be-started")
def test_workflows_take_a_start_by_hand(phase: Stage) -> None:
    hub = Hub.of(phase)
    for name in LIVE:
        state = hub.get(f"/actions/workflows/{name}").text("state")
        assert state == "active", f"{name} is {state}"
        assert workflow(phase.file("checkout"), name).by_hand, f"{name} has no workflow_dispatch"


def times(issue: Issue) -> list[object]:
    """When an issue reached each stage, None where it did not."""
    return [issue.first(label) for label in STAGES.values()]


@pytest.mark.criterion("rehearsal-executed")
def test_the_rehearsal_was_executed(rehearsed: Rehearsal, observe: Observe) -> None:
    assert rehearsed.stated.text("result") == "success"
    begun, ended = (rehearsed.stated.moment(name) for name in ("started_at", "ended_at"))
    shown = (
        f"rehearsal.yaml has {begun} to {ended}, its runs {rehearsed.begun} to {rehearsed.ended}"
    )
    assert begun <= rehearsed.begun, shown
    assert rehearsed.ended <= ended, shown
    for run in rehearsed.runs:
        did = {n for label in STAGES.values() for n in moved(rehearsed.journal, run, label)}
        good = run.good and not run.scheduled and bool(did)
        observe("rehearsal_run_successful", good, at=run.ended, run=run.id, workflow=run.file)
    through = [issue for issue in rehearsed.issues if all(times(issue))]
    assert through, "no issue of the rehearsal got from triage over assigned to Copilot"
    for issue in through:
        reached = [moment for moment in times(issue) if moment]
        assert reached == sorted(reached, key=str), f"issue {issue.number} skipped a stage"
        given = {e.subject for e in issue.events if e.kind == "assigned"}
        assert "Copilot" in given, f"issue {issue.number} was never assigned to Copilot"


# Anomalies


def leads(link: str, name: str, rehearsed: Rehearsal, checkout: Path) -> bool:
    """Whether a link of the register leads to what closes or documents an anomaly."""
    if number := re.fullmatch(r"#(\d+)", link):
        issue = rehearsed.journal.issues.get(int(number[1]))
        return issue is not None and issue.closed
    path = checkout / link
    return bool(link) and path.is_file() and name in path.read_text(encoding="utf-8")


@pytest.mark.criterion("anomalies-closed")
def test_anomalies_are_closed(rehearsed: Rehearsal, phase: Stage, observe: Observe) -> None:
    now, checkout = phase.now(), phase.file("checkout")
    register = kept(rehearsed.records, "anomalies.yaml").get("anomalies")
    if register is None:
        raise NoValueError("anomalies.yaml has no list of anomalies, not even an empty one")
    for row in register:
        closed = row.get("status") in ("resolved", "documented")
        named = str(row.get("link") or "")
        left = not closed or not leads(named, str(row.get("id")), rehearsed, checkout)
        left = left or placeholder(row.get("what"))
        observe("anomaly_open", left, at=now, anomaly=str(row.get("id")))
    known = {(row.get("run"), row.get("issue")) for row in register}
    for record in rehearsed.telemetry:
        if record.result == "failed" or record.severity in ("error", "critical"):
            unknown = (record.run, record.issue) not in known
            observe("anomaly_open", unknown, at=now, seen_in=record.run, issue=record.issue)
    observe("anomaly_open", not rehearsed.telemetry, at=now, anomaly="none was overlooked")


# Telemetry


def told_and_seen(rehearsed: Rehearsal) -> Iterator[tuple[int, str, int, bool]]:
    """For each issue and stage how often the telemetry tells of it, and whether GitHub saw it."""
    for issue in rehearsed.issues:
        for stage, label in STAGES.items():
            told = _told(rehearsed, issue, stage)
            seen = any(
                e.kind == "labeled" and e.subject == label and e.actor == BOT for e in issue.events
            )
            yield issue.number, stage, told, seen
        given = any(e.kind == "assigned" and e.subject == "Copilot" for e in issue.events)
        yield issue.number, "copilot", _told(rehearsed, issue, "copilot"), given


def _told(rehearsed: Rehearsal, issue: Issue, stage: str) -> int:
    return sum(
        record.event == "item"
        and record.issue == issue.number
        and record.stage == stage
        and record.result == "ok"
        for record in rehearsed.telemetry
    )


def _demand_agreement(rehearsed: Rehearsal) -> None:
    """Raise AssertionError where telemetry has something else than GitHub, or at another time."""
    for record in rehearsed.telemetry:
        issue = rehearsed.journal.issues.get(record.issue or 0)
        if record.event != "item" or record.result != "ok" or issue is None:
            continue
        label = STAGES.get(record.stage)
        if label is not None:
            times = issue.times("labeled", label)
            near = any(abs(record.at - at) <= APART for at in times)
            assert near, f"telemetry has {label} of #{issue.number} at {record.at}, GitHub {times}"
        _demand_labels(record, issue)


def _demand_labels(record: Record, issue: Issue) -> None:
    """Raise AssertionError where telemetry names a workflow or specialist that GitHub does not."""
    lacking = sorted(labels_told(record) - issue.labels)
    assert not lacking, f"telemetry says #{issue.number} got {', '.join(lacking)}; it has it not"


@pytest.mark.criterion("telemetry-validated")
def test_telemetry_tells_what_github_saw(
    rehearsed: Rehearsal, phase: Stage, observe: Observe
) -> None:
    now = phase.now()
    for number, stage, told, seen in told_and_seen(rehearsed):
        observe("telemetry_mismatch", told != int(seen), at=now, issue=number, stage=stage)
    _demand_agreement(rehearsed)
    stages = {record.stage for record in rehearsed.telemetry if record.event == "item"}
    lacking = {*STAGES, "copilot"} - stages
    assert not lacking, f"the telemetry of the rehearsal has nothing of {sorted(lacking)}"
    for run in rehearsed.runs:
        events = [record.event for record in rehearsed.telemetry if record.run == run.id]
        whole = bool(events) and events.count("run_ended") >= events.count("run_started") >= 1
        observe("telemetry_mismatch", not whole, at=now, run=run.id)
    ours = {issue.number for issue in rehearsed.issues}
    told_of = {record.issue for record in rehearsed.telemetry if record.event == "item"}
    strange = sorted(number for number in told_of - ours if number is not None)
    assert not strange, f"the telemetry tells of issues {strange}, which rehearsal.yaml lacks"


@pytest.mark.criterion("telemetry-validated")
def test_each_record_is_whole(rehearsed: Rehearsal) -> None:
    runs = {run.id: run for run in rehearsed.runs}
    for record in rehearsed.telemetry:
        wrong = odd(record, runs[record.run], BOT)
        shown = f"the record {record.event} of run {record.run} at {record.at}"
        assert not wrong, f"{shown} cannot be true: {', '.join(wrong)}"


@pytest.mark.criterion("telemetry-validated")
def test_each_command_is_told_as_it_ran(rehearsed: Rehearsal) -> None:
    for run in rehearsed.runs:
        log = Log.of(rehearsed.hub, run)
        mine = [record for record in rehearsed.telemetry if record.run == run.id]
        for stage in {record.stage for record in mine} & set(COMMANDS):
            events = {r.event: r for r in mine if r.stage == stage}
            flags = log.flags(COMMANDS[stage])
            given = {name.replace("-", "_"): value for name, value in flags.items()}
            parameters = events["run_started"].detail.get("parameters", {})
            told = {name: value for name, value in parameters.items() if value != "false"}
            assert told == given, f"run {run.id} was given {given}, and tells of {told}"
            took = (events["run_ended"].at - events["run_started"].at).total_seconds()
            said = events["run_ended"].seconds or 0.0
            assert abs(took - said) <= 1, f"{stage} of run {run.id} took {took} s, and says {said}"


@pytest.mark.criterion("telemetry-validated")
def test_the_statistics_of_each_command_are_true(rehearsed: Rehearsal) -> None:
    waits = {"assignment": TRIAGE, "processing": ASSIGNED}
    told = [record for record in rehearsed.telemetry if record.event == "statistics"]
    for record in demand(told, "record of statistics"):
        shown = f"the statistics of {record.stage} in run {record.run} say"
        wrong = miscounted(record, rehearsed.telemetry)
        assert not wrong, f"{shown} {wrong}"
        counted: dict[str, float] = {}
        if record.stage in waits:
            counted["waiting"] = rehearsed.journal.waiting(waits[record.stage], record.at)
        if record.stage == "processing":
            there = [i for i in rehearsed.journal.work if COPILOT in i.labels_at(record.at)]
            complete = sum(read_guidance(issue.body).complete for issue in there)
            counted |= {"copilot_backlog": len(there)}
            counted |= {"guidance_complete": complete / len(there) if there else 1}
        said = {name: record.detail.get(name) for name in counted}
        assert said == pytest.approx(counted), f"{shown} {said}, and it is {counted}"


@pytest.mark.criterion("telemetry-validated")
def test_each_branch_and_file_is_told(rehearsed: Rehearsal) -> None:
    told = {
        (record.issue, record.detail.get("kind"), record.detail.get("target"))
        for record in rehearsed.telemetry
        if record.event == "operation" and record.result == "ok"
    }
    for issue in rehearsed.issues:
        said = read_guidance(issue.body)
        due = {(issue.number, "branch", said.branch), (issue.number, "file", said.file)}
        assert not issue.first(COPILOT) or due <= told, f"no record of {sorted(due - told)}"
