"""The client in a home of its own: every command once, with a recorder before the service."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from pytest_rollout import LiveTarget, Reported, Stage, scenario
from suites.pas.views.client import Ran, Vp, free_port, listens, python_of
from suites.pas.views.pas import ENDED, Pas
from suites.pas.views.recorder import Call, Recorder, recording

TAIL, SHORT = 20, 3
REHEARSED = 0.03  # which is not what the client takes by itself
MANUAL_S = 60
PORT = 6200


@dataclass(frozen=True)
class Seen:
    """What the client said of its run, and what the service said at the same time."""

    client: Ran
    service: Reported


@dataclass(frozen=True)
class Flow:
    """What each command did, and what arrived meanwhile."""

    ran: Mapping[str, Ran]
    state: Reported  # after all of it
    state_after_new: Reported
    files: Sequence[str]  # below the home, in the end
    mode: int  # of the state file
    folder_mode: int  # of its folder
    calls: Sequence[Call]
    started: Reported  # the run as the service had it right after the start
    seen: Sequence[Seen]  # of status, until the run was over
    end: Reported


@dataclass
class _Typing:
    """Commands that are typed, kept by name."""

    vp: Vp
    ran: dict[str, Ran] = field(default_factory=dict)

    def type(self, name: str, *words: str) -> Ran:
        self.ran[name] = self.vp.run(*words, "--json")
        return self.ran[name]


def vp_of(phase: Stage, home: Path, url: str) -> Vp:
    """The client of the phase in a home, told where PAS is."""
    checkout = phase.file("checkout")
    work = home / "work"
    work.mkdir(parents=True, exist_ok=True)
    env = {"PAS_API_BASE_URL": url}
    return Vp(phase.file("client"), python_of(checkout), home, work, env)


@scenario(effect="change")
def flow(phase: Stage) -> Iterator[Flow]:
    """Two projects; of the second each command, until its run is over."""
    target = phase.target("pas")
    with tempfile.TemporaryDirectory() as folder, recording(target.url) as recorder:
        vp = vp_of(phase, Path(folder), recorder.url)
        yield _typed(_Typing(vp), target, recorder)


def _typed(typing: _Typing, target: LiveTarget, recorder: Recorder) -> Flow:
    vp, pas = typing.vp, Pas(target.client)
    typing.type("new first", "new", "--name", "first-project")
    typing.type("start first", "start")
    typing.type("new", "new", "--name", "demo-project")
    after_new = vp.state() if vp.state_file.is_file() else Reported({}, "~/.vp/state.json")
    typing.type("plan", "plan")
    typing.type("estimate", "estimate")
    typing.ran["plan in words"] = vp.run("plan")
    typing.ran["estimate in words"] = vp.run("estimate")
    typing.type("simulate", "simulate", "--rehearsal", str(REHEARSED))
    start = typing.type("start", "start")
    run = start.told.text("run_id") if start.status == 0 else ""
    started = _known(pas, run)
    seen = []
    for _ in range(20 if run else 1):
        target.clock.advance(8)
        said = typing.type("status", "status")
        seen.append(Seen(said, _known(pas, run)))
        if said.status or seen[-1].service.text("status") in ENDED:
            break
    typing.ran["status in words"] = vp.run("status")
    typing.type("logs", "logs", "--tail", str(TAIL))
    typing.type("logs short", "logs", "--tail", str(SHORT))
    typing.type("logs whole", "logs", "--tail", "1000")
    typing.ran["logs in words"] = vp.run("logs", "--tail", str(TAIL))
    state = vp.state() if vp.state_file.is_file() else Reported({}, "~/.vp/state.json")
    files = [str(path.relative_to(vp.home)) for path in vp.home.rglob("*") if path.is_file()]
    mode = vp.state_file.stat().st_mode & 0o777 if vp.state_file.is_file() else 0o777
    folder = vp.state_file.parent
    folder_mode = folder.stat().st_mode & 0o777 if folder.is_dir() else 0o777
    end, calls = _known(pas, run), list(recorder.calls)
    kept = (state, after_new, files, mode, folder_mode)
    return Flow(typing.ran, *kept, calls, started, seen, end)


def _known(pas: Pas, run: str) -> Reported:
    """The run as the service has it; one that was never started has no tasks."""
    if run:
        return pas.status(run)
    counts = dict.fromkeys(("tasks_total", "tasks_completed", "tasks_failed"), 0)
    return Reported({"status": "never started", "tasks": [], **counts}, "a run that never began")


@dataclass(frozen=True)
class Manual:
    """The four commands of the document, typed by hand."""

    steps: Mapping[str, Ran]
    statuses: Sequence[tuple[timedelta, Ran, Reported]]  # after the start, client and service


@scenario(effect="change")
def manual(phase: Stage) -> Iterator[Manual]:
    """New, estimate, start; then status, from the start on for 60 seconds."""
    target = phase.target("pas")
    pas = Pas(target.client)
    with tempfile.TemporaryDirectory() as folder:
        vp = vp_of(phase, Path(folder), target.url)
        steps = {
            "new": vp.run("new", "--name", "my-test-project"),
            "estimate": vp.run("estimate"),
            "start": vp.run("start"),
        }
        run = vp.state() if vp.state_file.is_file() else None
        name = current(run).text("run_id") if run is not None else ""
        statuses = []
        for step in range(0, MANUAL_S + 1, 20):
            statuses.append((timedelta(seconds=step), vp.run("status"), pas.status(name)))
            if step < MANUAL_S:
                target.clock.advance(20)
        yield Manual(steps, statuses)


def current(state: Reported) -> Reported:
    """The current project of a state."""
    return state.inner("projects").inner(state.text("current"))


@dataclass(frozen=True)
class Amiss:
    """Commands that must not succeed, and their sound counterparts."""

    closed: str  # an address at which nobody listens
    unreachable: Mapping[str, Ran]  # by what was typed
    default: Ran | None  # where no address was told; None: somebody listens on the default port
    refused: Mapping[str, Ran]
    reached: Mapping[str, int]  # requests that arrived during each of the refused
    sound: Mapping[str, Ran]


@scenario(effect="change")
def amiss(phase: Stage) -> Iterator[Amiss]:
    """No service, no project, and words that cannot be right."""
    target = phase.target("pas")
    with tempfile.TemporaryDirectory() as folder, recording(target.url) as recorder:
        closed = f"http://127.0.0.1:{free_port()}"
        alone = vp_of(phase, Path(folder) / "alone", closed)
        alone.run("new", "--name", "alone").demand()
        unreachable = {
            word: alone.run(*word.split()) for word in ("start", "simulate --rehearsal 0.01")
        }
        default = None if listens(PORT) else _untold(alone)
        fresh = vp_of(phase, Path(folder) / "fresh", recorder.url)
        refused, reached = {}, {}
        bad = ("estimate", "status", "simulate --rehearsal 0.01", "new", "new --name=", "dance", "")
        for word in bad:
            refused[word], reached[word] = _counted(fresh, recorder, word)
        sound = {"new": fresh.run("new", "--name", "sound")}
        for share in ("0.9", "0", "0.051"):
            word = f"simulate --rehearsal {share}"
            refused[word], reached[word] = _counted(fresh, recorder, word)
        refused["logs --tail 0"], reached["logs --tail 0"] = _counted(
            fresh, recorder, "logs --tail 0"
        )
        for share in ("0.01", "0.05"):
            sound[f"simulate {share}"] = fresh.run("simulate", "--rehearsal", share)
        yield Amiss(closed, unreachable, default, refused, reached, sound)


def _counted(vp: Vp, recorder: Recorder, words: str) -> tuple[Ran, int]:
    before = len(recorder.calls)
    return vp.run(*words.split()), len(recorder.calls) - before


def _untold(vp: Vp) -> Ran:
    return Vp(vp.program, vp.python, vp.home, vp.cwd, {}).run("start")
