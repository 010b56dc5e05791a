"""The validator as a program: a state goes in, findings come out."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from pytest_rollout import NoValueError, Reported
from suites.pipeline.views.guidance import TYPE, emptied, guided
from suites.pipeline.views.journal import ASSIGNED, BLOCKED, COPILOT, TRIAGE
from suites.pipeline.views.violations import COMPLAINT, STALE, TRACKED, severity_of

TIMEOUT = 60


@dataclass(frozen=True)
class State:
    """Issues as the API has them, with their events, and the branches with their files."""

    issues: Sequence[dict[str, Any]]
    events: dict[str, list[dict[str, Any]]]
    files: dict[str, list[str]] = field(default_factory=dict)


def findings(commands: Path, state: State, now: datetime) -> set[tuple[str, int]]:
    """What the validator finds, by check and issue; raises NoValueError where there is none."""
    program = commands / "pipeline-validate"
    if not program.is_file():
        raise NoValueError(f"there is no pipeline-validate in {commands}")
    told = {
        "issues": list(state.issues),
        "events": state.events,
        "branches": list(state.files),
        "files": state.files,
    }
    command = [str(program), "--now", now.isoformat()]
    done = subprocess.run(
        command, input=json.dumps(told), capture_output=True, text=True, timeout=TIMEOUT
    )
    assert done.returncode == 0, (
        f"pipeline-validate ended with {done.returncode}: {done.stderr[-200:]}"
    )
    said = Reported(json.loads(done.stdout), "pipeline-validate").each("findings")
    for finding in said:
        due = severity_of(finding.text("check"))
        shown = f"{finding['check']} of #{finding['issue']}"
        assert finding.text("severity") == due, (
            f"{shown} is said to be {finding['severity']}, not {due}"
        )
        assert finding.text("what").strip(), f"{shown} does not say what was found"
    return {(finding.text("check"), finding.whole("issue")) for finding in said}


def state_with(check: str, now: datetime) -> State:
    """Issues of which the first violates a check and nothing else, the second just does not.

    Others are like the first and are not to be looked at: a pull request, which GitHub lists among
    issues, one that is closed, a complaint and what tracks a problem. Of what is stale two more
    were with Copilot as long ago: one came back to it, one is blocked.
    """
    branch, file = "work/issue-{}", "work/issue-{}.md"
    sound = {n: guided(branch.format(n), file.format(n)) for n in (1, 2)}
    labels = {1: [COPILOT, TYPE], 2: [COPILOT, TYPE]}
    since = {1: now - timedelta(days=1), 2: now - timedelta(days=1)}
    files = {branch.format(n): [file.format(n)] for n in (1, 2)}
    match check:
        case "label-drift":
            labels = {1: [ASSIGNED, TRIAGE, TYPE], 2: [ASSIGNED, TYPE]}
        case "orphaned-copilot":
            sound[1] = "Found at https://example.org/news/1"
        case "stale-copilot":
            since = {1: now - STALE - timedelta(minutes=1), 2: now - STALE + timedelta(minutes=1)}
        case "template-remnants":
            code = "- Quote `{{ objective }}`\n```\n<INSERT OBJECTIVE> TODO\n```"
            texts = {1: "- Fill in {{ objective }}", 2: code}
            sound = {n: guided(branch.format(n), file.format(n), texts[n]) for n in (1, 2)}
        case _:
            files[branch.format(1)] = ["README.md"]
    events = {str(n): [labelled(n, label, since[n]) for label in labels[n]] for n in (1, 2)}
    events["1"].append(labelled(1, "review::manual", now - timedelta(hours=1)))
    issues = [issue(n, sound[n], since[n], *labels[n]) for n in (1, 2)]
    beside = [{"name": label} for label in (COMPLAINT, TRACKED)]
    issues += [
        {**issues[0], "number": 3, "pull_request": {"url": "https://api.example.org/pulls/3"}},
        {**issues[0], "number": 4, "state": "closed"},
        *(
            {**issues[0], "number": 5 + n, "labels": [*issues[0]["labels"], beside[n]]}
            for n in (0, 1)
        ),
    ]
    events |= dict.fromkeys(("3", "4", "5", "6"), events["1"])
    if check == "stale-copilot":
        _add_what_left(issues, events, now)
    return State(issues, events, files)


def _add_what_left(
    issues: list[dict[str, Any]], events: dict[str, list[dict[str, Any]]], now: datetime
) -> None:
    """Add issues that were with Copilot long ago: one came back a day ago, one is blocked."""
    long, day = now - 2 * STALE, now - timedelta(days=1)
    sound = issues[1]
    left = {**labelled(7, COPILOT, day - timedelta(days=1)), "event": "unlabeled"}
    issues.append({**sound, "number": 7})
    events["7"] = [labelled(7, COPILOT, long), left, labelled(7, COPILOT, day)]
    issues.append({**sound, "number": 8, "labels": [{"name": BLOCKED}, {"name": TYPE}]})
    events["8"] = [labelled(8, COPILOT, long), {**left, "issue": {"number": 8}}]


FORMS: Mapping[
    str, Mapping[str, Any]
] = {  # what a check must find: each form in words, with how an issue has it
    "label-drift": {
        "triage beside assigned": (ASSIGNED, TRIAGE),
        "triage beside copilot": (COPILOT, TRIAGE),
    },
    "orphaned-copilot": {
        "no guidance": "Found at https://example.org/news/1",
        "empty guidance": "",
        "no guidance, and no assignee yet": "Found at https://example.org/news/3",
    },
    "conflicting-states": {"assigned and copilot": (ASSIGNED, COPILOT)},
    "template-remnants": {
        text: f"- Do this\n- {text}, and that"
        for text in (
            "TODO",
            "TBD",
            "{{ objective }}",
            "{{x}}",
            "[placeholder]",
            "<INSERT OBJECTIVE>",
        )
    },
    "broken-refs": {"no branch": "", "no file on the branch": "README.md"},
}


def state_of_forms(check: str, now: datetime) -> tuple[State, dict[int, str]]:
    """An issue for each form of a violation, and the form of each."""
    since, issues, events, files = now - timedelta(days=1), [], {}, {}
    forms = dict(enumerate(FORMS[check], 1))
    for number, form in forms.items():
        had, branch = FORMS[check][form], f"work/issue-{number}"
        labels: tuple[str, ...] = (COPILOT, TYPE)
        body, files[branch] = guided(branch, f"{branch}.md"), [f"{branch}.md"]
        if isinstance(had, tuple):
            labels = (*had, TYPE)
        elif check == "orphaned-copilot":
            body = had or emptied(body)
        elif check == "template-remnants":
            body = guided(branch, f"{branch}.md", had)
        else:
            files[branch] = [had]
            if not had:
                del files[branch]
        made = issue(number, body, since, *labels)
        issues.append({**made, "assignees": []} if form.endswith("no assignee yet") else made)
        events[str(number)] = [labelled(number, label, since) for label in labels]
    return State(issues, events, files), forms


def issue(number: int, body: str, at: datetime, *labels: str) -> dict[str, Any]:
    """An open issue as the API has it, with Copilot."""
    return {
        "number": number,
        "title": f"Page {number}",
        "body": body,
        "state": "open",
        "labels": [{"name": label} for label in labels],
        "assignees": [{"login": "Copilot"}],
        "user": {"login": "github-actions[bot]"},
        "created_at": _stamp(at - timedelta(hours=6)),
        "updated_at": _stamp(at + timedelta(hours=6)),  # somebody commented
        "closed_at": None,
    }


def labelled(number: int, label: str, at: datetime) -> dict[str, Any]:
    """The event of a label as the API has it."""
    return {
        "id": 1000 + number,
        "event": "labeled",
        "actor": {"login": "github-actions[bot]"},
        "label": {"name": label, "color": "ededed"},
        "created_at": _stamp(at),
        "issue": {"number": number},
    }


def _stamp(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
