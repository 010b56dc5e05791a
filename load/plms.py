"""A mix for PLMS: starts and their replays, people who watch, cancels, rehearsals.

    locust -f load/plms.py --headless --host http://127.0.0.1:6100

Answers are read as docs/reference/plans/plms-api.md says; `PLMS_DIALECT` names a file for
other names. All runs have the tag `drill`, so that they stay out of statistics and teach nothing.
"""

from __future__ import annotations

import os
import random
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.request import urlopen

from locust import task

from load.mixing import Body, Headers, Kept, MixUser, Wrong, new_key
from suites.plms.views.dialect import Dialect, speaking, spoken
from suites.plms.views.portfolio import LANES, Sample

PROJECTS = range(7000, 7040)
KINDS = ("baseline",) * 6 + ("hotfix",) * 3 + ("replay",)
_LANES = sorted(LANES)
_REFERENCE = "rollout-reference-target"


@dataclass(frozen=True, slots=True)
class Started:
    """A start that was accepted."""

    project: int
    key: str
    body: Body
    run_id: str


class PlmsUser(MixUser):
    """People and machines around the portfolio service."""

    started: Kept[Started] = Kept()
    told_at: datetime | None = None  # the latest time that the portfolio told
    speaks: object = None

    def on_start(self) -> None:
        """Learn what the target calls what; the references speak as the docs do."""
        if PlmsUser.speaks is None:
            given = os.environ.get("PLMS_DIALECT", "")
            has_dialect = bool(given) and not _is_reference(self.host or "")
            PlmsUser.speaks = speaking(Dialect.read(Path(given)) if has_dialect else Dialect())
            PlmsUser.speaks.__enter__()

    @task(20)
    def start_run(self) -> None:
        """Start a run with a new key."""
        project, key = random.choice(PROJECTS), new_key()
        body = {
            "run_kind": random.choice(KINDS),
            "lane_name": _LANES[project % len(_LANES)],
            "tasks": random.randint(1, 3),
            "task_seconds": random.randint(20, 120),
            "budget_tokens": random.randint(1_000, 50_000),
            "budget_duration_minutes": random.randint(5, 90),
            "tags": "drill",
        }
        body = spoken().body("start", body)
        answer = self._started("start", project, key, body, _is_no_start)
        if answer is not None:
            self.started.add(Started(project, key, body, answer["run_id"]))

    @task(20)
    def replay(self) -> None:
        """Repeat a start with its key, as a client does whose answer got lost."""
        made = self._known()
        if made is not None:

            def wrong(body: Body, headers: Headers) -> str:
                if body["run_id"] != made.run_id:
                    return "a key that was used gives another run"
                replayed = headers.get("Idempotent-Replay", "").lower() == "true"
                return "" if replayed else "a replay does not say that it is one"

            self._started("replay", made.project, made.key, made.body, wrong)

    @task(26)
    def status(self) -> None:
        """Look at the portfolio, which must not go back in time."""
        before = PlmsUser.told_at

        def wrong(body: Body, _: Headers) -> str:
            sample = Sample.of(body)
            lanes = {lane.name for lane in sample.lanes}
            if lanes != LANES.keys():
                return f"it tells of the lanes {sorted(lanes)}"
            if sample.queue_depth != sum(lane.queued for lane in sample.lanes):
                return "the queue is not that of the lanes"
            if before is not None and sample.time < before:
                return "its time went back"
            PlmsUser.told_at = max(sample.time, PlmsUser.told_at or sample.time)
            return ""

        self.ask("status", "GET", "/api/portfolio/status", wrong)

    @task(20)
    def metrics(self) -> None:
        """Look at what a project is expected to take."""
        made = self._known()
        if made is not None:
            path = f"/api/projects/{made.project}/metrics?with_ci=1"
            self.ask("metrics", "GET", path, _is_no_estimate)

    @task(3)
    def runway(self) -> None:
        """Look at how long a project's budget lasts."""
        made = self._known()
        if made is not None:
            path = f"/api/projects/{made.project}/budget-runway"
            self.ask("runway", "GET", path, _lacks("budget_runway_minutes"))

    @task(3)
    def heatmap(self) -> None:
        """Look at the risks of the lanes."""
        made = self._known()
        if made is not None:
            path = f"/api/projects/{made.project}/risk-heatmap"
            self.ask("heatmap", "GET", path, _lacks("lanes"))

    @task(3)
    def health(self) -> None:
        """Probe the service, as a balancer does."""
        self.ask("health", "GET", "/api/ops/healthz", _lacks("status"))

    @task(3)
    def cancel(self) -> None:
        """Cancel what a project has under way."""
        made = self._known()
        if made is not None:
            self.ask("cancel", "POST", f"/api/projects/{made.project}/cancel")

    @task(2)
    def simulate(self) -> None:
        """Rehearse one percent of a project."""
        body = spoken().body("simulate", {"rehearsal_pct": 0.01})
        path = spoken().path("simulate", random.choice((401, 942)))
        self.ask("simulate", "POST", path, json=body)

    def _known(self) -> Started | None:
        """Return a start of this load; where there is none yet, start a run instead."""
        made = self.started.any()
        if made is None:
            self.start_run()
        return made

    def _started(self, name: str, project: int, key: str, body: Body, wrong: Wrong) -> Body | None:
        path, headers = f"/api/projects/{project}/start", {"Idempotency-Key": key}
        return self.ask(name, "POST", path, wrong, json=body, headers=headers)


def _is_no_start(body: Body, headers: Headers) -> str:
    if headers.get("Idempotent-Replay", "").lower() == "true":
        return "a new key is answered as a replay"
    run = body["run_id"]
    return "" if isinstance(run, str) and run else "a start gives no run"


def _is_no_estimate(body: Body, _: Headers) -> str:
    return "" if body["tokens_mean"] > 0 else "an estimate is not above 0"


def _lacks(name: str) -> Wrong:
    return lambda body, headers: "" if name in body else f"the answer has no {name}"


def _is_reference(host: str) -> bool:
    with urlopen(f"{host}/version", timeout=10) as answer:
        return _REFERENCE in answer.headers
