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
from suites.pipeline.views.journal import ASSIGNED, COPILOT, TRIAGE
from suites.pipeline.views.violations import STALE

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
    said = Reported(json.loads(done.stdout), "pipeline-validate")
    return {(one.text("check"), one.whole("issue")) for one in said.each("findings")}


def state_with(check: str, now: datetime) -> State:
    """Issues of which the first violates a check and nothing else, the second just does not.

    The third is a pull request, which GitHub lists among issues, and the fourth is closed; both
    are like the first.
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
            texts = {1: "- Fill in {{ objective }}", 2: "- Quote `{{ objective }}`"}
            sound = {n: guided(branch.format(n), file.format(n), texts[n]) for n in (1, 2)}
        case _:
            files[branch.format(1)] = ["README.md"]
    events = {str(n): [labelled(n, label, since[n]) for label in labels[n]] for n in (1, 2)}
    issues = [issue(n, sound[n], since[n], *labels[n]) for n in (1, 2)]
    issues += [
        {**issues[0], "number": 3, "pull_request": {"url": "https://api.example.org/pulls/3"}},
        {**issues[0], "number": 4, "state": "closed"},
    ]
    events |= {"3": events["1"], "4": events["1"]}
    return State(issues, events, files)


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
    },
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
        issues.append(issue(number, body, since, *labels))
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
