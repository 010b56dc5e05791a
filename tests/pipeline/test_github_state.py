"""What GitHub holds, whom it refuses when, and what its faults make of that."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from fixtures.pipeline.core.days import HOUR_S, day
from fixtures.pipeline.core.world import World
from fixtures.pipeline.github.accounts import COPILOT, DEVOPS, PIPELINE, SUITE
from fixtures.pipeline.github.client import Client
from fixtures.pipeline.github.problems import GitHubError
from tests.pipeline.worlds import bare_world

TRIAGE, ASSIGNED = "monitor::triage", "state::assigned"


def _refused(client: Client) -> GitHubError | None:
    try:
        client.issues_with(TRIAGE)
    except GitHubError as error:
        return error
    return None


def _at(world: World, when: float) -> Client:
    world.agenda.run_until(when)
    return world.client()


def test_labels_say_which_open_issues_carry_them(tmp_path: Path) -> None:
    world = bare_world(tmp_path)
    client = world.client()
    first, second = (client.create_issue(f"Number {n}", "", [TRIAGE]) for n in (1, 2))
    client.add_labels(first, ASSIGNED, ASSIGNED)
    client.remove_label(first, TRIAGE)
    assert [each.number for each in world.tracker.open_with(TRIAGE)] == [2]
    client.close_issue(second)
    assert not world.tracker.open_with(TRIAGE)
    with pytest.raises(GitHubError, match="404"):
        client.remove_label(first, TRIAGE)
    told = [(event.kind, event.label) for event in first.events]
    assert told == [("labeled", TRIAGE), ("labeled", ASSIGNED), ("unlabeled", TRIAGE)]


def test_an_hour_has_so_many_calls_and_the_next_one_as_many(tmp_path: Path) -> None:
    world = bare_world(tmp_path)
    client = _at(world, day(1) + 60)
    world.rates.leave(2)
    assert (_refused(client), _refused(client), client.remaining) == (None, None, 0)
    error = _refused(client)
    assert error is not None
    assert (error.status, error.rate_limited) == (403, True)
    assert _refused(world.client(SUITE)) is None
    assert _refused(_at(world, day(1) + HOUR_S - 1)) is not None
    client = _at(world, day(1) + HOUR_S)
    assert _refused(client) is None
    assert client.remaining == 4999


@pytest.mark.parametrize(
    ("status", "kind", "limited"),
    [(403, "primary", True), (429, "secondary", True), (403, "permission", False)],
)
def test_a_refusal_is_one_of_a_limit_or_not(
    tmp_path: Path, status: int, kind: str, limited: bool
) -> None:
    world = bare_world(tmp_path)
    world.rates.refuse(status, kind)
    error = _refused(world.client())
    assert error is not None
    assert (error.status, error.rate_limited) == (status, limited)


def test_the_world_is_told_when_nothing_remains(tmp_path: Path) -> None:
    world, told = bare_world(tmp_path), list[object]()
    world.on("rate", told.append)
    world.rates.leave(1)
    told.clear()
    world.client().issues_with(TRIAGE)
    assert told == [PIPELINE]


def test_a_branch_holds_its_own_files(tmp_path: Path) -> None:
    world = bare_world(tmp_path)
    client = world.client()
    client.create_branch("work/a")
    client.put_file("work/a", "a.md", "text")
    assert client.has_file("work/a", "a.md")
    assert not client.has_file("main", "a.md")
    assert world.refs.text("work/a", "README.md") == world.main.files["README.md"]
    with pytest.raises(GitHubError, match="already exists"):
        client.create_branch("work/a")
    pull = client.open_pull("work/a", "Do it")
    client.merge_pull(pull.number)
    assert world.main.files["a.md"] == "text"
    assert world.tracker.issue(pull.number).state == "closed"
    with pytest.raises(GitHubError, match="not mergeable"):
        client.merge_pull(pull.number)


def test_git_has_every_commit_once_it_is_checked_out(tmp_path: Path) -> None:
    world = bare_world(tmp_path)
    world.main.commit(DEVOPS, "Add two\n\nWith words: ä", {"a/b.md": "ä", "c.md": "c"})
    world.main.commit(DEVOPS, "Delete one", {"c.md": None})
    place = world.main.newest
    world.main.check_out()
    world.main.commit(COPILOT, "Later", {"d.md": "d", "a/b.md": "b"})
    checkout = tmp_path / "checkout"
    command = ["git", "-C", str(checkout), "log", "--format=%H|%an|%at|%s"]
    log = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("\n")
    told = [
        f"{commit.sha}|{commit.author.login}|{int(commit.at)}|{commit.message.partition(chr(10))[0]}"
        for commit in reversed(world.main.commits)
    ]
    assert log[:-1] == told
    assert world.main.sha(place) == told[1].partition("|")[0]
    assert (checkout / "a/b.md").read_text() == "b"
    assert not (checkout / "c.md").exists()
    (checkout / "d.md").write_text("by hand")
    assert world.main.read("d.md") == "by hand"
    (checkout / "d.md").unlink()
    assert world.main.read("d.md") is None


def test_an_alert_is_about_workflows_by_its_path(tmp_path: Path) -> None:
    world, told = bare_world(tmp_path), list[object]()
    world.on("alert", told.append)
    workflow = world.alerts.open("code-scanning", ".github/workflows/a.yml")
    dependency = world.alerts.open("dependabot", "requirements.txt")
    assert (workflow.about_workflows, dependency.about_workflows) == (True, False)
    world.alerts.close("code-scanning", workflow.number)
    assert world.alerts.all(state="open") == [dependency]
    assert told == [workflow, dependency, workflow]
    with pytest.raises(GitHubError):
        world.alerts.close("dependabot", 7)


def test_one_call_is_refused_after_day_1_began_and_after_the_phase_did(tmp_path: Path) -> None:
    world = bare_world(tmp_path, day(8), "rate-limit-once")
    for opens in (day(1), day(8)):
        assert _refused(_at(world, opens + 2 * HOUR_S - 1)) is None
        error = _refused(_at(world, opens + 2 * HOUR_S))
        assert error is not None
        assert (error.status, error.rate_limited) == (429, True)
        assert _refused(world.client()) is None


def test_nothing_remains_or_little(tmp_path: Path) -> None:
    world = bare_world(tmp_path, day(8), "rate-limit-exhausted")
    assert _refused(_at(world, day(8) + HOUR_S)) is None
    assert _refused(_at(world, day(8) + HOUR_S + 1)) is not None
    world = bare_world(tmp_path, day(8), "rate-used-80pct")
    for number in (1, 8, 15):
        client = _at(world, day(number, "04:00") + 1)
        assert client.remaining == 1004
        assert _at(world, day(number, "05:00")).remaining == 5000


def test_a_branch_is_refused_one_conflicts_and_one_is_deleted(tmp_path: Path) -> None:
    client = _at(bare_world(tmp_path, fault="branch-create-fails"), day(1) + 6 * HOUR_S)
    with pytest.raises(GitHubError, match="422"):
        client.create_branch("work/issue-1")
    client.create_branch("work/issue-1")

    client = _at(bare_world(tmp_path, fault="merge-conflict-once"), day(1) + 6 * HOUR_S)
    pulls = []
    for number in (1, 2):
        client.create_branch(f"work/issue-{number}")
        pulls.append(client.open_pull(f"work/issue-{number}", "Do it"))
    assert [pull.mergeable for pull in pulls] == [False, True]
    with pytest.raises(GitHubError, match="405"):
        client.merge_pull(pulls[0].number)

    world = bare_world(tmp_path, fault="branch-deleted")
    client = world.client()
    issue = client.create_issue("Found", "", ["state::copilot"])
    client.create_branch(f"work/issue-{issue.number}")
    assert not _at(world, day(1) + 2).has_branch(f"work/issue-{issue.number}")


def test_an_alert_is_raised_an_hour_after_the_phase_began(tmp_path: Path) -> None:
    world = bare_world(tmp_path, day(8), "security-alert")
    _at(world, day(8) + HOUR_S - 1)
    assert not world.alerts.all()
    _at(world, day(8) + HOUR_S)
    assert [alert.about_workflows for alert in world.alerts.all(state="open")] == [True]
