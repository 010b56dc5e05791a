"""The addresses in GitHub's answers: each leads to what GitHub describes there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import unquote, urlsplit

from suites.pipeline.views.answers import Row

# Where a row of a list is, and its page; fields of the row stand in braces.
OWN = {
    "issues": ("/issues/{number}", "/issues/{number}"),
    "comments": ("/issues/comments/{id}", ""),
    "events": ("/issues/events/{id}", ""),
    "labels": ("/labels/{name}", ""),
    "commits": ("/commits/{sha}", "/commit/{sha}"),
    "pulls": ("/pulls/{number}", "/pull/{number}"),
    "workflows": ("/actions/workflows/{id}", "/blob/main/{path}"),
    "runs": ("/actions/runs/{id}", "/actions/runs/{id}"),
    "jobs": ("/actions/jobs/{id}", "/actions/runs/{run_id}/job/{id}"),
    "artifacts": ("/actions/artifacts/{id}", ""),
    "releases": ("/releases/{id}", "/releases/tag/{tag_name}"),
    "refs": ("/git/refs/heads/{name}", ""),
    "code-scanning": ("/code-scanning/alerts/{number}", "/security/code-scanning/{number}"),
    "dependabot": ("/dependabot/alerts/{number}", "/security/dependabot/{number}"),
}
_ENDS = ("", "/", "{", "?", "#", ".")  # what may follow the address of the repository
_SAME = frozenset({"html_url", "svn_url"})  # of a repository both are its page


def misplaced(kind: str, row: Row, repository: Row) -> str:
    """Which of the row's own addresses is not where GitHub describes it."""
    own, page = OWN[kind]
    if "pull_request" in row:
        page = OWN["pulls"][1]
    fields = {**row, "of": str(row.get("issue_url")).rpartition("/")[2]}
    due = {"url": repository["url"] + own.format_map(fields)}
    if page:
        due["html_url"] = repository["html_url"] + page.format_map(fields)
    for name, address in due.items():
        if unquote(str(row.get(name))) != unquote(address):
            return f"its {name} is {row.get(name)}, not {address}"
    return astray(row, repository)


def astray(value: Any, repository: Row) -> str:
    """Which address in an answer is none, or names what another field of its object names."""
    for entry in _objects(value):
        told = {name: str(text) for name, text in _addresses(entry) if text}
        for name, text in told.items():
            if not _leads(text, repository):
                return f"its {name} is {text}"
        twice = [name for name in told if list(told.values()).count(told[name]) > 1]
        if twice and set(twice) != _SAME:
            return f"its {' and '.join(twice)} are the same: {told[twice[0]]}"
        if "login" in entry and not unquote(told["url"]).endswith(f"/users/{entry['login']}"):
            return f"{entry['login']} is at {told['url']}"
    return ""


def _objects(value: Any) -> Iterator[Mapping[str, Any]]:
    """Each object of an answer, those within others too."""
    if isinstance(value, Mapping):
        yield value
    parts: Sequence[Any] = list(value.values()) if isinstance(value, Mapping) else value
    for part in parts:
        if isinstance(part, Mapping | list):
            yield from _objects(part)


def _addresses(entry: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    return ((name, text) for name, text in entry.items() if name == "url" or name.endswith("_url"))


def _leads(text: str, repository: Row) -> bool:
    """Whether an address is a whole one, and goes on after that of the repository as one does."""
    for base in (repository["url"], repository["html_url"]):
        if text.startswith(base):
            return text[len(base) :][:1] in _ENDS
    split = urlsplit(text)
    return bool(split.netloc and split.scheme) or text.startswith("git@")
