"""What is kept of GitHub's answers as githubkit read them; times are aware."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

KINDS = ("labeled", "unlabeled", "assigned", "unassigned", "closed", "reopened")


def _moment(said: datetime | str) -> datetime:
    """A time that some models of githubkit leave as a text."""
    return said if isinstance(said, datetime) else datetime.fromisoformat(said)


@dataclass(frozen=True, slots=True)
class Issue:
    """An issue. ``assignees`` are logins."""

    number: int
    title: str
    body: str
    state: str
    labels: frozenset[str]
    assignees: tuple[str, ...]
    user: str
    created_at: datetime
    updated_at: datetime
    closed_at: datetime | None

    @classmethod
    def of(cls, said: Any) -> Issue:
        """The issue of an answer."""
        return cls(
            said.number,
            said.title,
            said.body or "",
            said.state,
            frozenset(label if isinstance(label, str) else label.name for label in said.labels),
            tuple(user.login for user in said.assignees or ()),
            said.user.login if said.user else "",
            said.created_at,
            said.updated_at,
            said.closed_at,
        )


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to an issue; ``label`` and ``assignee`` are empty without one."""

    id: int
    issue: int
    kind: str  # one of KINDS, or another
    actor: str
    actor_is_person: bool
    at: datetime
    label: str = ""
    assignee: str = ""

    @classmethod
    def of(cls, said: Any, issue: int) -> Event:
        """The event of an answer."""
        return cls(
            said.id,
            issue,
            said.event,
            said.actor.login if said.actor else "",
            bool(said.actor) and said.actor.type == "User",
            _moment(said.created_at),
            str(getattr(getattr(said, "label", None), "name", "") or ""),
            str(getattr(getattr(said, "assignee", None), "login", "") or ""),
        )


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment on an issue."""

    id: int
    issue: int
    user: str
    body: str
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, said: Any) -> Comment:
        """The comment of an answer."""
        issue = int(said.issue_url.rpartition("/")[2])
        user = said.user.login if said.user else ""
        return cls(said.id, issue, user, said.body or "", said.created_at, said.updated_at)


@dataclass(frozen=True, slots=True)
class Run:
    """A run of a workflow; ``ended_at`` is None until it is completed."""

    id: int
    file: str
    event: str
    status: str
    conclusion: str | None
    created_at: datetime
    started_at: datetime
    ended_at: datetime | None
    number: int
    head_sha: str
    actor: str

    @property
    def minutes(self) -> float | None:
        """How long it ran; None until it is completed."""
        if self.ended_at is None:
            return None
        return (self.ended_at - self.started_at).total_seconds() / 60

    @property
    def successful(self) -> bool:
        """Whether it ended in success."""
        return self.status == "completed" and self.conclusion == "success"

    @classmethod
    def of(cls, said: Any) -> Run:
        """The run of an answer."""
        return cls(
            said.id,
            said.path.partition("@")[0].rpartition("/")[2],
            said.event,
            said.status or "",
            said.conclusion,
            said.created_at,
            said.run_started_at or said.created_at,
            said.updated_at if said.status == "completed" else None,
            said.run_number,
            said.head_sha,
            said.actor.login if said.actor else "",
        )


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a job."""

    name: str
    conclusion: str | None
    started_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Job:
    """A job of a run."""

    id: int
    name: str
    conclusion: str | None
    steps: tuple[Step, ...]

    @classmethod
    def of(cls, said: Any) -> Job:
        """The job of an answer."""
        steps = tuple(
            Step(step.name, step.conclusion, step.started_at or None, step.completed_at or None)
            for step in said.steps or ()
        )
        return cls(said.id, said.name, said.conclusion, steps)


@dataclass(frozen=True, slots=True)
class Artifact:
    """What a run uploaded."""

    id: int
    name: str
    size: int
    expired: bool
    created_at: datetime | None

    @classmethod
    def of(cls, said: Any) -> Artifact:
        """The artifact of an answer."""
        return cls(said.id, said.name, said.size_in_bytes, said.expired, said.created_at)


@dataclass(frozen=True, slots=True)
class Workflow:
    """A workflow of main."""

    id: int
    file: str
    name: str
    state: str

    @classmethod
    def of(cls, said: Any) -> Workflow:
        """The workflow of an answer."""
        return cls(said.id, said.path.rpartition("/")[2], said.name, said.state)


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit."""

    sha: str
    message: str
    author: str
    at: datetime

    @classmethod
    def of(cls, said: Any) -> Commit:
        """The commit of an answer."""
        author = getattr(said.author, "login", "") or said.commit.author.name
        return cls(said.sha, said.commit.message, author, said.commit.author.date)


@dataclass(frozen=True, slots=True)
class Pull:
    """A pull request; ``mergeable`` is None in a list, and while GitHub does not know."""

    number: int
    title: str
    state: str
    branch: str
    merged_at: datetime | None
    mergeable: bool | None
    mergeable_state: str

    @classmethod
    def of(cls, said: Any) -> Pull:
        """The pull request of an answer."""
        return cls(
            said.number,
            said.title,
            said.state,
            said.head.ref,
            said.merged_at,
            getattr(said, "mergeable", None),
            str(getattr(said, "mergeable_state", "")),
        )


@dataclass(frozen=True, slots=True)
class Alert:
    """An open security alert; ``kind`` is code-scanning or dependabot."""

    kind: str
    number: int
    path: str
    created_at: datetime

    @property
    def about_workflows(self) -> bool:
        """Whether it is about the execution of workflows."""
        return self.path.startswith(".github/workflows/")


@dataclass(frozen=True, slots=True)
class Rate:
    """What remains of an account's limit."""

    limit: int
    remaining: int
    resets_at: datetime
