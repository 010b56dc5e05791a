"""Week 4: what is not needed any more is archived as it was, and documents say so."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import PurePosixPath

import pytest

from pytest_rollout import Observe
from suites.pipeline.scenarios.weeks import Seen
from suites.pipeline.views.journal import demand
from suites.pipeline.views.schedules import DAILY, FOLDER, LIVE, WorkflowFile
from suites.pipeline.views.tree import Tree, head, tree_at

pytestmark = pytest.mark.week4_archive

ARCHIVE = f"{FOLDER}/archive"
RUNBOOKS, LEGACY = "docs/runbooks", "docs/legacy"
TESTING = re.compile(r"test|sandbox", re.IGNORECASE)
_NAMED = re.compile(r"[\w.-]+\.ya?ml")


@pytest.mark.criterion("replacements-run")
@pytest.mark.parametrize("file", LIVE)
def test_what_takes_over_works(before: Seen, file: str) -> None:
    begin, end = before.days[-1]
    runs = demand(before.journal.scheduled(file, begin, end), f"run of {file} in the last day")
    bad = [run.id for run in runs if not run.good]
    assert not bad, f"runs {bad} of {file} did not end well on {begin.date()}"


# Workflows


def _by_hand_only(tree: Tree) -> dict[str, WorkflowFile]:
    """The workflows that nothing but a person starts, outside of the archive."""
    names = [path for path in tree.files(FOLDER) if "/archive/" not in path]
    files = [WorkflowFile.read(PurePosixPath(path).name, tree.text(path)) for path in names]
    return {file.name: file for file in files if set(file.triggers) == {"workflow_dispatch"}}


def _old(week: Seen) -> Tree:
    """Main as the week found it."""
    return tree_at(week.checkout, week.begin + timedelta(hours=1))


def _archived(week: Seen) -> dict[str, WorkflowFile]:
    """The workflows that the archive is to hold: those that only people started."""
    there = _by_hand_only(_old(week))
    return dict(demand(list(there.items()), "workflow that only people started"))


@pytest.mark.parametrize(
    "tests",
    [
        pytest.param(False, marks=pytest.mark.criterion("manual-workflows-archived"), id="manual"),
        pytest.param(True, marks=pytest.mark.criterion("test-workflows-archived"), id="test"),
    ],
)
def test_workflows_are_archived_as_they_were(week: Seen, tests: bool) -> None:
    now = head(week.checkout)
    due = [file for name, file in _archived(week).items() if bool(TESTING.search(name)) is tests]
    for file in demand(due, "workflow of this kind"):
        active = f"{FOLDER}/{file.name}"
        assert active not in now.files(FOLDER), f"{active} is still active"
        assert not (week.checkout / active).exists(), f"{active} is still in the checkout"
        kept = now.text(f"{ARCHIVE}/{file.name}")
        assert kept == file.text, f"{file.name} was changed on its way to the archive"


@pytest.mark.criterion("manual-workflows-archived")
def test_github_runs_no_archived_workflow(week: Seen) -> None:
    there = {row["path"] for row in week.hub.pages("/actions/workflows", "workflows")}
    left = sorted(name for name in _archived(week) if f"{FOLDER}/{name}" in there)
    assert not left, f"GitHub still knows {', '.join(left)} as active workflows"


@pytest.mark.criterion("rollback-dispatch-kept")
@pytest.mark.parametrize("file", LIVE)
def test_live_workflows_can_be_started_by_hand(week: Seen, file: str, observe: Observe) -> None:
    observe("without_dispatch", not week.file(file).by_hand, file=file)


# Documents


@pytest.mark.criterion("readme-active-only")
def test_the_readme_names_what_is_active(week: Seen, observe: Observe) -> None:
    text = head(week.checkout).text("README.md")
    named = set(_NAMED.findall(_section(text, "Workflows")))
    archived = set(_archived(week))
    for name in sorted(named | set(week.files) | archived):
        differs = (name in named) is not (name in week.files)
        observe("readme_difference", differs, workflow=name)


def _section(text: str, title: str) -> str:
    """The text of a section of the second level; empty where there is none."""
    _, _, rest = text.partition(f"## {title}\n")
    return rest.partition("\n## ")[0]


@pytest.mark.criterion("runbooks-archived")
def test_old_runbooks_are_legacy(week: Seen) -> None:
    old, now = _old(week), head(week.checkout)
    names = set(_archived(week))
    due = [path for path in old.files(RUNBOOKS) if names & set(_NAMED.findall(old.text(path)))]
    for path in demand(due, "runbook of an archived workflow"):
        moved = f"{LEGACY}/{PurePosixPath(path).name}"
        assert moved in now.files(LEGACY), f"{path} is not below {LEGACY}"
        assert now.text(moved) == old.text(path), f"{moved} is not the runbook that it was"
        name = PurePosixPath(path).name
        there = [other for other in now.files("docs") if PurePosixPath(other).name == name]
        assert there == [moved], f"{path} stands at {', '.join(there)}"


@pytest.mark.criterion("runbooks-archived")
def test_runbooks_in_force_name_nothing_archived(week: Seen) -> None:
    now, names = head(week.checkout), set(_archived(week))
    in_force = demand(now.files(RUNBOOKS), "runbook in force")
    wrong = [path for path in in_force if names & set(_NAMED.findall(now.text(path)))]
    assert not wrong, f"{', '.join(wrong)} is about workflows that are archived"


@pytest.mark.criterion("migration-guide")
def test_each_deprecated_workflow_has_a_replacement(week: Seen, observe: Observe) -> None:
    text = head(week.checkout).text("docs/migration-guide.md")
    rows = [_NAMED.findall(line) for line in text.splitlines() if line.startswith("|")]
    replaced = {row[0]: set(row[1:]) for row in rows if row}
    for name in _archived(week):
        good = bool(replaced.get(name, set()) & set(week.files))
        observe("deprecated_without_entry", not good, workflow=name)


@pytest.mark.criterion("readme-active-only")
def test_the_live_workflows_are_active(week: Seen) -> None:
    assert DAILY in week.files, f"{DAILY} is not in {FOLDER}"
