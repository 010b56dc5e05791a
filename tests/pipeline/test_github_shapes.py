"""Answers of the served API, read by githubkit's models of GitHub's OpenAPI description."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from fixtures.pipeline.core.days import day
from fixtures.pipeline.core.world import World
from fixtures.pipeline.github.accounts import COPILOT, PIPELINE
from fixtures.pipeline.rest.links import REPOSITORY
from tests.pipeline.github_reader import Repository
from tests.pipeline.test_actions import COMMANDS
from tests.pipeline.worlds import client_of, repository_of, rollout_world

DAILY = "ops-daily-operations.yml"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Two days of runs, an issue with a branch and two pull requests, and alerts."""
    world = rollout_world(tmp_path_factory.mktemp("world"), day(3), COMMANDS)
    pipeline, copilot = world.client(PIPELINE), world.client(COPILOT)
    issue = pipeline.create_issue("Found", "A text", ["monitor::triage"])
    pipeline.add_labels(issue, "state::assigned")
    pipeline.remove_label(issue, "monitor::triage")
    pipeline.assign(issue, "Copilot")
    pipeline.comment(issue, "Handed over")
    for number in (1, 2):
        pipeline.create_branch(f"work/issue-{number}")
        pipeline.put_file(f"work/issue-{number}", "work/text.md", "Hello")
        pull = copilot.open_pull(f"work/issue-{number}", "Do it")
    copilot.merge_pull(pull.number, onto_main=False)
    copilot.close_issue(pipeline.create_issue("Done", ""))
    world.alerts.open("code-scanning", ".github/workflows/ops-issue-processing.yml")
    world.alerts.open("dependabot", "requirements.txt")
    world.main.check_out()
    return world


@pytest.fixture(scope="module")
def repository(world: World) -> Repository:
    """The world's repository."""
    return repository_of(world)


def _daily(world: World) -> Any:
    return next(run for run in world.actions.history if run.file == DAILY)


# Each reads one kind of answer; githubkit validates it when its data is asked for.
READINGS: dict[str, Callable[[Any, World], Any]] = {
    "release": lambda rest, _: rest.repos.get_latest_release,
    "issues": lambda rest, _: (rest.issues.list_for_repo, {"state": "all"}),
    "issue": lambda rest, _: (rest.issues.get, {"issue_number": 1}),
    "comments": lambda rest, _: rest.issues.list_comments_for_repo,
    "comments of one": lambda rest, _: (rest.issues.list_comments, {"issue_number": 1}),
    "events": lambda rest, _: rest.issues.list_events_for_repo,
    "timeline": lambda rest, _: (rest.issues.list_events_for_timeline, {"issue_number": 1}),
    "labels": lambda rest, _: rest.issues.list_labels_for_repo,
    "ref": lambda rest, _: (rest.git.get_ref, {"ref": "heads/work/issue-1"}),
    "branches": lambda rest, _: rest.repos.list_branches,
    "file": lambda rest, _: (
        rest.repos.get_content,
        {"path": "work/text.md", "ref": "work/issue-1"},
    ),
    "commits": lambda rest, _: rest.repos.list_commits,
    "commit": lambda rest, world: (rest.repos.get_commit, {"ref": world.main.head.sha}),
    "pulls": lambda rest, _: (rest.pulls.list, {"state": "all"}),
    "open pull": lambda rest, _: (rest.pulls.get, {"pull_number": 2}),
    "merged pull": lambda rest, _: (rest.pulls.get, {"pull_number": 3}),
    "workflows": lambda rest, _: rest.actions.list_repo_workflows,
    "workflow": lambda rest, _: (rest.actions.get_workflow, {"workflow_id": DAILY}),
    "runs": lambda rest, _: rest.actions.list_workflow_runs_for_repo,
    "run": lambda rest, world: (rest.actions.get_workflow_run, {"run_id": _daily(world).id}),
    "jobs": lambda rest, world: (
        rest.actions.list_jobs_for_workflow_run,
        {"run_id": _daily(world).id},
    ),
    "artifacts of one": lambda rest, world: (
        rest.actions.list_workflow_run_artifacts,
        {"run_id": _daily(world).id},
    ),
    "code scanning": lambda rest, _: rest.code_scanning.list_alerts_for_repo,
    "dependabot": lambda rest, _: rest.dependabot.list_alerts_for_repo,
}


@pytest.mark.parametrize("reading", READINGS)
def test_githubkit_reads_it(repository: Repository, world: World, reading: str) -> None:
    asked = READINGS[reading](repository.rest, world)
    method, given = asked if isinstance(asked, tuple) else (asked, {})
    said = method(**repository.where, **given).parsed_data
    entries = next((getattr(said, name) for name in _LISTS if hasattr(said, name)), said)
    assert entries


_LISTS = ("workflow_runs", "workflows", "jobs", "artifacts")


