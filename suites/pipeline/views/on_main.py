"""Files of the repository as GitHub has them, and when main was changed."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import datetime

from pytest_rollout import NoValueError, reported
from suites.pipeline.views.hub import Hub
from suites.pipeline.views.schedules import FOLDER, WorkflowFile

WEEK_1 = "rollout/week1"  # the branch on which week 1 is prepared


@dataclass(frozen=True, slots=True)
class Version:
    """A workflow file as one commit left it."""

    at: datetime
    sha: str
    author: str
    file: WorkflowFile


def text_of(hub: Hub, path: str, ref: str = "main") -> str:
    """The text of a file at a ref; raises NoValueError where it is not there."""
    answer = hub.ask("GET", f"/contents/{path}", params={"ref": ref})
    if answer.status_code == 404:
        raise NoValueError(f"there is no {path} at {ref}")
    return base64.b64decode(reported(answer).text("content")).decode("utf-8")


def filled_file(hub: Hub, path: str, ref: str) -> bool:
    """Whether a file is at a ref, and says anything."""
    try:
        return bool(text_of(hub, path, ref).strip())
    except NoValueError:
        return False


def workflow_at(hub: Hub, name: str, ref: str = "main") -> WorkflowFile:
    """A workflow file at a ref, parsed."""
    return WorkflowFile.read(name, text_of(hub, f"{FOLDER}/{name}", ref))


def versions(hub: Hub, name: str) -> list[Version]:
    """Each version of a workflow file that main has had, the newest first."""
    history = []
    for row in hub.pages("/commits", sha="main", path=f"{FOLDER}/{name}"):
        commit = row["commit"]
        at = datetime.fromisoformat(commit["author"]["date"])
        author = (row.get("author") or {}).get("login") or commit["author"]["name"]
        history.append(Version(at, row["sha"], author, workflow_at(hub, name, row["sha"])))
    return history


def enabled_at(hub: Hub, name: str) -> datetime:
    """Since when main had an active schedule the last time, whether it still has it or not.

    Raises NoValueError where it never had one.
    """
    since: datetime | None = None
    for version in versions(hub, name):
        if version.file.crons:
            since = version.at
        elif since is not None:
            break
    if since is None:
        raise NoValueError(f"main never had an active schedule in {name}; enable it first")
    return since
