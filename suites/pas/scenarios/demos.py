"""Both demos behind a recorder: in the checkout, in a clone, and where no service answers."""

from __future__ import annotations

import json
import shlex
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_rollout import LiveTarget, NotReportedError, Reported, Stage, scenario
from suites.pas.views.answering import Answers, answering
from suites.pas.views.client import Ran, environ, free_port, run
from suites.pas.views.pas import OPERATIONS, Pas
from suites.pas.views.recorder import Call, recording

E2E = "tests/demos/demo_pas_stub_e2e.sh"
INTEGRATION = "tests/demos/demo_vp_pas_integration.sh"
_TIMEOUT_S = 60.0
_PASSING = """import sys, urllib.request as u
u.urlopen(u.Request(sys.argv[1] + "/reference/clock", b'{"advance_s": 20}',
                    {"Content-Type": "application/json"}), timeout=20)"""


@dataclass(frozen=True)
class Shown:
    """A demo that ran: how it ended, what it asked, and what it left."""

    ran: Ran
    calls: Sequence[Call]
    state: Reported | None  # of the client, where the demo leaves one
    run: Reported | None  # the run of that state, as the service knows it


@dataclass(frozen=True)
class Odd:
    """A demo whose service is one of the suite that does not do what the demo shows."""

    ran: Ran
    asked: Sequence[tuple[str, str]]  # method and path


@dataclass(frozen=True)
class Demos:
    """What each demo did where it is kept, in a fresh clone, and where no service does its work."""

    e2e: Shown
    integration: Shown
    cloned: dict[str, Ran]
    alone: dict[str, Ran]  # nobody answers
    odd: dict[str, Odd]  # by what is odd


@scenario(effect="change")
def demos(phase: Stage) -> Iterator[Demos]:
    """Each demo runs as the document says; a stepped clock moves while it waits."""
    target, checkout = phase.target("pas"), phase.file("checkout")
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        e2e = _shown(target, checkout, E2E, root / "e2e")
        integration = _shown(target, checkout, INTEGRATION, root / "integration")
        clone = root / "clone"
        run(["git", "clone", "-q", str(checkout), str(clone)], environ(root), root).demand()
        if (checkout / ".venv").exists() and not (clone / ".venv").exists():
            (clone / ".venv").symlink_to((checkout / ".venv").resolve())
        cloned = {
            name: _shown(target, clone, name, root / f"clone-{number}").ran
            for number, name in enumerate((E2E, INTEGRATION))
        }
        closed = f"http://127.0.0.1:{free_port()}"
        alone = {
            name: _run(checkout, name, root / f"alone-{number}", closed, "true")
            for number, name in enumerate((E2E, INTEGRATION))
        }
        odd = {
            name: _odd(checkout, script, root / f"odd-{number}", answers)
            for number, (name, (script, answers)) in enumerate(ODD.items())
        }
        yield Demos(e2e, integration, cloned, alone, odd)


def _odd(checkout: Path, script: str, home: Path, answers: Answers) -> Odd:
    with answering(answers) as service:
        ran = _run(checkout, script, home, service.url, "true")
        return Odd(ran, [(request.method, request.path) for request in service.asked])


def _answers(status: str, completed: int) -> Answers:
    """Every operation is answered, and a run of four tasks ends so."""
    task = {"task_id": "t", "lane": "l", "status": "s", "started_at": "1", "finished_at": "2"}
    told = {"status": status, "tasks_total": 4, "tasks_completed": completed, "tasks": [task]}
    return {**{operation: {} for operation in OPERATIONS}, ("GET", "/pas/v1/runs/status"): told}


ODD: Mapping[str, tuple[str, Answers]] = {
    "it refuses": (E2E, {}),
    "a task is lost": (E2E, _answers("completed", 3)),
    "its run fails": (INTEGRATION, _answers("failed", 4)),
}


def _shown(target: LiveTarget, checkout: Path, script: str, home: Path) -> Shown:
    with recording(target.url) as recorder:
        ran = _run(checkout, script, home, recorder.url, _wait(target))
        calls = list(recorder.calls)
    state = _state(home)
    known = None
    if state is not None:
        project = state.inner("projects").inner(state.text("current"))
        answer = Pas(target.client).client.get(
            "/pas/v1/runs/status", params={"run_id": str(project.get("run_id"))}
        )
        known = Reported(answer.json(), "the service") if answer.status_code == 200 else None
    return Shown(ran, calls, state, known)


def _wait(target: LiveTarget) -> str:
    if not target.embedded:
        return "sleep 1"
    return " ".join(map(shlex.quote, (sys.executable, "-S", "-c", _PASSING, target.url)))


def _run(checkout: Path, script: str, home: Path, url: str, wait: str) -> Ran:
    home.mkdir(parents=True, exist_ok=True)
    env = environ(home, PAS_API_BASE_URL=url, DEMO_HOME=str(home), DEMO_WAIT=wait)
    return run(["bash", script], env, checkout, f"bash {script}", _TIMEOUT_S)


def _state(home: Path) -> Reported | None:
    path = home / ".vp" / "state.json"
    if not path.is_file():
        return None
    try:
        return Reported(json.loads(path.read_text(encoding="utf-8")), "state.json of the demo")
    except ValueError as error:
        raise NotReportedError(f"the state that the demo left cannot be read: {error}") from error