def test_limits_are_read_and_cost_nothing(repository: Repository) -> None:
    first, second = repository.rate(), repository.rate()
    assert (first.limit, first.remaining) == (15000, second.remaining)


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    world = rollout_world(tmp_path, day(1), COMMANDS)
    suite, person = repository_of(world), repository_of(world, "triage-tom")
    number = suite.create_issue("Seeded", "Text", "state::assigned")
    person.add_labels(number, "state::copilot")
    person.assign(number, "Copilot")
    suite.comment(number, "A comment")
    suite.create_branch("seeded/one")
    suite.put_file("seeded/one", "a/file.md", "Words: ä")
    issue = suite.issue(number)
    assert set(issue.labels) == {"state::assigned", "state::copilot"}
    assert (issue.assignees, issue.state) == (("Copilot",), "open")
    told = [(event.kind, event.label, event.actor) for event in suite.events_of(number)]
    assert told == [
        ("labeled", "state::assigned", "rollout-suite"),
        ("labeled", "state::copilot", "triage-tom"),
        ("assigned", "", "triage-tom"),
    ]
    people = {event.actor for event in suite.events_of(number) if event.actor_is_person}
    assert people == {"triage-tom"}
    assert [event.id for event in suite.events()] == [event.id for event in suite.events_of(number)]
    assert [comment.body for comment in suite.comments()] == ["A comment"]
    assert suite.text("a/file.md", "seeded/one") == "Words: ä"
    assert (suite.text("a/file.md"), suite.text("a/file.md", "none")) == (None, None)
    assert (suite.has_branch("seeded/one"), suite.has_branch("seeded/two")) == (True, False)


def test_a_dispatch_says_which_run_it_began(tmp_path: Path) -> None:
    world = rollout_world(tmp_path, day(1), COMMANDS)
    suite = repository_of(world)
    number = suite.dispatch("ops-workflow-assignment.yml", limit="3", dry_run="true")
    assert suite.run(number).status == "queued"
    world.agenda.run_until(day(1) - 0.001 + 300)
    run = suite.run(number)
    assert (run.event, run.successful, run.actor) == ("workflow_dispatch", True, "rollout-suite")
    assert run.minutes == pytest.approx(98 / 60, abs=0.05)
    assert "pipeline-assign --limit=3 --dry-run=true" in suite.log(number)
    (artifact,) = suite.artifacts(number)
    assert suite.files_of(artifact.id) == {f"{number}.jsonl": '{"result": "ok"}\n'}
    suite.set_workflow("ops-workflow-assignment.yml", enabled=False)
    states = {workflow.file: workflow.state for workflow in suite.workflows()}
    assert states["ops-workflow-assignment.yml"] == "disabled_manually"


def test_lists_come_in_pages(world: World) -> None:
    client = client_of(world)
    path = f"/repos/{REPOSITORY}/actions/runs"
    first = client.get(path, params={"per_page": 7, "created": ">=2026-01-12T00:00:00Z"})
    total = first.json()["total_count"]
    assert total > 14
    assert first.links["last"]["url"].endswith(f"page={-(-total // 7)}")
    assert "created=" in first.links["next"]["url"]
    second = client.get(first.links["next"]["url"])
    ids = [run["id"] for page in (first, second) for run in page.json()["workflow_runs"]]
    assert len(set(ids)) == 14
    assert "prev" in second.links
    last = client.get(first.links["last"]["url"])
    assert "next" not in last.links
    assert last.json()["total_count"] == total


def test_runs_are_found_by_when_they_were_created(repository: Repository) -> None:
    runs = repository.runs(created=">=2026-01-13T20:00:00Z")
    mine = [run for run in runs if run.file == "ops-workflow-assignment.yml"]
    assert [run.created_at.hour for run in mine] == [20, 22]


def test_a_time_that_is_none_is_refused(world: World) -> None:
    asked = {"created": "<2026-01-13"}
    answer = client_of(world).get(f"/repos/{REPOSITORY}/actions/runs", params=asked)
    assert answer.status_code == 422


def test_every_answer_says_what_remains(world: World) -> None:
    client = client_of(world)
    before = client.get(f"/repos/{REPOSITORY}/labels").headers
    after = client.get(f"/repos/{REPOSITORY}/none").headers
    left = [int(each["x-ratelimit-remaining"]) for each in (before, after)]
    assert left[0] - left[1] == 1
    assert int(after["x-ratelimit-used"]) + left[1] == int(after["x-ratelimit-limit"]) == 15000
    other = client.get("/rate_limit", headers={"authorization": "Bearer triage-tom"}).headers
    assert other["x-ratelimit-remaining"] == "5000"


@pytest.mark.parametrize(
    ("status", "kind", "remaining", "error"),
    [
        (403, "primary", "0", "PrimaryRateLimitExceeded"),
        (429, "primary", "0", "PrimaryRateLimitExceeded"),
        (429, "secondary", None, "SecondaryRateLimitExceeded"),
        (403, "permission", None, "RequestFailed"),
    ],
)
def test_refusals_are_those_of_github(
    tmp_path: Path, status: int, kind: str, remaining: str | None, error: str
) -> None:
    from githubkit import exception

    world = rollout_world(tmp_path, day(1), COMMANDS)
    world.rates.refuse(status, kind)
    with pytest.raises(getattr(exception, error)) as raised:
        repository_of(world, "github-actions[bot]").issue(1)
    answer: httpx.Response = raised.value.response.raw_response
    assert answer.status_code == status
    assert (answer.headers["x-ratelimit-remaining"] == "0") is (remaining == "0")
    assert ("retry-after" in answer.headers) is (kind == "secondary")
