"""The twelve operations of PAS as its clients use them, and the job cards that were sent."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from pytest_rollout import Reported, Stage, reported
from suites.pas.views.asking import Service

OPERATIONS = (  # the list of the plan; the document names the first only
    ("GET", "/health"),
    ("POST", "/pas/v1/jobcards"),
    ("POST", "/pas/v1/runs/start"),
    ("POST", "/pas/v1/runs/pause"),
    ("POST", "/pas/v1/runs/resume"),
    ("POST", "/pas/v1/runs/terminate"),
    ("POST", "/pas/v1/runs/simulate"),
    ("GET", "/pas/v1/runs/status"),
    ("GET", "/pas/v1/portfolio/status"),
    ("POST", "/pas/v1/heartbeats"),
    ("POST", "/pas/v1/receipts"),
    ("POST", "/pas/v1/kpis"),
)
ENDED = ("completed", "failed", "terminated")
_PATIENCE_S, _NEAR = 60.0, 1e-9


def full_of(phase: Stage) -> httpx.Client:
    """The client of the full service, once that answers: its store may have to start first."""
    client = phase.target("full").client
    client.get("/health", timeout=_PATIENCE_S)
    return client


def over_budget(run: Reported) -> bool:
    """Whether a run has spent more than it may, in dollars or in energy."""
    caps = run.inner("budget_caps")
    return any(
        caps.get(name) is not None and run.number(f"spend_{name}") > caps.number(name) + _NEAR
        for name in ("usd", "energy_kwh")
    )


@dataclass(frozen=True, slots=True)
class Card:
    """A job card that the suite sent, and the task that it became."""

    lane: str
    deps: tuple[str, ...]
    key: str
    task: str
    run: str


class Pas(Service):
    """The execution service, stub or full: both answer the same."""

    def __init__(self, client: httpx.Client, project: int = 42) -> None:
        super().__init__(client)
        self.project = project

    def new_run(self, why: str) -> str:
        """An id for a run that nobody has."""
        return f"suite-{why}-{uuid.uuid4().hex[:8]}"

    def submit(
        self, run: str, lane: str, deps: Sequence[str] = (), key: str = "", **more: object
    ) -> httpx.Response:
        """Hand in a job card under a key; the answer, whatever its status."""
        body: dict[str, Any] = {"project_id": self.project, "run_id": run, "lane": lane}
        body |= {"priority": 3, "deps": list(deps), "payload": {"kind": "suite"}, **more}
        headers = {"Idempotency-Key": key or uuid.uuid4().hex}
        return self.client.post("/pas/v1/jobcards", json=body, headers=headers)

    def card(self, run: str, lane: str, deps: Sequence[Card] = (), **more: object) -> Card:
        """Hand in a job card that must be taken."""
        key = uuid.uuid4().hex
        tasks = tuple(card.task for card in deps)
        said = reported(self.submit(run, lane, tasks, key, **more))
        return Card(lane, tasks, key, said.text("task_id"), run)

    def control(self, verb: str, run: str, **more: object) -> httpx.Response:
        """Start, pause, resume, terminate or simulate a run; the answer, whatever its status."""
        body = {"run_id": run, **more}
        if verb == "start":
            body = {"project_id": self.project, "run_kind": "baseline", **body}
        return self.client.post(f"/pas/v1/runs/{verb}", json=body)

    def start(self, run: str, **more: object) -> Reported:
        """Start a run that must begin."""
        return reported(self.control("start", run, **more))

    def status(self, run: str) -> Reported:
        """How far a run is, with its tasks."""
        return self.get("/pas/v1/runs/status", run_id=run)

    def portfolio(self) -> Reported:
        """What runs and waits, by lane."""
        return self.get("/pas/v1/portfolio/status")

    def tell(self, what: str, body: Mapping[str, object]) -> httpx.Response:
        """Send a heartbeat, a receipt or a KPI."""
        return self.client.post(f"/pas/v1/{what}", json=dict(body))
