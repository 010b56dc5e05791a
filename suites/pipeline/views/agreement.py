"""What GitHub's answers about workflows, runs, jobs and artifacts say of each other."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from suites.pipeline.views.addresses import misplaced
from suites.pipeline.views.answers import Row, differ, misread, otherwise
from suites.pipeline.views.hub import Hub
from suites.pipeline.views.on_main import workflow_at
from suites.pipeline.views.schedules import WorkflowFile

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z")  # of a line of a log


def told_of_runs(hub: Hub, rows: Mapping[str, Sequence[Row]]) -> Iterator[tuple[str, str]]:
    """What one answer says of a run, and how another one has it; empty if it does not."""
    files = {row["id"]: row for row in rows["workflows"]}
    for row in rows["workflows"]:
        said = workflow_at(hub, row["path"].rpartition("/")[2]).data.get("name")
        wrong = row["name"] != said or row["updated_at"] < row["created_at"]
        yield f"workflow {row['path']}", f"it is {row['name']}, not {said}" if wrong else ""
    commits = {row["sha"]: row for row in rows["commits"]}
    runs = [row for row in rows["runs"] if row["event"] in ("schedule", "workflow_dispatch")]
    for row in runs:
        of = files[row["workflow_id"]]
        yield f"run {row['id']}", _strange_run(row, of, commits[row["head_sha"]])
    for number in files:
        told = [row for row in runs if row["workflow_id"] == number]
        numbers = [row["run_number"] for row in told]
        wrong = numbers != sorted(set(numbers), reverse=True)
        yield f"runs of {files[number]['path']}", "their numbers are not in order" if wrong else ""
    ends = {row["conclusion"]: row for row in runs if row["conclusion"]}
    for run in ends.values():
        file = workflow_at(hub, run["path"].rpartition("/")[2], run["head_sha"])
        yield f"jobs of run {run['id']}", _strange_jobs(hub, run, file)
        yield f"artifacts of run {run['id']}", _strange_artifacts(hub, run)


def strange_ending(hub: Hub, number: int) -> str:
    """What the jobs of a run, their steps and their logs say otherwise than the run."""
    run = hub.ask("GET", f"/actions/runs/{number}").json()
    file = workflow_at(hub, run["path"].rpartition("/")[2], run["head_sha"])
    return _strange_jobs(hub, run, file)


def strange_work(hub: Hub, number: int) -> str:
    """What the jobs of a run that is at work say of it otherwise."""
    if wrong := misread(hub, "actions", "list_jobs_for_workflow_run", run_id=number):
        return wrong
    run = hub.ask("GET", f"/actions/runs/{number}").json()
    for job in hub.pages(f"/actions/runs/{number}/jobs", "jobs"):
        told = [part["status"] for part in (run, job, job["steps"][-1])]
        ends = [part["conclusion"] for part in (run, job, job["steps"][-1])]
        if set(told) != {"in_progress"} or any(ends) or job["completed_at"]:
            return f"it, its job and its last step are {told}"
    return ""


def _strange_run(row: Row, of: Row, commit: Row) -> str:
    """What a run has otherwise than its workflow and its commit."""
    told = {"path": row["path"].partition("@")[0], "name": row["name"], "url": row["workflow_url"]}
    said = row["head_commit"]
    head = {"sha": said["id"], "message": said["message"], "date": said["timestamp"]}
    due = {
        "sha": row["head_sha"],
        **commit["commit"],
        "date": commit["commit"]["committer"]["date"],
    }
    if wrong := differ(told, of, whole=True) or differ(head, due, whole=True):
        return wrong
    if row["repository"] != row["head_repository"] or row["head_branch"] != "main":
        return "it is not of main of the repository"
    if (row["conclusion"] is not None) is not (row["status"] == "completed"):
        return f"it is {row['status']}, and ended in {row['conclusion']}"
    times = [row["created_at"], row["run_started_at"], row["updated_at"]]
    return "" if times == sorted(times) else f"its times are {times}"


def _strange_jobs(hub: Hub, run: Row, file: WorkflowFile) -> str:
    """What the jobs of a run, their steps and their logs have otherwise than the run."""
    ends = []
    for job in hub.pages(f"/actions/runs/{run['id']}/jobs", "jobs"):
        told = {"id": job["run_id"], "name": job["workflow_name"], "url": job["run_url"]}
        same = {name: job[name] for name in ("head_sha", "head_branch")}
        wrong = differ({**told, **same}, run, whole=True) or otherwise(hub, job)
        wrong = wrong or misplaced("jobs", job, run["repository"]) or _strange_steps(job, file)
        if wrong:
            return f"job {job['id']} has {wrong}"
        times = [run["created_at"], job["created_at"], job["started_at"]]
        times += [step[name] for step in job["steps"] for name in ("started_at", "completed_at")]
        times += [job["completed_at"], run["updated_at"]]
        if None in times or times != sorted(times):
            return f"job {job['id']} is at other times than its run, or its steps are"
        lines = hub.text(f"/actions/jobs/{job['id']}/logs").splitlines()
        bad = any("##[error]" in line for line in lines)
        if bad is not any(step["conclusion"] == "failure" for step in job["steps"]):
            return f"the log of job {job['id']} tells of its end otherwise than its steps"
        if wrong := _strange_log(lines, job):
            return f"the log of job {job['id']} {wrong}"
        ends.append(job["conclusion"])
    worst = "failure" if "failure" in ends else "success"
    due = worst if run["conclusion"] in ("failure", "success") else run["conclusion"]
    return "" if run["conclusion"] == due else f"they ended in {ends}, it in {run['conclusion']}"


def _strange_log(lines: Sequence[str], job: Row) -> str:
    """What is wrong with the times of a log."""
    told = [line.partition(" ")[0] for line in lines]
    if not all(_TIME.fullmatch(text) for text in told):
        return "has lines without a time"
    times = [job["started_at"][:19], *(text[:19] for text in told), job["completed_at"][:19]]
    return "" if times == sorted(times) else "has other times than its job"


def _strange_steps(job: Row, file: WorkflowFile) -> str:
    """What a job and its steps have otherwise than the workflow's file."""
    stated = file.data["jobs"].get(job["name"])
    if stated is None or [stated["runs-on"]] != job["labels"]:
        return f"the name {job['name']} and runs on {job['labels']}"
    steps = job["steps"]
    for part in (job, *steps):
        over = part["completed_at"] is not None and part["conclusion"] is not None
        if over is not (part["status"] == "completed"):
            return f"{part['name']}, which is {part['status']} at its times"
    if [step["number"] for step in steps] != list(range(1, len(steps) + 1)):
        return "steps in another order"
    due = [step["name"] for step in stated["steps"] if "name" in step]
    told = [step["name"] for step in steps if step["name"] in due]
    return "" if told == due or job["conclusion"] == "cancelled" else f"the steps {told}, not {due}"


def _strange_artifacts(hub: Hub, run: Row) -> str:
    """What the artifacts of a run have otherwise than the run, and what their downloads are."""
    for row in hub.pages(f"/actions/runs/{run['id']}/artifacts", "artifacts"):
        within, repository = row["workflow_run"], run["repository"]
        due = {name: run[name] for name in ("id", "head_branch", "head_sha")}
        due |= dict.fromkeys(("repository_id", "head_repository_id"), repository["id"])
        wrong = differ(due, within, whole=True) or otherwise(hub, row)
        if wrong := wrong or misplaced("artifacts", row, repository):
            return f"{row['name']} has {wrong}"
        times = [run["created_at"], row["created_at"], row["updated_at"], run["updated_at"]]
        if times != sorted(times) or row["expired"] or row["expires_at"] <= run["updated_at"]:
            return f"{row['name']} has other times than its run"
        answer = hub.at(row["archive_download_url"])
        kind = answer.headers.get("content-type", "")
        zipped = answer.is_success and kind == "application/zip" and answer.content[:2] == b"PK"
        if not zipped or not row["size_in_bytes"]:
            return f"{row['name']} answers {answer.status_code} with {kind or 'no kind'}"
    return ""
