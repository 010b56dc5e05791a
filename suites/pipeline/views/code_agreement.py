"""What GitHub's answers about branches, files, commits and pull requests say of each other."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from suites.pipeline.views.addresses import astray, misplaced
from suites.pipeline.views.answers import Row, differ, otherwise
from suites.pipeline.views.hub import Hub
from suites.pipeline.views.schedules import ASSIGN, FOLDER
from suites.pipeline.views.tree import commits, head

MAIN = "main"
_NEWEST = 20  # commits that are looked at


def told_of_code(
    hub: Hub, rows: Mapping[str, Sequence[Row]], checkout: Path, repository: Row
) -> Iterator[tuple[str, str]]:
    """What one answer says of code, and how another one or git has it; empty if it does not."""
    heads = {row["name"]: row["commit"] for row in rows["branches"]}
    for row in rows["branches"]:
        due = f"{repository['url']}/commits/{row['commit']['sha']}"
        wrong = row["commit"]["url"] != due
        yield f"branch {row['name']}", f"its commit is at {row['commit']['url']}" if wrong else ""
    for name in (MAIN, next(name for name in heads if name != MAIN)):
        yield f"ref {name}", _strange_ref(hub, name, heads[name], repository)
        yield f"file on {name}", _strange_file(hub, name, checkout, repository)
    issues = {row["number"]: row for row in rows["issues"]}
    for row in rows["pulls"]:
        yield f"pull {row['number']}", _strange_pull(row, issues[row["number"]], heads)
    for row in rows["pulls"][:1]:
        alone = hub.at(row["url"]).json()
        wrong = _strange_merge(alone, issues[row["number"]]) or astray(alone, repository)
        yield f"pull {row['number']} alone", wrong
    yield "commits", _strange_commits(rows["commits"], checkout)
    yield "commits by a path", _strange_path(hub, rows["commits"])


def _strange_ref(hub: Hub, name: str, newest: Row, repository: Row) -> str:
    """What a reference says otherwise than the branch of its name."""
    row = hub.ask("GET", f"/git/ref/heads/{name}").json()
    sha, said = newest["sha"], row["object"]
    due = {"type": "commit", "sha": sha, "url": f"{repository['url']}/git/commits/{sha}"}
    if row["ref"] != f"refs/heads/{name}":
        return f"it is {row['ref']}"
    return differ(due, said, whole=True) or misplaced("refs", {**row, "name": name}, repository)


def _strange_file(hub: Hub, branch: str, checkout: Path, repository: Row) -> str:
    """What the file that says how an assignment is run has otherwise than git on main."""
    path = f"{FOLDER}/{ASSIGN}"
    asked = {} if branch == MAIN else {"ref": branch}
    row = hub.ask("GET", f"/contents/{path}", params=asked).json()
    content = base64.b64decode(row["content"])
    if branch == MAIN and content.decode() != head(checkout).text(path):
        return "it is another text than the checkout's"
    blob = hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
    due = {"name": ASSIGN, "path": path, "size": len(content), "sha": blob, "type": "file"}
    links = {"self": row["url"], "git": row["git_url"], "html": row["html_url"]}
    where = {
        "url": f"{repository['url']}/contents/{path}?ref={branch}",
        "git_url": f"{repository['url']}/git/blobs/{blob}",
        "html_url": f"{repository['html_url']}/blob/{branch}/{path}",
        "_links": links,
    }
    wrong = differ({**due, **where}, row, whole=True) or otherwise(hub, row)
    return wrong or astray(row, repository)


def _strange_pull(row: Row, issue: Row, heads: Mapping[str, Row]) -> str:
    """What a pull request has otherwise than its issue, or than the branch that it is of."""
    same = (
        "title",
        "body",
        "state",
        "user",
        "closed_at",
        "created_at",
        "updated_at",
        "labels",
        "locked",
    )
    if wrong := differ({name: row[name] for name in same}, issue, whole=True):
        return wrong
    links = {name: row[f"{name}_url"] for name in row["_links"] if name not in ("self", "html")}
    links |= {"self": row["url"], "html": row["html_url"]}
    of = issue["pull_request"]
    told = {name: row[name] for name in of}
    if {name: each["href"] for name, each in row["_links"].items()} != links or told != of:
        return "its links, or its issue's word of it, are others than its own"
    sides = {name: row[name] for name in ("head", "base")}
    for name, side in sides.items():
        if side["label"] != f"{side['user']['login']}:{side['ref']}":
            return f"its {name} is {side['label']}"
        if side["repo"] and side["user"] != side["repo"]["owner"]:
            return f"its {name} is of {side['user']['login']}"
    now = heads.get(row["head"]["ref"])
    if now is not None and row["state"] == "open" and now["sha"] != row["head"]["sha"]:
        return f"its branch is at {now['sha']}, its head at {row['head']['sha']}"
    parts = {"issue": issue["url"], "comments": issue["comments_url"]}
    other = [name for name, due in parts.items() if row[f"{name}_url"] != due]
    other += [] if row["statuses_url"].endswith(f"/{row['head']['sha']}") else ["statuses"]
    other += [] if row["base"]["ref"] == MAIN == row["base"]["repo"]["default_branch"] else ["base"]
    return f"another {', '.join(other)} than is due" if other else ""


def _strange_merge(row: Row, issue: Row) -> str:
    """What a pull request says of its merge against itself, and of what was said of it."""
    if row["comments"] != issue["comments"]:
        return f"it has {row['comments']} comments, its issue {issue['comments']}"
    merged = row["merged_at"] is not None
    if (row["merged"], row["merged_by"] is not None) != (merged, merged):
        return f"it is merged at {row['merged_at']}, by {row['merged_by']}"
    return "" if row["commits"] and row["changed_files"] else "it changes nothing"


def _strange_commits(rows: Sequence[Row], checkout: Path) -> str:
    """What commits have otherwise than git has them in the checkout."""
    due = {of.sha: (of.at, of.author, of.subject) for of in commits(checkout)}
    told, times = {}, []
    for row in rows:
        said = row["commit"]
        at, who = datetime.fromisoformat(said["author"]["date"]), said["author"]["name"]
        told[row["sha"]] = (at, who, said["message"].partition("\n")[0])
        times.append(said["committer"]["date"])
    if told != due or times != sorted(times, reverse=True):
        return f"{len(told)} are told of, and git has {len(due)}, or others, or in another order"
    parents = {parent["sha"] for row in rows for parent in row["parents"]}
    if parents != set(due) - {rows[0]["sha"]} or rows[-1]["parents"]:
        return "a parent is none of them, or one has none"
    return ""


def _strange_path(hub: Hub, rows: Sequence[Row]) -> str:
    """Whether other commits are listed by a path than those that changed its text."""
    path = f"{FOLDER}/{ASSIGN}"
    newest = [row["sha"] for row in rows[:_NEWEST]]
    told = [hub.ask("GET", f"/contents/{path}", params={"ref": sha}) for sha in newest]
    texts = [answer.json().get("content") for answer in told]
    earlier = [*texts[1:], None if len(rows) <= _NEWEST else texts[-1]]
    due = {sha for sha, text, old in zip(newest, texts, earlier, strict=True) if text != old}
    listed = {row["sha"] for row in hub.pages("/commits", path=path)} & set(newest)
    return "" if listed == due else f"{len(listed)} of them, and {len(due)} changed {path}"
