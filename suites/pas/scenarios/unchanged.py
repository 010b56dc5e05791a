"""What was asked of the stub, asked of stub and full service alike: operations and client."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from pytest_rollout import Stage, scenario
from suites.pas.scenarios.gated import cases
from suites.pas.scenarios.reading import COMMANDS, client
from suites.pas.views.client import Ran
from suites.pas.views.pas import Pas


@dataclass(frozen=True, slots=True)
class Answer:
    """A status and what was said with it; no object is an empty one."""

    status: int
    said: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Both:
    """The same questions to the stub and to the full service."""

    published: Mapping[str, Mapping[str, Any]]  # openapi.json of each
    answers: Mapping[str, Mapping[str, Answer]]  # by service, then by what was asked
    done: Mapping[str, Ran]  # the client's commands against the full service
    again: Ran  # a second start
    unknown: Ran  # the status of a run that the full service does not know


@scenario(effect="change")
def both(phase: Stage, tmp_path_factory: pytest.TempPathFactory) -> Both:
    """Each of the twelve operations and each refusal is asked for; then the client is called."""
    services = {name: Pas(phase.target(name).client) for name in ("pas", "full")}
    answers = {name: _asked(pas) for name, pas in services.items()}
    published = {
        name: answer(pas.client.get("/openapi.json")).said for name, pas in services.items()
    }
    home = tmp_path_factory.mktemp("unchanged")
    addresses = {"PLMS_API_BASE_URL": phase.address("plms")}
    vp = client(phase, home, PAS_API_BASE_URL=phase.address("full"), **addresses)
    done = {name: vp.run(name, *words, "--json") for name, words in COMMANDS.items()}
    again = vp.run("start")
    other = client(phase, home, PAS_API_BASE_URL=phase.address("pas"), **addresses)
    return Both(published, answers, done, again, other.run("status"))


def answer(response: httpx.Response) -> Answer:
    """What a response says."""
    try:
        said = response.json()
    except ValueError:
        said = None
    return Answer(response.status_code, said if isinstance(said, dict) else {})


def _asked(pas: Pas) -> dict[str, Answer]:
    """The answers to everything that a client may ask, right and wrong."""
    run, empty, nobody = pas.new_run("contract"), pas.new_run("waits"), "no-such-run"
    made = pas.submit(run, "Code-Impl", payload=cases(4, 0), task_id="first")
    pas.submit(run, "Data-Schema", ["first"], task_id="second")
    asked = {
        "health": pas.client.get("/health"),
        "jobcards": made,
        "simulate": pas.control("simulate", run, rehearsal_pct=0.05),
        "start": pas.control("start", run, budget_caps={"usd": 5.0}),
        "pause": pas.control("pause", run),
        "resume": pas.control("resume", run),
        "heartbeats": pas.tell("heartbeats", {"run_id": run, "agent": "executor"}),
        "receipts": pas.tell("receipts", {"run_id": run, "agent": "executor", "tokens": 9}),
        "kpis": pas.tell("kpis", {"run_id": run, "kpi": "test_pass_rate", "value": 0.95}),
        "status": _status(pas, run),
        "portfolio": pas.client.get("/pas/v1/portfolio/status"),
        "terminate": pas.control("terminate", run),
        "unknown run": _status(pas, nobody),
        "start twice": pas.control("start", run),
        "pause of nobody": pas.control("pause", nobody),
        "no lane": pas.submit(empty, "No-Such-Lane"),
        "no body": pas.client.post("/pas/v1/jobcards", json={}),
        "simulate without cards": pas.control("simulate", nobody),
        "no KPI": pas.tell("kpis", {"run_id": run, "kpi": "no-such-kpi", "value": 1}),
    }
    return {name: answer(response) for name, response in asked.items()}


def _status(pas: Pas, run: str) -> httpx.Response:
    return pas.client.get("/pas/v1/runs/status", params={"run_id": run})
