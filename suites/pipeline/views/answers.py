"""GitHub's answers, held against its own description, by themselves, in lists and by filters."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx

from pytest_rollout import RolloutError
from suites.pipeline.views.hub import Hub

Row = Mapping[str, Any]
_LIMITS = ("limit", "remaining", "used", "reset", "resource")
_FEW = 7  # rows of a page, so that a list has several
_USUAL, _MOST = 30, 100  # rows of a page unless it is told, and at most


@dataclass(frozen=True)
class Listed:
    """A list of GitHub: where it is, and what reads it."""

    path: str
    reader: tuple[str, str]  # of githubkit, whose models are GitHub's own description
    key: str = ""  # where the list stands in the answer
    asked: Mapping[str, str] | None = None
    own: str = "id"  # what tells its rows apart
    alone: bool = True  # a row is at its `url`, too
    newest: bool = False  # its rows come newest first


LISTS = {
    "issues": Listed("/issues", ("issues", "list_for_repo"), asked={"state": "all"}, newest=True),
    "comments": Listed("/issues/comments", ("issues", "list_comments_for_repo"), alone=False),
    "events": Listed(
        *("/issues/events", ("issues", "list_events_for_repo")), alone=False, newest=True
    ),
    "labels": Listed("/labels", ("issues", "list_labels_for_repo"), alone=False),
    "branches": Listed("/branches", ("repos", "list_branches"), own="name", alone=False),
    "commits": Listed("/commits", ("repos", "list_commits"), own="sha"),
    "pulls": Listed("/pulls", ("pulls", "list"), asked={"state": "all"}, newest=True),
    "workflows": Listed("/actions/workflows", ("actions", "list_repo_workflows"), "workflows"),
    "runs": Listed(
        *("/actions/runs", ("actions", "list_workflow_runs_for_repo"), "workflow_runs"),
        newest=True,
    ),
}


def misread(hub: Hub, group: str, name: str, **given: Any) -> str:
    """What is wrong with the shape of an answer, and with what it says of limits."""
    from githubkit.exception import RequestFailed
    from pydantic import ValidationError

    try:
        answer = hub.described(group, name, **given)
    except RequestFailed as refusal:
        return f"{name} answers {refusal.response.status_code}"
    except ValidationError as error:
        first = error.errors()[0]
        return f"{name}: {'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
    return mistold(answer)


def mistold(answer: httpx.Response) -> str:
    """What the head of an answer lacks: its kind, or what remains of the caller's requests."""
    if answer.status_code != 200:
        return f"{answer.url.path} answers {answer.status_code}"
    if not answer.headers.get("content-type", "").startswith("application/json"):
        return f"{answer.url.path} is {answer.headers.get('content-type')}"
    told = {name: answer.headers.get(f"x-ratelimit-{name}", "") for name in _LIMITS}
    numbers = [int(told[name]) for name in _LIMITS[:3] if told[name].isdigit()]
    if len(numbers) < 3 or numbers[1] + numbers[2] != numbers[0] or not told["reset"].isdigit():
        return f"{answer.url.path} says of its limit {told}"
    return "" if told["resource"] == "core" else f"{answer.url.path} is of {told['resource']!r}"


def unlimited(hub: Hub) -> str:
    """What the limits of the caller say otherwise than the head of the same answer."""
    answer, again = hub.at("/rate_limit"), hub.at("/rate_limit")
    said = answer.json()["resources"]["core"]
    told = {name: int(answer.headers[f"x-ratelimit-{name}"]) for name in _LIMITS[:4]}
    free = said["remaining"] == again.json()["resources"]["core"]["remaining"]
    return differ(told, said, whole=True) if free else "asking for the limit counts against it"


def refused(hub: Hub) -> str:
    """What is wrong with the answer where there is nothing."""
    answer = hub.ask("GET", "/issues/0")
    if answer.status_code != 404:
        return f"it answers {answer.status_code}"
    return differ({"status": "404", "message": "Not Found"}, answer.json(), whole=True)


def rows_of(hub: Hub, listed: Listed, **more: str) -> list[Row]:
    """Every row of a list."""
    return list(hub.pages(listed.path, listed.key, **{**(listed.asked or {}), **more}))


