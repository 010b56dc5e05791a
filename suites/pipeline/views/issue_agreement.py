"""What GitHub's answers about issues, labels, comments and accounts say of each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from suites.pipeline.views.answers import Row, differ
from suites.pipeline.views.hub import Hub
from suites.pipeline.views.journal import Issue

_BOTS = ("github-actions[bot]", "Copilot", "rollout-suite", "rollback-controller[bot]")
_COLOUR = frozenset("0123456789abcdef")


def told_of_issues(hub: Hub, rows: Mapping[str, Sequence[Row]]) -> Iterator[tuple[str, str]]:
    """What one answer says of an issue, and how another has it; empty if it does not."""
    issues = {row["number"]: row for row in rows["issues"]}
    labels = {row["name"]: row for row in rows["labels"]}
    for row in rows["labels"]:
        wrong = len(row["color"]) != 6 or not _COLOUR.issuperset(row["color"].lower())
        yield f"label {row['name']}", f"its colour is {row['color']}" if wrong else ""
    for row in rows["issues"]:
        yield f"labels of issue {row['number']}", _strange_labels(row["labels"], labels)
        yield f"times of issue {row['number']}", _strange_times(row)
    for row in rows["events"]:
        given = [row["label"]] if "label" in row else []
        yield (
            f"event {row['id']}",
            differ(row["issue"], issues[row["issue"]["number"]]) or _strange_labels(given, labels),
        )
    for issue in hub.issues().values():
        yield f"issue {issue.number}", _strange_events(issue)
    for number, mine in _by_issue(rows["comments"]).items():
        yield f"comments on issue {number}", _strange_comments(hub, issues[number], mine)
    number = next(row["number"] for row in rows["issues"] if row["comments"])
    yield f"timeline of issue {number}", _strange_timeline(hub, number, rows)
    yield from _accounts(rows)


def _strange_labels(given: Sequence[Row], labels: Mapping[str, Row]) -> str:
    """What labels have otherwise than the list of the repository's labels."""
    return next(
        filter(None, (differ(of, labels.get(of["name"], {}), whole=True) for of in given)), ""
    )


def _strange_times(row: Row) -> str:
    """Whether an issue is closed without a time, or has times in another order."""
    if (row["closed_at"] is not None) is not (row["state"] == "closed"):
        return f"it is {row['state']}, closed at {row['closed_at']}"
    times = [row["created_at"], row["closed_at"] or row["created_at"], row["updated_at"]]
    return "" if times == sorted(times) else f"its times are {times}"


def _strange_events(of: Issue) -> str:
    """What an issue has otherwise than its events come to."""
    last = max((event.at for event in of.events), default=datetime.min)
    told = {
        "labels": of.labels_at(last) == of.labels,
        "assignees": of.assigned_at(last) == of.assignees,
        "state": of.open_at(last) is not of.closed or not of.events,
    }
    other = ", ".join(name for name, same in told.items() if not same)
    return f"another {other} than its events come to" if other else ""


def _by_issue(comments: Sequence[Row]) -> dict[int, list[Row]]:
    """The comments on each issue, in the order of their list."""
    told: dict[int, list[Row]] = {}
    for row in comments:
        told.setdefault(int(row["issue_url"].rpartition("/")[2]), []).append(row)
    return told


def _strange_comments(hub: Hub, issue: Row, mine: Sequence[Row]) -> str:
    """What the comments on an issue are otherwise than the issue and its own list say."""
    if issue["comments"] != len(mine):
        return f"there are {len(mine)}, and the issue says {issue['comments']}"
    for row in mine:
        page = f"{issue['html_url']}#issuecomment-{row['id']}"
        if (row["issue_url"], row["html_url"]) != (issue["url"], page):
            return f"comment {row['id']} is of {row['issue_url']}, at {row['html_url']}"
        times = [issue["created_at"], row["created_at"], row["updated_at"]]
        if times != sorted(times) or row["created_at"] > issue["updated_at"]:
            return f"comment {row['id']} has times that are not its issue's"
    own = list(hub.pages(f"/issues/{issue['number']}/comments"))
    return "" if own == mine else f"its own list has {len(own)}, or others"


def _strange_timeline(hub: Hub, number: int, rows: Mapping[str, Sequence[Row]]) -> str:
    """What a timeline has otherwise than the events and the comments of its issue."""
    parts: dict[Any, Row] = {row["id"]: row for row in _by_issue(rows["comments"])[number]}
    events = [row for row in rows["events"] if row["issue"]["number"] == number]
    parts |= {row["id"]: row for row in events}
    kinds = {"commented", *(row["event"] for row in events)}
    every = hub.pages(f"/issues/{number}/timeline")
    told = [row for row in every if row["event"] in kinds]
    times = [row["created_at"] for row in told]
    if {row["id"] for row in told} != set(parts) or times != sorted(times):
        return f"it has {len(told)} entries for {len(parts)}, or in another order"
    return next(filter(None, (differ(row, parts[row["id"]]) for row in told)), "")


def _accounts(rows: Mapping[str, Sequence[Row]]) -> Iterator[tuple[str, str]]:
    """Each account that acts, and what is wrong with it: one login is one account."""
    known: dict[str, Row] = {}
    for row in (*rows["issues"], *rows["comments"], *rows["events"], *rows["runs"]):
        acts = row["user"] if "user" in row else row["actor"]
        for account in filter(None, (acts, *row.get("assignees", ()))):
            first = known.setdefault(account["login"], account)
            if account != first:
                yield account["login"], "it is another one elsewhere"
    for login, account in known.items():
        kind = "Bot" if login in _BOTS else "User"
        wrong = account["type"] != kind or account["site_admin"]
        yield login, f"it is a {account['type']}" if wrong else ""
    numbers = {account["id"] for account in known.values()}
    yield "ids of accounts", "" if len(numbers) == len(known) else "two have the same"
