"""Asking GitHub's REST API for what happened, and seeding what a check needs."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from typing import Any, TypeVar

import httpx

from pytest_rollout import Reported, RolloutError, Stage, reported
from suites.pipeline.views.github import answered, connect
from suites.pipeline.views.journal import Issue, IssueEvent, Journal, Run

REHEARSED, SUITE = "acme/site-pipeline", "rollout-suite"  # in a rehearsal the token is a login
LOOK_BACK = timedelta(minutes=5)  # of what is read again: events of one second come in any order
T = TypeVar("T")


class Hub:
    """GitHub's REST API of the pipeline's repository."""

    def __init__(self, client: httpx.Client, repository: str, token: str = "") -> None:
        self._github = connect(client, token or SUITE)
        self._base = f"/repos/{repository}"

    @classmethod
    def of(cls, phase: Stage) -> Hub:
        """The repository of the phase's environment."""
        client = phase.target("github").client
        if phase.embedded:
            return cls(client, REHEARSED)
        token = os.environ.get("PIPELINE_GITHUB_TOKEN", "")
        return cls(client, os.environ.get("PIPELINE_REPOSITORY", REHEARSED), token)

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        """What GitHub answers below the repository, redirects followed, a refusal too."""
        return answered(self._github, method, self._base + path, **options)

    def at(self, address: str) -> httpx.Response:
        """What GitHub answers at an address that an answer of it named."""
        return answered(self._github, "GET", address)

    def described(self, group: str, name: str, /, **given: Any) -> httpx.Response:
        """The answer to one of githubkit's methods, read by its models.

        Raises pydantic's ValidationError where GitHub's own description has it otherwise, and
        githubkit's RequestFailed where it is refused.
        """
        owner, repository = self._base.split("/")[-2:]
        method = getattr(getattr(self._github.rest, group), name)
        where = {} if group == "rate_limit" else {"owner": owner, "repo": repository}
        answer = method(**where, **given)
        _ = answer.parsed_data
        response: httpx.Response = answer.raw_response
        return response

    def get(self, path: str, /, **params: object) -> Reported:
        """What one object below the repository says."""
        return reported(self.ask("GET", path, params=params))

    def text(self, path: str) -> str:
        """The text at a path, whose redirects are followed; raises httpx.HTTPStatusError."""
        answer = self.ask("GET", path)
        answer.raise_for_status()
        return answer.text

    def pages(self, path: str, /, key: str = "", **params: object) -> Iterator[Mapping[str, Any]]:
        """Each object of a list, page by page; ``key`` is where the list stands in an object."""
        number = 1
        while True:
            answer = self.ask("GET", path, params={"per_page": 100, "page": number, **params})
            if not answer.is_success:
                raise RolloutError(f"GET {path} answers {answer.status_code}, not 200")
            rows = answer.json()
            yield from rows[key] if key else rows
            if 'rel="next"' not in answer.headers.get("link", ""):
                return
            number += 1

    def each(
        self, path: str, take: Callable[[Mapping[str, Any]], T], /, key: str = "", **params: object
    ) -> Iterator[T]:
        """What is taken of each object of a list; a field that is missing is said in words."""
        for row in self.pages(path, key, **params):
            try:
                yield take(row)
            except (KeyError, TypeError, ValueError) as error:
                take(Reported(row, f"GET {path}"))  # names a field that is not there
                raise RolloutError(f"GET {path}: an entry cannot be read: {error!r}") from error

    def journal(
        self, now: datetime, known: Journal | None = None, since: datetime | None = None
    ) -> Journal:
        """All issues, events and runs.

        What ``known`` has from before its time is not asked again. With ``since`` only events and
        runs from then on are read.
        """
        if known is not None:
            fresh = list(self._events_since(known.now - LOOK_BACK))
            old = [e for e in known.events if e.at < known.now - LOOK_BACK]
            return Journal(now, self._issues([*fresh, *reversed(old)]), self.runs())
        if since is None:
            return Journal(now, self.issues(), self.runs())
        asked = f">={since.isoformat().replace('+00:00', 'Z')}"
        return Journal(now, self._issues(list(self._events_since(since))), self.runs(created=asked))

    def issues(self) -> dict[int, Issue]:
        """All issues by number, without pull requests."""
        return self._issues(self.events())

    def _issues(self, newest_first: Iterable[IssueEvent]) -> dict[int, Issue]:
        events: dict[int, list[IssueEvent]] = defaultdict(list)
        for event in newest_first:
            events[event.issue].append(event)
        issues = self.each("/issues", lambda row: _issue(row, events), state="all")
        return {issue.number: issue for issue in issues if issue}

    def _events_since(self, moment: datetime) -> Iterator[IssueEvent]:
        """The events from a moment on, the newest first."""
        return takewhile(lambda event: event.at >= moment, self.events())

    def events(self) -> Iterator[IssueEvent]:
        """The events of all issues, the newest first."""
        return (event for event in self.each("/issues/events", _event) if event)

    def runs(self, **asked: object) -> tuple[Run, ...]:
        """All runs that have begun, in order; ``created`` and the like ask for some of them."""
        runs = sorted(
            self.each("/actions/runs", _run, "workflow_runs", **asked),
            key=lambda run: (run.created, run.id),
        )
        return tuple(sorted(self._at_work(runs), key=lambda run: (run.begun, run.id)))

    def _at_work(self, runs: Iterable[Run]) -> Iterator[Run]:
        """Each run with the time at which its first job began.

        GitHub's `run_started_at` counts what a run waits for its group, so the jobs of a run that
        was created while another one had not ended are asked for.
        """
        free = datetime.min.replace(tzinfo=UTC)
        for run in runs:
            yield replace(run, begun=self._first_job(run)) if run.created < free else run
            free = max(free, run.ended or datetime.max.replace(tzinfo=UTC))

    def _first_job(self, run: Run) -> datetime:
        """When the first job of a run began; where none did, when it ended or was created."""
        jobs = self.each(f"/actions/runs/{run.id}/jobs", lambda row: row["started_at"], "jobs")
        began = [_moment(text) for text in jobs if text]
        return min(began, default=run.ended or run.begun)