def cut(hub: Hub, listed: Listed, whole: Sequence[Row]) -> str:
    """What is wrong with the pages of a list: rows that are missing, twice, or in another order."""
    seen = [row[listed.own] for row in whole]
    if len(set(seen)) != len(seen):
        return f"{listed.path} has rows twice"
    times = [row["created_at"] for row in whole] if listed.newest else []
    if times != sorted(times, reverse=True):
        return f"{listed.path} does not begin with the newest"
    for size, most in ({}, _USUAL), ({"per_page": _MOST + 1}, _MOST):
        answer = hub.ask("GET", listed.path, params={**size, **(listed.asked or {})})
        if _own(listed, answer) != seen[:most]:
            return f"{listed.path}: a page has other rows than the first {most}"
    asked = {"per_page": str(_FEW), **(listed.asked or {})}
    last = -(-len(whole) // _FEW)
    for number in {1, 2, last}:
        answer = hub.ask("GET", listed.path, params={**asked, "page": number})
        if _own(listed, answer) != seen[(number - 1) * _FEW : number * _FEW]:
            return f"{listed.path}: page {number} of {last} has other rows than the whole list"
        if listed.key and answer.json()["total_count"] != len(whole):
            return f"{listed.path} has {len(whole)} rows, and says another total"
        links = {name: dict(httpx.URL(of["url"]).params) for name, of in answer.links.items()}
        due = {"next": number + 1, "last": last} if number < last else {}
        due |= {"prev": number - 1, "first": 1} if number > 1 else {}
        if links != {name: {**asked, "page": str(page)} for name, page in due.items()}:
            return f"{listed.path}: page {number} of {last} links to {links}"
        if number == 1 < last:
            after = hub.at(answer.links["next"]["url"])
            if _own(listed, after) != seen[_FEW : 2 * _FEW]:
                return f"{listed.path}: the next page has other rows than are due"
    return ""


def _own(listed: Listed, answer: httpx.Response) -> list[Any]:
    """What tells the rows of a page apart."""
    said = answer.json()
    return [row[listed.own] for row in (said[listed.key] if listed.key else said)]


def otherwise(hub: Hub, row: Row) -> str:
    """Which fields of a row are other ones where it is asked for by itself."""
    answer = hub.at(str(row["url"]))
    if not answer.is_success:
        return f"{row['url']} answers {answer.status_code}"
    return differ(row, answer.json())


def single(rows: Mapping[str, Sequence[Row]]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """What reads one thing alone, for the kinds of which the gates look one up."""
    number = next(row["number"] for row in rows["issues"] if row["comments"])
    run = next(row["id"] for row in rows["runs"] if row["conclusion"])
    branch = next(row["name"] for row in rows["branches"] if row["name"] != "main")
    yield "rate_limit", "get", {}
    yield "repos", "get_latest_release", {}
    yield "issues", "get", {"issue_number": number}
    yield "issues", "list_comments", {"issue_number": number}
    yield "issues", "list_events_for_timeline", {"issue_number": number}
    yield "pulls", "get", {"pull_number": rows["pulls"][0]["number"]}
    yield "actions", "get_workflow", {"workflow_id": rows["workflows"][0]["id"]}
    yield "actions", "get_workflow_run", {"run_id": run}
    yield "actions", "list_jobs_for_workflow_run", {"run_id": run}
    yield "actions", "list_workflow_run_artifacts", {"run_id": run}
    yield "git", "get_ref", {"ref": f"heads/{branch}"}
    yield "repos", "get_commit", {"ref": rows["commits"][0]["sha"]}
    yield "repos", "get_content", {"path": "README.md", "ref": branch}


def differ(told: Row, said: Row, *, whole: bool = False) -> str:
    """Which fields are another thing in the second one; ``whole``: or are not there."""
    other = sorted(
        name for name in told if (whole or name in said) and told[name] != said.get(name)
    )
    return f"another {', '.join(other)} than it has by itself" if other else ""


Kept = Callable[[Row], bool]


def let_through(
    hub: Hub, listed: Listed, whole: Iterable[Row], asked: Mapping[str, str], kept: Kept
) -> str:
    """What a filter lets through that it must not, or leaves out."""
    due = {row[listed.own] for row in whole if kept(row)}
    seen = {row[listed.own] for row in rows_of(hub, listed, **asked)}
    if not due:
        raise RolloutError(f"{listed.path} has nothing that {asked} would let through")
    return "" if seen == due else f"{listed.path} by {asked}: {len(seen)} rows, not {len(due)}"


def open_ones(hub: Hub, listed: Listed, whole: Iterable[Row]) -> str:
    """Whether a list that is asked for no state has others than the open ones."""
    due = [row[listed.own] for row in whole if row["state"] == "open"]
    seen = [row[listed.own] for row in hub.pages(listed.path, listed.key)]
    return "" if seen == due else f"{listed.path}: {len(seen)} rows, and {len(due)} are open"


def filters(rows: Mapping[str, Sequence[Row]]) -> Iterator[tuple[str, Mapping[str, str], Kept]]:
    """Each filter that the gates may use, with what it is to let through."""
    both = next(_names(row) for row in rows["issues"] if len(row["labels"]) > 1)
    label = min(both)
    yield "issues", {"state": "open"}, lambda row: row["state"] == "open"
    yield "issues", {"state": "closed"}, lambda row: row["state"] == "closed"
    yield "issues", {"labels": label}, lambda row: label in _names(row)
    yield "issues", {"labels": ",".join(sorted(both))}, lambda row: both <= _names(row)
    if closed := [row["number"] for row in rows["pulls"] if row["state"] == "closed"]:
        yield "pulls", {"state": "closed"}, lambda row: row["number"] in closed
    created = rows["runs"][len(rows["runs"]) // 2]["created_at"]
    yield "runs", {"created": f">={created}"}, lambda row: row["created_at"] >= created
    after = f"{datetime.fromisoformat(created) + timedelta(seconds=1):%Y-%m-%dT%H:%M:%SZ}"
    yield "runs", {"created": f">={after}"}, lambda row: row["created_at"] > created


def _names(row: Row) -> set[str]:
    return {label["name"] for label in row["labels"]}
