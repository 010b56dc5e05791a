"""The client that only reads: without PAS, and with all of its commands against PAS."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from pytest_rollout import Stage, every, scenario
from suites.pas.views.answering import Answers, answering
from suites.pas.views.client import Ran, Vp, python_of
from suites.pas.views.recorder import Call, recording
from suites.pas.views.running import closed_address
from suites.pas.views.trees import changes, tree

REHEARSED = 0.02  # which is not what the client takes by itself
COMMANDS: Mapping[str, Sequence[str]] = {
    "new": ("--name", "read-only"),
    "plan": (),
    "estimate": (),
    "simulate": ("--rehearsal", str(REHEARSED)),
    "start": (),
    "status": (),
    "logs": ("--tail", "20"),
}
OTHER_FIGURES = {
    "tokens_mean": 777_001.0,
    "tokens_ci_lower": 770_001.0,
    "tokens_ci_upper": 784_001.0,
    "duration_mean": 77.0,
    "duration_ci_lower": 70.0,
    "duration_ci_upper": 84.0,
}
OTHER_STATUS = "needs_review"
INDEXED = ("artifacts/lightrag_code_index",)  # below the checkout, by the code index
_PROJECT = 7_700_077
_MOST_S = 120  # of the service's clock until a small run has ended


def client(phase: Stage, home: Path, **addresses: str) -> Vp:
    """The client as somebody in the checkout calls it."""
    checkout = phase.file("checkout")
    return Vp(phase.file("client"), python_of(checkout), home, checkout, addresses)


@dataclass(frozen=True, slots=True)
class Alone:
    """The three commands while nothing listens where PAS would be, and what PLMS was asked."""

    name: str
    done: Mapping[str, Ran]
    calls: Mapping[str, Sequence[Call]]  # by command
    elsewhere: Ran  # the estimate of another PLMS
    known_elsewhere: Ran  # the status of a run that was started, of which that PLMS knows more
    started: Ran  # the status of a run that was started while PAS was there


@scenario(effect="change")
def alone(phase: Stage, tmp_path_factory: pytest.TempPathFactory) -> Alone:
    """The client is called with PLMS alone."""
    home, name = tmp_path_factory.mktemp("alone"), f"alone-{uuid.uuid4().hex[:6]}"
    done, calls, nowhere = {}, {}, closed_address()
    with recording(phase.address("plms")) as plms:
        vp = client(phase, home, PAS_API_BASE_URL=nowhere, PLMS_API_BASE_URL=plms.url)
        for command, words in {"new": ("--name", name), "estimate": (), "status": ()}.items():
            before = len(plms.calls)
            done[command] = vp.run(command, *words, "--json")
            calls[command] = plms.calls[before:]
    elsewhere = _elsewhere(phase, home / "other")
    return Alone(name, done, calls, *elsewhere, _started(phase, home / "begun"))


def _elsewhere(phase: Stage, home: Path) -> tuple[Ran, Ran]:
    """Estimate and status, where PLMS is a service of the suite that says what no other would."""
    home.mkdir()
    project = {"project_id": _PROJECT, "name": "other", "template": "other", "status": "planned"}
    figures = {"project_id": _PROJECT, "run_id": None, "n_observations": 9, "ci_level": 0.9}
    answers: Answers = {
        ("POST", "/api/projects"): project,
        ("GET", f"/api/projects/{_PROJECT}"): {**project, "status": OTHER_STATUS},
        ("GET", f"/api/projects/{_PROJECT}/metrics"): {**figures, **OTHER_FIGURES},
    }
    with answering(answers) as other:
        vp = client(phase, home, PAS_API_BASE_URL=closed_address(), PLMS_API_BASE_URL=other.url)
        vp.run("new", "--name", "other")
        estimate = vp.run("estimate", "--json")
        vp.run("start", PAS_API_BASE_URL=phase.address("pas"))
        return estimate, vp.run("status", "--json")


def _started(phase: Stage, home: Path) -> Ran:
    """The status of a run that PAS has begun, asked for while PAS is not there."""
    home.mkdir()
    plms = phase.address("plms")
    vp = client(phase, home, PAS_API_BASE_URL=phase.address("pas"), PLMS_API_BASE_URL=plms)
    vp.run("new", "--name", "begun")
    vp.run("start")
    away = client(phase, home, PAS_API_BASE_URL=closed_address(), PLMS_API_BASE_URL=plms)
    return away.run("status", "--json")


@dataclass(frozen=True, slots=True)
class Commanded:
    """All commands against PAS: what each said, changed in the checkout, and below its home."""

    done: Mapping[str, Ran]
    edited: Mapping[str, Sequence[str]]
    kept: Mapping[str, Sequence[str]]  # below the home
    submitted: Sequence[Call]  # job cards
    ended: Ran  # the status once the run is over
    logs: Ran  # and its logs


@scenario(effect="change")
def commanded(phase: Stage, tmp_path_factory: pytest.TempPathFactory) -> Commanded:
    """The seven commands, in the order in which people need them."""
    home, checkout = tmp_path_factory.mktemp("commanded"), phase.file("checkout")
    done, edited, kept = {}, {}, {}
    with recording(phase.address("pas")) as pas:
        plms = phase.address("plms")
        vp = client(phase, home, PAS_API_BASE_URL=pas.url, PLMS_API_BASE_URL=plms)
        for command, words in COMMANDS.items():
            before, own = tree(checkout, INDEXED), tree(home)
            done[command] = vp.run(command, *words, "--json")
            edited[command] = changes(before, tree(checkout, INDEXED))
            kept[command] = changes(own, tree(home))
        ended = _ended(phase, vp)
        logs = vp.run("logs", "--tail", "500", "--json")
        submitted = [*pas.of("POST", "/pas/v1/jobcards")]
    return Commanded(done, edited, kept, submitted, ended, logs)


def _ended(phase: Stage, vp: Vp) -> Ran:
    """The status of the current run once it is over, or after two minutes."""
    clock = phase.target("pas").clock
    said = vp.run("status", "--json")
    for _ in every(clock, 10, until=clock.now() + timedelta(seconds=_MOST_S)):
        said = vp.run("status", "--json")
        if said.status or said.told.get("status") not in ("executing", "planned"):
            break
    return said
