"""What is agreed before anything is built: approvals by name, of what is on file."""

from __future__ import annotations

import re
import subprocess
from datetime import datetime
from pathlib import Path

import pytest
import yaml

from pytest_rollout import Observe, Reported, RolloutError, Stage
from suites.bridge.views.lines import noted
from suites.bridge.views.pair import pilot_of
from suites.bridge.views.said import is_sentence, not_done

pytestmark = pytest.mark.bridge_phase0

PRD = "docs/proposal/01-product/prd.md"
PROTOCOL = "docs/proposal/02-protocol/protocol.md"
ARCHITECTURE = "docs/proposal/02-protocol/architecture.md"
BASELINE = "docs/proposal/03-security/security_baseline.md"
BACKLOG = "docs/proposal/04-plan/backlog.yaml"
_NOBODY = re.compile(r"\s*(tbd|todo|n/?a|none|nobody|unknown|unassigned|\?+|-*)\s*", re.IGNORECASE)


def git(repository: Path, *words: str) -> str:
    """What git says about the repository; raises RolloutError where it fails."""
    command = ["git", "-C", str(repository), *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    if done.returncode:
        raise RolloutError(f"git {words[0]}: {done.stderr.strip()[-200:]}")
    return done.stdout


def document(repository: Path, path: str) -> str:
    """The text of a document as it is committed; it fails where there is none."""
    listed = git(repository, "ls-tree", "-r", "--name-only", "HEAD", "--", path).split()
    assert path in listed, f"{path} is not in the repository"
    return git(repository, "show", f"HEAD:{path}")


def somebody(name: str) -> bool:
    """Whether a name is one."""
    return bool(name.strip()) and not _NOBODY.fullmatch(name)


def agreed(phase: Stage, repository: Path, path: str, notes: list[Reported]) -> Reported:
    """The newest word of people on a document, which must be a yes to the text that is on file."""
    if not notes:
        not_done(f"nobody put on record what they think of {path}", "approve it, by name")
    newest = max(notes, key=lambda note: note.moment("at"))
    assert newest.text("decision") == "approved", f"{path} was {newest['decision']}"
    assert somebody(newest.text("who")), f"who approved {path} has no name"
    assert newest.moment("at") <= phase.now(), f"{path} is approved in the future"
    text, read = document(repository, path), git(repository, "show", f"{newest['revision']}:{path}")
    assert read == text, f"{path} was changed since revision {newest['revision']} was approved"
    written = datetime.fromisoformat(
        git(repository, "log", "-1", "--format=%cI", str(newest["revision"]), "--", path).strip()
    )
    assert newest.moment("at") >= written, (
        f"{path} was approved at {newest['at']}, and written only at {written}"
    )
    assert len(text.split()) > 30, f"{path} says nothing: {len(text.split())} words"
    return newest


def approvals(phase: Stage, path: str) -> list[Reported]:
    """The approvals and rejections of a document."""
    notes = noted(phase.file("records"), "approval")
    return [note for note in notes if note.text("document") == path]


def signoffs(phase: Stage, what: str) -> list[Reported]:
    """The signatures for one thing, and those against it."""
    return [note for note in noted(phase.file("records"), "signoff") if note.text("what") == what]


@pytest.mark.criterion("prd-approved")
def test_the_requirements_are_approved(phase: Stage, papers_of_phase0: Path) -> None:
    agreed(phase, papers_of_phase0, PRD, approvals(phase, PRD))


@pytest.mark.criterion("protocol-approved")
def test_the_protocol_is_approved(phase: Stage, papers_of_phase0: Path) -> None:
    agreed(phase, papers_of_phase0, PROTOCOL, approvals(phase, PROTOCOL))


@pytest.mark.criterion("security-baseline-present")
def test_a_security_baseline_is_on_file(papers_of_phase0: Path) -> None:
    text = document(papers_of_phase0, BASELINE)
    sections = dict(re.findall(r"^#+\s*(.+?)\s*$\n((?:(?!^#).*\n?)*)", text, re.MULTILINE))
    for title in ("Assets", "Trust boundaries", "Threats", "Controls"):
        assert title in sections, f"the baseline has no section {title!r}, but {list(sections)}"
        assert is_sentence(sections[title]), f"the section {title!r} says nothing"
    controls = sections["Controls"].lower()
    missing = [word for word in ("token", "workspace", "payload") if word not in controls]
    assert not missing, f"the controls say nothing of {missing}"


def backlog(repository: Path) -> list[Reported]:
    """The items of the backlog."""
    said = yaml.safe_load(document(repository, BACKLOG)) or {}
    return list(Reported(said, BACKLOG).each("items"))


@pytest.mark.criterion("backlog-nonempty")
def test_there_is_a_backlog(papers_of_phase0: Path, observe: Observe, moment: datetime) -> None:
    items = backlog(papers_of_phase0)
    observe("backlog_items", len([item for item in items if item.text("title")]), at=moment)
    assert len({item.text("id") for item in items}) == len(items), "two items have one id"


@pytest.mark.criterion("backlog-owners-complete")
def test_each_item_has_an_owner(papers_of_phase0: Path, observe: Observe, moment: datetime) -> None:
    for item in backlog(papers_of_phase0):
        owner = str(item.get("owner") or "")
        observe("item_without_owner", int(not somebody(owner)), item=item.text("id"), at=moment)


@pytest.mark.criterion("architecture-signoff")
def test_the_architecture_is_signed_off(phase: Stage, papers_of_phase0: Path) -> None:
    agreed(phase, papers_of_phase0, ARCHITECTURE, signoffs(phase, "architecture"))


@pytest.mark.criterion("protocol-signoff")
def test_the_protocol_is_signed_off(phase: Stage, papers_of_phase0: Path) -> None:
    agreed(phase, papers_of_phase0, PROTOCOL, signoffs(phase, "protocol"))


@pytest.mark.criterion("pilot-workflow-selected")
def test_the_pilot_is_chosen(papers_of_phase0: Path) -> None:
    chosen = pilot_of(papers_of_phase0)
    assert is_sentence(chosen.text("workflow")), f"the workflow is {chosen['workflow']!r}"
    names = [chosen.text("executor"), chosen.text("reviewer")]
    assert all(map(somebody, names)), f"executor and reviewer are {names}"
    assert names[0] != names[1], "the executor reviews its own work"
    projects = [str(name) for name in chosen["projects"] or ()]
    assert projects, "no project is named"
    assert all(map(somebody, projects)), f"the projects are {projects}"
    document(papers_of_phase0, "docs/proposal/04-plan/pilot.yaml")
