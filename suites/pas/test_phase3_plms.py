"""The client beside a PLMS of the suite's own: what it asks, what it says, and how it fails."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from pytest_rollout import Reported, Stage, reported
from suites.pas.scenarios.reading import client
from suites.pas.views.answering import Answering, answering
from suites.pas.views.client import Ran, Vp
from suites.pas.views.estimates import USD_A_TOKEN
from suites.pas.views.running import closed_address

pytestmark = pytest.mark.pas_phase3

FAILED, INVALID, READ_ONLY, UNREACHABLE = 1, 2, 3, 4  # exit statuses of the contract
ID = 8_800_088
PROJECTS, PROJECT, METRICS = "/api/projects", f"/api/projects/{ID}", f"/api/projects/{ID}/metrics"
FIGURES = {"tokens_mean": 1000.5, "tokens_ci_lower": 900.25, "tokens_ci_upper": 1100.75}
FIGURES |= {"duration_mean": 8.0, "duration_ci_lower": 6.5, "duration_ci_upper": 9.5}
ANSWERS: Mapping[tuple[str, str], Any] = {
    ("POST", PROJECTS): {"project_id": ID, "name": "told", "status": "planned"},
    ("GET", PROJECT): {"project_id": ID, "status": "completed"},
    ("GET", METRICS): {"project_id": ID, "ci_level": 0.8, **FIGURES},
}


def _vp(phase: Stage, home: Path, plms: str) -> Vp:
    home.mkdir(exist_ok=True)
    return client(phase, home, PAS_API_BASE_URL=closed_address(), PLMS_API_BASE_URL=plms)


def _asked(plms: Answering) -> list[tuple[str, str, str]]:
    return [(request.method, request.path, request.query) for request in plms.asked]


@pytest.mark.criterion("vp-uses-plms", "vp-estimate-without-pas", "vp-new-without-pas")
def test_it_asks_plms_for_what_it_says(phase: Stage, tmp_path: Path) -> None:
    """Each request as it arrives, each figure as it was told."""
    with answering(ANSWERS) as plms:
        vp = _vp(phase, tmp_path / "told", f"{plms.url}/")
        made = vp.json("new", "--name", "told")
        said, words = vp.json("estimate"), vp.run("estimate").demand().out
        status = vp.json("status")
    assert dict(made.inner("project")) == {"id": str(ID), "name": "told", "source": "plms"}
    asked = [("POST", PROJECTS, ""), ("GET", METRICS, "with_ci=1"), ("GET", METRICS, "with_ci=1")]
    assert _asked(plms) == asked, f"it asked PLMS for {_asked(plms)}"
    assert plms.asked[0].body == {"name": "told"}, f"it sent {plms.asked[0].body}"
    assert plms.asked[0].key, "a project was made without a key"
    about = (said["project"], said["source"], said["level"])
    assert about == (str(ID), "plms", 0.8), f"its estimate is of {about}"
    due = _figures()
    for name, figures in due.items():
        told = said.inner(name)
        for bound, value in figures.items():
            assert abs(told.number(bound) - value) < 1e-6, f"{bound} of {name} is {told[bound]}"
        assert f"{name}: {figures['mean']:.6g} (" in words, f"for people it says {words}"
    local = (status["status"], status["source"], status["tasks_completed"])
    assert local == ("planned", "local", 0), f"before a start it says {local}"


def _figures() -> dict[str, dict[str, float]]:
    names = {"mean": "mean", "lower": "ci_lower", "upper": "ci_upper"}
    tokens, minutes = (
        {bound: FIGURES[f"{what}_{field}"] for bound, field in names.items()}
        for what in ("tokens", "duration")
    )
    cost = {bound: round(value * USD_A_TOKEN, 6) for bound, value in tokens.items()}
    return {"tokens": tokens, "duration_minutes": minutes, "cost_usd": cost}


@pytest.mark.criterion("vp-status-without-pas")
@pytest.mark.effect("change")
def test_what_plms_knows_is_shown(phase: Stage, tmp_path: Path) -> None:
    """Of a run that was started; what PLMS does not know is not made up."""
    with answering(ANSWERS) as plms:
        vp = _vp(phase, tmp_path / "known", plms.url)
        run = _started(phase, vp)
        said, words = vp.json("status"), vp.run("status").demand().out
        logs = vp.run("logs")
        alone = vp.run("status", PLMS_API_BASE_URL="")
    assert dict(said) == {
        "project": str(ID),
        "run_id": run,
        "source": "plms",
        "status": "completed",
        **dict.fromkeys(("tasks_total", "tasks_completed", "tasks_failed", "spend_usd")),
    }
    for word in (str(ID), run, "completed", "plms"):
        assert word in words, f"for people status does not say {word}: {words}"
    assert "tasks:" not in words, f"for people it counts tasks that nobody told it: {words}"
    for ran in (logs, alone):
        _failed(ran, UNREACHABLE)
    gone = vp.run("status")
    _failed(gone, UNREACHABLE)


def _started(phase: Stage, vp: Vp) -> str:
    """Make a project and start its run while PAS is there; the run."""
    vp.run("new", "--name", "told").demand()
    started = vp.run("start", "--json", PAS_API_BASE_URL=phase.address("pas")).demand().told
    return started.text("run_id")


@pytest.mark.criterion("vp-uses-plms", "vp-new-without-pas", "vp-estimate-without-pas")
def test_where_plms_fails_nothing_is_made_up(phase: Stage, tmp_path: Path) -> None:
    """No default takes the place of what PLMS does not say."""
    lacking = {name: value for name, value in FIGURES.items() if name != "duration_ci_upper"}
    odd: Mapping[str, Mapping[tuple[str, str], Any]] = {
        "refused": {key: said for key, said in ANSWERS.items() if key[1] != METRICS},
        "a figure lacks": {**ANSWERS, ("GET", METRICS): lacking},
        "a figure is none": {**ANSWERS, ("GET", METRICS): {**FIGURES, "tokens_mean": None}},
        "no object": {**ANSWERS, ("GET", METRICS): [1]},
    }
    for name, answers in odd.items():
        with answering(answers) as plms:
            vp = _vp(phase, tmp_path / name.replace(" ", "-"), plms.url)
            vp.run("new", "--name", "told").demand()
            _failed(vp.run("estimate", "--json"), FAILED)
        _failed(vp.run("estimate", "--json"), UNREACHABLE)
    with answering({}) as plms:
        for url, status in ((plms.url, FAILED), (closed_address(), UNREACHABLE)):
            vp = _vp(phase, tmp_path / f"status-{status}", url)
            _failed(vp.run("new", "--name", "told"), status)
            _failed(vp.run("estimate"), INVALID)  # there is no project


def _failed(ran: Ran, status: int) -> None:
    assert ran.status == status, f"{ran.words} ends with {ran.status}, not {status}: {ran.err}"
    lines = ran.err.strip().splitlines()
    one_line = len(lines) == 1 and lines[0].startswith("vp: ") and len(lines[0].split()) > 3
    assert one_line, f"{ran.words} prints {ran.err.strip()[-200:]!r}"
    assert not ran.out, f"{ran.words} failed, and prints {ran.out[:80]!r}"


@pytest.mark.criterion("no-file-edits")
def test_reading_is_the_default(phase: Stage, tmp_path: Path) -> None:
    """Only a 0 lets a plan be written, and then it is what the plan says for people."""
    vp = _vp(phase, tmp_path / "out", "")
    vp.run("new", "--name", "out").demand()
    words = vp.run("plan").demand().out
    path = tmp_path / "PLAN.md"
    for value in ("1", "", "no", "00"):
        refused = vp.run("plan", "--out", str(path), VP_READ_ONLY=value)
        _failed(refused, READ_ONLY)
        assert not path.exists(), f"with VP_READ_ONLY={value} a file is written"
    written = vp.run("plan", "--out", str(path), VP_READ_ONLY="0").demand()
    assert path.read_text(encoding="utf-8") == words == written.out, "it writes another plan"


@pytest.mark.criterion("vp-new-without-pas")
@pytest.mark.effect("change")
def test_plms_makes_a_project_once(phase: Stage) -> None:
    """Under a key, as the client sends it; what is no project is refused."""
    plms, key = phase.target("plms").client, {"Idempotency-Key": uuid.uuid4().hex}
    name = f"once-{uuid.uuid4().hex[:6]}"
    first, again = (
        reported(plms.post(PROJECTS, json={"name": name}, headers=key)) for _ in range(2)
    )
    assert first["project_id"] == again["project_id"], "under one key there are two projects"
    marks = [reply.flag("idempotent_replay") for reply in (first, again)]
    assert marks == [False, True], f"a first and a repeat are marked {marks}"
    said = {field: first[field] for field in ("name", "template", "status")}
    assert said == {"name": name, "template": "standard", "status": "planned"}, f"it is {said}"
    kept: Reported = reported(plms.get(f"{PROJECTS}/{first['project_id']}"))
    about = {field: kept[field] for field in ("project_id", "name", "template", "status", "runs")}
    due = {"project_id": first["project_id"], **said, "runs": []}
    assert about == due, f"PLMS keeps {about}"
    other = plms.post(PROJECTS, json={"name": f"{name}-2"}, headers=key)
    assert other.status_code == 409, f"another body is answered {other.status_code}"
    fresh = reported(plms.post(PROJECTS, json={"name": name, "template": "odd"}))
    assert fresh["project_id"] != first["project_id"], "without a key it is the same project"
    assert fresh["template"] == "odd", f"asked for another template it is {fresh['template']}"
    for length, status in ((200, 200), (201, 422)):
        long = {"Idempotency-Key": (uuid.uuid4().hex * 7)[:length]}
        answer = plms.post(PROJECTS, json={"name": name}, headers=long)
        assert answer.status_code == status, f"a key of {length} is answered {answer.status_code}"
    for body in ({}, {"name": ""}, {"name": 5}, {"name": name, "template": ""}):
        status = plms.post(PROJECTS, json=body).status_code
        assert status == 422, f"{body} is answered {status}"
