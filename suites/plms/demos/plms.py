"""What the demos ask of the service; each command answers in words on one line.

start PROJECT KEY [REPORT]      status run_id replay
simulate PROJECT SHARE          coverage rehearsal_tokens projected_tokens risk
outcome PROJECT RUN KPI         status value verdict priors, once the run has ended
near SEEN WANTED PERCENT        exits with 1 where it is not
below SEEN LIMIT                exits with 1 where it is not

PLMS_DIALECT names a file with the names of the target; one in YAML needs PyYAML.
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from decimal import Decimal
from functools import cache
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

_LIMIT_S = 30
_STEP_S = 10
_STEPS = 90
_UNITS = {"ratio": 1, "percent": 100}  # by what a figure is divided to be a share
_KEY = "$key"  # of what stands in an object where a list is expected
_STEPS_OF_A_PATH = re.compile(r'\["([^"]+)"\]|([^.\[\]]+)')
_OPEN = ("submitted", "executing", "paused")


def start(project: str, key: str, report: str = "") -> str:
    """Ask for a small baseline run that is tagged as a demo."""
    body: dict[str, Any] = {"run_kind": "baseline", "lane_name": "Code-API", "tags": "demo"}
    body |= {"tasks": 1, "task_seconds": 60}
    if report:
        text = Path(report).read_text(encoding="utf-8")
        body |= {"calibrate": True, "test_report": text}
    body = _body("start", body)
    answer, said = _ask("POST", f"/api/projects/{project}/start", body, {"Idempotency-Key": key})
    replay = (answer.getheader("Idempotent-Replay") or "false").lower()
    status, run = _read(said, "start", "status"), _read(said, "start", "run_id")
    return f"{status} {run or 'none'} {replay}"


def simulate(project: str, share: str) -> str:
    """Rehearse a project."""
    body = _body("simulate", {"rehearsal_pct": float(share)})
    _, said = _ask("POST", _path("simulate", project), body)
    fields = ("rehearsal_tokens", "projected_tokens", "strata_coverage", "risk_score")
    sample, whole, coverage, risk = (_read(said, "simulate", name) for name in fields)
    return f"{coverage} {sample:.0f} {whole:.0f} {risk}"


def outcome(project: str, run: str, kpi: str) -> str:
    """Wait until a run has ended: what became of it, and what was learnt from it."""
    for _ in range(_STEPS):
        answer, said = _ask("GET", "/api/portfolio/status")
        runs = {shown["run_id"]: shown["status"] for shown in _projects(said)}
        if run not in runs:
            raise SystemExit(f"✗ the portfolio status does not report run {run}")
        status = runs[run]
        if status not in _OPEN:
            break
        _pass_time(answer)
    where = Path(os.environ["PLMS_REGISTRY"]).resolve().as_uri()
    try:
        with closing(sqlite3.connect(f"{where}?mode=ro", uri=True)) as db:
            value, passed = db.execute(_receipts(), (run, kpi)).fetchone() or ("none", 0)
            (learnt,) = db.execute(_priors(), (run,)).fetchone()
    except sqlite3.Error as problem:
        raise SystemExit(f"✗ the registry cannot be asked: {problem}") from None
    return f"{status} {value} {'pass' if passed else 'fail'} {learnt}"


def near(seen: str, wanted: str, percent: str) -> str:
    """Hold a number against one that it should be about."""
    off = abs(Decimal(seen) - Decimal(wanted))
    if off > Decimal(wanted) * Decimal(percent) / 100:
        raise SystemExit(f"✗ {seen} is not within {percent} % of {wanted}")
    return ""


def below(seen: str, limit: str) -> str:
    """Hold a number against its limit."""
    if Decimal(seen) >= Decimal(limit):
        raise SystemExit(f"✗ {seen} is not below {limit}")
    return ""


def _pass_time(answer: HTTPResponse) -> None:
    """Wait; the clock of a reference target moves only when it is told to."""
    if answer.getheader("Rollout-Reference-Target"):
        _ask("POST", "/reference/clock", {"advance_s": _STEP_S})
    else:
        time.sleep(_STEP_S)


def _ask(
    method: str, path: str, body: object = None, headers: dict[str, str] | None = None
) -> tuple[HTTPResponse, Any]:
    url = urlsplit(os.environ["PLMS_URL"])
    kind = HTTPSConnection if url.scheme == "https" else HTTPConnection
    with closing(kind(url.netloc, timeout=_LIMIT_S)) as connection:
        sent = None if body is None else json.dumps(body)
        given = {"Content-Type": "application/json"} | (headers or {})
        connection.request(method, url.path.rstrip("/") + path, sent, given)
        answer = connection.getresponse()
        text = answer.read()
    if answer.status != 200:
        raise SystemExit(f"✗ {method} {path} answers {answer.status}: {text[:200].decode()}")
    try:
        return answer, json.loads(text)
    except ValueError:
        raise SystemExit(f"✗ {method} {path} answers with no JSON: {text[:60]!r}") from None


# What the target calls what: the names of PLMS_DIALECT, else those of the docs


@cache
def _dialect() -> Mapping[str, Any]:
    path = os.environ.get("PLMS_DIALECT", "")
    if not path:
        return {}
    text = Path(path).read_text(encoding="utf-8")
    if path.endswith(".json"):
        return dict(json.loads(text))
    try:
        import yaml
    except ImportError:
        raise SystemExit("✗ PyYAML is not installed: pip install pyyaml") from None
    return dict(yaml.safe_load(text) or {})


def _part(*names: str) -> Mapping[str, Any]:
    """A part of the dialect; empty where it does not speak of it."""
    part: Any = _dialect()
    for name in names:
        part = part.get(name, {})
    return dict(part)


def _path(kind: str, project: str) -> str:
    """Where something is asked of a project."""
    written = _part("paths").get(kind, f"/api/projects/{{project}}/{kind}")
    return str(written).replace("{project}", project)


def _body(kind: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The body of a request in the target's names."""
    called = _part("requests", kind)
    return {called.get(name, name): value for name, value in given.items()}


