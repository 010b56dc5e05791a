"""What GitHub's answers say of each other: a run of its jobs, an event of its issue, and so on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from suites.pipeline.views.answers import Row, differ
from suites.pipeline.views.hub import Hub
from suites.pipeline.views.journal import Issue
from suites.pipeline.views.schedules import ASSIGN, FOLDER

_NEWEST = 20  # commits that are looked at


def told_apart(hub: Hub, rows: Mapping[str, Sequence[Row]]) -> Iterator[tuple[str, str]]:
    """What one answer says of another thing, and how that thing differs; empty if it does not."""
    runs = {row["id"]: row for row in rows["runs"]}
    for row in rows["artifacts"]:
        within = row["workflow_run"]
        yield f"artifact {row['id']}", differ(within, runs[within["id"]])
    files = {row["id"]: row for row in rows["workflows"]}
    for row in rows["runs"]:
        of = files[row["workflow_id"]]
        told = {"path": row["path"].partition("@")[0], "name": row["name"]}
        head = {"id": row["head_sha"]}
        yield (
            f"run {row['id']}",
            differ(told, of, whole=True) or differ(head, row["head_commit"], whole=True),
        )
    ends = {row["conclusion"]: row for row in rows["runs"] if row["conclusion"]}
    for run in ends.values():
        yield f"jobs of run {run['id']}", _strange_jobs(hub, run)
    issues = {row["number"]: row for row in rows["issues"]}
    for row in rows["pulls"]:
        same = {name: row[name] for name in ("title", "body", "state", "user", "closed_at")}
        yield f"pull {row['number']}", differ(same, issues[row["number"]], whole=True)
    for row in rows["events"]:
        yield f"event {row['id']}", differ(row["issue"], issues[row["issue"]["number"]])
    for seen in hub.issues().values():
        yield f"issue {seen.number}", _strange_events(seen)
    for row in rows["artifacts"][:1]:
        yield f"zip of artifact {row['id']}", _strange_zip(hub, row)
    yield "commits by a path", _strange_path(hub, rows["commits"])
    heads = {row["name"]: row["commit"]["sha"] for row in rows["branches"]}
    for row in hub.pages("/git/matching-refs/heads/"):
        told = {"sha": heads.get(row["ref"].removeprefix("refs/heads/"))}
        yield row["ref"], differ(told, row["object"], whole=True)


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


def _strange_jobs(hub: Hub, run: Row) -> str:
    """What the jobs of a run, their steps and their logs have otherwise than the run."""
    ends = []
    for job in hub.pages(f"/actions/runs/{run['id']}/jobs", "jobs"):
        told = {"id": job["run_id"], "name": job["workflow_name"], "url": job["run_url"]}
        same = {name: job[name] for name in ("head_sha", "head_branch", "run_attempt")}
        if wrong := differ({**told, **same}, run, whole=True):
            return f"job {job['id']} has {wrong}"
        steps = job["steps"]
        for part in (job, *steps):
            over = part["completed_at"] is not None and part["conclusion"] is not None
            if over is not (part["status"] == "completed"):
                return f"{part['name']} of job {job['id']} is {part['status']} at its times"
        times = [run["created_at"], job["started_at"]]
        times += [at for step in steps for at in (step["started_at"], step["completed_at"])]
        times += [job["completed_at"], run["updated_at"]]
        numbers = [step["number"] for step in steps]
        if times != sorted(times) or numbers != list(range(1, len(steps) + 1)):
            return f"job {job['id']} has steps in another order, or at other times"
        lines = hub.text(f"/actions/jobs/{job['id']}/logs").splitlines()
        bad = any("##[error]" in line for line in lines)
        if bad is not any(step["conclusion"] == "failure" for step in steps):
            return f"the log of job {job['id']} tells of its end otherwise than its steps"
        if [line[:28] for line in lines] != sorted(line[:28] for line in lines):
            return f"the log of job {job['id']} is not in the order of its times"
        ends.append(job["conclusion"])
    worst = "failure" if "failure" in ends else "success"
    due = worst if run["conclusion"] in ("failure", "success") else run["conclusion"]
    return "" if run["conclusion"] == due else f"they ended in {ends}, it in {run['conclusion']}"


def _strange_zip(hub: Hub, row: Row) -> str:
    """What is wrong with the download of an artifact."""
    answer = hub.ask("GET", f"/actions/artifacts/{row['id']}/zip")
    kind = answer.headers.get("content-type", "")
    zipped = answer.is_success and kind == "application/zip" and answer.content[:2] == b"PK"
    return "" if zipped else f"it answers {answer.status_code} with {kind or 'no kind'}"


def _strange_path(hub: Hub, commits: Sequence[Row]) -> str:
    """Whether other commits are listed by a path than those that changed its text."""
    path = f"{FOLDER}/{ASSIGN}"
    newest = [row["sha"] for row in commits[:_NEWEST]]
    told = [hub.ask("GET", f"/contents/{path}", params={"ref": sha}) for sha in newest]
    texts = [answer.json().get("content") for answer in told]
    earlier = [*texts[1:], None if len(commits) <= _NEWEST else texts[-1]]
    due = {sha for sha, text, old in zip(newest, texts, earlier, strict=True) if text != old}
    listed = {row["sha"] for row in hub.pages("/commits", path=path)} & set(newest)
    return "" if listed == due else f"{len(listed)} of them, and {len(due)} changed {path}"
