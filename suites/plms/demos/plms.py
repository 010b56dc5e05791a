"""What the demos ask of the service; each command answers in words on one line.

start PROJECT KEY [REPORT]      status run_id replay
simulate PROJECT SHARE          coverage rehearsal_tokens projected_tokens risk
outcome PROJECT RUN KPI         status value verdict priors, once the run has ended
near SEEN WANTED PERCENT        exits with 1 where it is not
below SEEN LIMIT                exits with 1 where it is not
"""

from __future__ import annotations

import json
import os
import sqlite3
import sys
import time
from collections.abc import Callable
from contextlib import closing
from decimal import Decimal
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

_LIMIT_S = 30
_STEP_S = 10
_STEPS = 90
_OPEN = ("submitted", "executing", "paused")


def start(project: str, key: str, report: str = "") -> str:
    """Ask for a small baseline run that is tagged as a demo."""
    body: dict[str, Any] = {"run_kind": "baseline", "lane_name": "Code-API", "tags": "demo"}
    body |= {"tasks": 1, "task_seconds": 60}
    if report:
        text = Path(report).read_text(encoding="utf-8")
        body |= {"calibrate": True, "test_report": text}
    answer, said = _ask("POST", f"/api/projects/{project}/start", body, {"Idempotency-Key": key})
    replay = (answer.getheader("Idempotent-Replay") or "false").lower()
    return f"{said['status']} {said['run_id'] or 'none'} {replay}"


def simulate(project: str, share: str) -> str:
    """Rehearse a project."""
    body = {"rehearsal_pct": float(share)}
    _, said = _ask("POST", f"/api/projects/{project}/simulate", body)
    tokens = f"{said['rehearsal_tokens']:.0f} {said['projected_tokens']:.0f}"
    return f"{said['strata_coverage']} {tokens} {said['risk_score']}"


def outcome(project: str, run: str, kpi: str) -> str:
    """Wait until a run has ended: what became of it, and what was learnt from it."""
    for _ in range(_STEPS):
        answer, said = _ask("GET", "/api/portfolio/status")
        status = next(one["status"] for one in said["projects"] if one["run_id"] == run)
        if status not in _OPEN:
            break
        _pass_time(answer)
    where = Path(os.environ["PLMS_REGISTRY"]).resolve().as_uri()
    with closing(sqlite3.connect(f"{where}?mode=ro", uri=True)) as db:
        receipts = "SELECT value, passed FROM kpi_receipts WHERE run_id = ? AND kpi_name = ?"
        value, passed = db.execute(receipts, (run, kpi)).fetchone() or ("none", 0)
        priors = "SELECT COUNT(*) FROM estimate_versions WHERE run_id = ?"
        (learnt,) = db.execute(priors, (run,)).fetchone()
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
    return answer, json.loads(text)


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