def _read(said: Any, kind: str, name: str) -> Any:
    """A field of an answer; exits with a sentence where it is not reported."""
    return _found(said, name, _part("answers", kind).get(name, name))


def _projects(said: Any) -> Iterator[dict[str, Any]]:
    """The runs in the portfolio status: run_id and status of each."""
    where = _part("answers", "portfolio", "projects")
    listed = _found(said, "projects", where.get("path", "projects"))
    each = where.get("each", {})
    if isinstance(listed, dict):
        listed = [{_KEY: key, **project} for key, project in listed.items()]
    for project in listed:
        run = {name: _found(project, name, each.get(name, name)) for name in ("run_id", "status")}
        yield {**run, "status": _words().get(run["status"], run["status"])}


def _receipts() -> str:
    """The query for value and verdict of a run's KPI."""
    table = _part("tables", "kpi_receipts")
    names = ("value", "passed", "run_id", "kpi_name")
    value, passed, run, kpi = (_column(table, name) for name in names)
    stored = _id(str(table.get("table", "kpi_receipts")))
    return f"SELECT {value}, {passed} FROM {stored} WHERE {run} = ? AND {kpi} = ?"


def _priors() -> str:
    """The query for the number of priors that come from a run."""
    run = _column(_part("tables", "estimate_versions"), "run_id")
    return f"SELECT COUNT(*) FROM estimate_versions WHERE {run} = ?"


def _found(said: Any, name: str, where: Any) -> Any:
    """What stands at a path as queue.waiting, runs.0 or ["a.b"].c, told in the suite's unit."""
    path, unit = (where["path"], where.get("unit")) if isinstance(where, dict) else (where, None)
    value = said
    for quoted, plain in _STEPS_OF_A_PATH.findall(str(path)):
        step = quoted or plain
        try:
            value = value[int(step)] if isinstance(value, list) else value[step]
        except (LookupError, TypeError, ValueError):
            there = ", ".join(sorted(value)) if isinstance(value, dict) else "no object"
            wanted = f"{name}, looked for at {path} ({there})"
            raise SystemExit(f"✗ the target does not report {wanted}") from None
    return value / _UNITS[unit] if unit in _UNITS and _UNITS[unit] != 1 else value


def _words() -> dict[str, str]:
    """The suite's word for each of the target's."""
    said = _part("words", "status").items()
    return {
        theirs: ours
        for ours, many in said
        for theirs in ([many] if isinstance(many, str) else many)
    }


def _column(table: Mapping[str, Any], name: str) -> str:
    said = table.get("columns", {}).get(name, name)
    return _id(said["column"] if isinstance(said, dict) else str(said))


def _id(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


_COMMANDS: dict[str, Callable[..., str]] = {
    "start": start,
    "simulate": simulate,
    "outcome": outcome,
    "near": near,
    "below": below,
}

if __name__ == "__main__":
    said = _COMMANDS[sys.argv[1]](*sys.argv[2:])
    if said:
        sys.stdout.write(f"{said}\n")