def _event(row: Mapping[str, Any]) -> IssueEvent | None:
    kind = row["event"]
    if kind in ("labeled", "unlabeled"):
        subject = row["label"]["name"]
    elif kind in ("assigned", "unassigned"):
        subject = row["assignee"]["login"]
    elif kind in ("closed", "reopened"):
        subject = ""
    else:
        return None
    actor = row["actor"]["login"] if row["actor"] else ""
    return IssueEvent(row["issue"]["number"], kind, subject, actor, _moment(row["created_at"]))


def _issue(row: Mapping[str, Any], events: Mapping[int, list[IssueEvent]]) -> Issue | None:
    if "pull_request" in row:
        return None
    oldest_first = events.get(row["number"], [])[::-1]
    return Issue(
        number=row["number"],
        title=row["title"],
        body=row["body"] or "",
        labels=frozenset(label["name"] for label in row["labels"]),
        closed=row["state"] == "closed",
        assignees=frozenset(person["login"] for person in row["assignees"]),
        events=tuple(sorted(oldest_first, key=lambda event: event.at)),
    )


def _run(row: Mapping[str, Any]) -> Run:
    done = row["status"] == "completed"
    return Run(
        id=row["id"],
        file=row["path"].rsplit("/", 1)[-1].partition("@")[0],
        event=row["event"],
        status=row["status"],
        conclusion=row["conclusion"] or "",
        created=_moment(row["created_at"]),
        begun=_moment(row["run_started_at"] or row["created_at"]),
        ended=_moment(row["updated_at"]) if done else None,
    )


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text} has no zone")
    return moment
