"""GitHub read by githubkit's models, which stand for the shapes of its OpenAPI description."""

from __future__ import annotations

import base64
import io
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import httpx

from suites.pipeline.views.github import connect
from tests.pipeline.github_answers import (
    KINDS,
    Alert,
    Artifact,
    Comment,
    Commit,
    Event,
    Issue,
    Job,
    Pull,
    Rate,
    Run,
    Workflow,
)

_PAGE, _MOST_PAGES = 100, 50


class Repository:
    """One repository as one account asks it. Each answer is read by githubkit's models.

    Raises githubkit's RequestFailed where GitHub refuses.
    """

    def __init__(self, client: httpx.Client, token: str, repository: str) -> None:
        self._github: Any = connect(client, token)  # whose parts do not keep it
        owner, _, name = repository.partition("/")
        self.where = {"owner": owner, "repo": name}
        self.rest: Any = self._github.rest

    def issues(self, state: str = "open", labels: str = "", **asked: Any) -> list[Issue]:
        """Issues, the oldest first; none of pull requests. ``labels``: names with commas."""
        asked |= {"state": state, **({"labels": labels} if labels else {})}
        pages = self._pages(self.rest.issues.list_for_repo, **asked)
        return [Issue.of(said) for said in pages if not said.pull_request][::-1]

    def issue(self, number: int) -> Issue:
        """An issue."""
        return Issue.of(self._asked(self.rest.issues.get, issue_number=number))

    def events_of(self, number: int) -> list[Event]:
        """The events of an issue, the oldest first, of kinds that the suite knows."""
        # Of its timeline: the description of an issue's events knows none of closing.
        pages = self._pages(self.rest.issues.list_events_for_timeline, issue_number=number)
        return [Event.of(said, number) for said in pages if said.event in KINDS]

    def events(self, since: datetime | None = None) -> list[Event]:
        """The events of all issues since a time, the oldest first; of pull requests too."""
        events = []
        for said in self._pages(self.rest.issues.list_events_for_repo):
            if since is not None and said.created_at < since:
                break
            events.append(Event.of(said, said.issue.number))
        return events[::-1]

    def comments_on(self, number: int) -> list[Comment]:
        """The comments on an issue, the oldest first."""
        pages = self._pages(self.rest.issues.list_comments, issue_number=number)
        return [Comment.of(said) for said in pages]

    def comments(self) -> list[Comment]:
        """The comments on all issues."""
        pages = self._pages(self.rest.issues.list_comments_for_repo)
        return [Comment.of(said) for said in pages]

    def has_branch(self, name: str) -> bool:
        """Whether there is a branch."""
        return self._there(self.rest.git.get_ref, ref=f"heads/{name}") is not None

    def text(self, path: str, ref: str = "main") -> str | None:
        """The text of a file; None where it, or the branch, is not there."""
        said = self._there(self.rest.repos.get_content, path=path, ref=ref)
        return None if said is None else base64.b64decode(said.content).decode()

    def commits(self, path: str = "", **asked: Any) -> list[Commit]:
        """The commits on main that touch a path, the newest first."""
        asked |= {"path": path} if path else {}
        return [Commit.of(said) for said in self._pages(self.rest.repos.list_commits, **asked)]

    def pulls(self, state: str = "all") -> list[Pull]:
        """Pull requests, the newest first; without a word about merging."""
        return [Pull.of(said) for said in self._pages(self.rest.pulls.list, state=state)]

    def pull(self, number: int) -> Pull:
        """A pull request."""
        return Pull.of(self._asked(self.rest.pulls.get, pull_number=number))

    def workflows(self) -> list[Workflow]:
        """The workflows that GitHub knows."""
        pages = self._pages(self.rest.actions.list_repo_workflows, within="workflows")
        return [Workflow.of(said) for said in pages]

    def runs(self, **asked: Any) -> list[Run]:
        """Runs, the oldest first; ``created`` as `>=TIME`."""
        method = self.rest.actions.list_workflow_runs_for_repo
        pages = self._pages(method, within="workflow_runs", **asked)
        return [Run.of(said) for said in pages][::-1]

    def run(self, number: int) -> Run:
        """A run."""
        return Run.of(self._asked(self.rest.actions.get_workflow_run, run_id=number))

    def jobs(self, run: int) -> list[Job]:
        """The jobs of a run."""
        method = self.rest.actions.list_jobs_for_workflow_run
        return [Job.of(said) for said in self._pages(method, within="jobs", run_id=run)]

    def log(self, run: int) -> str:
        """The logs of all jobs of a run, one after the other."""
        method = self.rest.actions.download_job_logs_for_workflow_run
        return "".join(method(**self.where, job_id=job.id).text for job in self.jobs(run))

    def artifacts(self, run: int) -> list[Artifact]:
        """The artifacts of a run."""
        method = self.rest.actions.list_workflow_run_artifacts
        return [Artifact.of(said) for said in self._pages(method, within="artifacts", run_id=run)]

    def files_of(self, artifact: int) -> dict[str, str]:
        """What an artifact holds: names of files to texts."""
        method = self.rest.actions.download_artifact
        answer = method(**self.where, artifact_id=artifact, archive_format="zip")
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            return {name: archive.read(name).decode() for name in archive.namelist()}

    def rate(self) -> Rate:
        """What remains of the limit of the suite's own account."""
        core = self.rest.rate_limit.get().parsed_data.resources.core
        return Rate(core.limit, core.remaining, datetime.fromtimestamp(core.reset, UTC))

    def alerts(self) -> list[Alert]:
        """The open security alerts."""
        scanned = self._asked(self.rest.code_scanning.list_alerts_for_repo, state="open")
        depended = self._asked(self.rest.dependabot.list_alerts_for_repo, state="open")
        return [
            *(
                Alert(
                    "code-scanning",
                    said.number,
                    said.most_recent_instance.location.path,
                    said.created_at,
                )
                for said in scanned
            ),
            *(
                Alert("dependabot", said.number, said.dependency.manifest_path, said.created_at)
                for said in depended
            ),
        ]

    def dispatch(self, file: str, **inputs: str) -> int:
        """Start a workflow by hand; the id of its run, which begins a few seconds later."""
        method = self.rest.actions.create_workflow_dispatch
        said = self._asked(method, workflow_id=file, ref="main", inputs=inputs)
        return int(said.workflow_run_id)

    def create_issue(self, title: str, body: str = "", *labels: str) -> int:
        """Open an issue; its number."""
        method = self.rest.issues.create
        return int(self._asked(method, title=title, body=body, labels=list(labels)).number)

    def add_labels(self, number: int, *labels: str) -> None:
        """Set labels on an issue."""
        self._asked(self.rest.issues.add_labels, issue_number=number, labels=list(labels))

    def assign(self, number: int, login: str) -> None:
        """Assign an issue to somebody."""
        self._asked(self.rest.issues.add_assignees, issue_number=number, assignees=[login])

    def comment(self, number: int, body: str) -> None:
        """Comment on an issue."""
        self._asked(self.rest.issues.create_comment, issue_number=number, body=body)

    def create_branch(self, name: str) -> None:
        """Make a branch from main."""
        sha = self._asked(self.rest.git.get_ref, ref="heads/main").object_.sha
        self._asked(self.rest.git.create_ref, ref=f"refs/heads/{name}", sha=sha)

    def put_file(self, branch: str, path: str, text: str) -> None:
        """Write a file on a branch."""
        content = base64.b64encode(text.encode()).decode()
        method = self.rest.repos.create_or_update_file_contents
        self._asked(method, path=path, message=f"Write {path}", content=content, branch=branch)

    def set_workflow(self, file: str, *, enabled: bool) -> None:
        """Enable or disable a workflow."""
        actions = self.rest.actions
        method = actions.enable_workflow if enabled else actions.disable_workflow
        method(**self.where, workflow_id=file)

    def cancel(self, run: int) -> None:
        """Cancel a run."""
        self.rest.actions.cancel_workflow_run(**self.where, run_id=run)

    def _asked(self, method: Callable[..., Any], **asked: Any) -> Any:
        return method(**self.where, **asked).parsed_data

    def _there(self, method: Callable[..., Any], **asked: Any) -> Any:
        from githubkit.exception import RequestFailed

        try:
            return self._asked(method, **asked)
        except RequestFailed as error:
            if error.response.status_code == 404:
                return None
            raise

    def _pages(self, method: Callable[..., Any], within: str = "", **asked: Any) -> Iterator[Any]:
        """Every entry of a list; raises AssertionError where it goes on for too long."""
        for page in range(1, _MOST_PAGES + 1):
            answer = method(**self.where, **asked, per_page=_PAGE, page=page)
            said = answer.parsed_data
            yield from getattr(said, within) if within else said
            if 'rel="next"' not in answer.headers.get("link", ""):
                return
        raise AssertionError(f"a list of GitHub goes on after {_MOST_PAGES * _PAGE} entries")
