"""Rehearsals in processes of their own: several at a time, bounded in time, ended as a group."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import field
from pathlib import Path
from threading import Event

from pytest_rollout.drill.phase_groups import judged
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.decision import Decision, from_json
from pytest_rollout.model.drill import Demanded, Rehearsal
from pytest_rollout.model.finding import Finding, SubjectKind
from pytest_rollout.model.plan import EMBEDDED, Gate, Phase, Plan
from pytest_rollout.redact import cap, hide
from pytest_rollout.report import sentences

_GRACE_S = 5.0
_PAUSE_S = 0.05
_MOST_OF_LOG, _MOST_OF_LINE = 65_536, 300
_DECIDED = (0, 1, 10, 11, 12)  # exit statuses of a run that answered
# What pytest tells its own children is none of a rehearsal's business.
_NOT_HANDED_ON = ("PYTEST_CURRENT_TEST", "PYTEST_XDIST_")
_UNREADABLE = (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError)


@dataclass(frozen=True, slots=True)
class Task:
    """One rehearsal: its phase, its fault and the folder of its files.

    ``phases`` are rehearsed together: the phase, and those whose findings it reads. ``environ`` is
    set for the child beside what it inherits, ``options`` are handed to its pytest.
    """

    plan: Plan
    phase: Phase
    fault: str | None
    folder: Path
    phases: tuple[Phase, ...] = ()
    environ: Mapping[str, str] = field(default_factory=dict)
    options: tuple[str, ...] = ()


def rehearse_all(
    tasks: Sequence[Task], root: Path, jobs: int, most_s: float
) -> Iterator[tuple[Task, Rehearsal]]:
    """Each task with what came of it, as they end; ``jobs`` at a time, each in ``most_s`` seconds.

    Whatever ends the caller ends the children too.
    """
    stop = Event()
    with ThreadPoolExecutor(max_workers=jobs) as pool:
        futures = {pool.submit(rehearse, task, root, most_s, stop): task for task in tasks}
        try:
            for future in as_completed(futures):
                yield futures[future], future.result()
        finally:
            stop.set()
            pool.shutdown(wait=True, cancel_futures=True)


def rehearse(task: Task, root: Path, most_s: float, stop: Event) -> Rehearsal:
    """Run a phase whole in a child pytest, with a ledger and reports of its own."""
    task.folder.mkdir(parents=True, exist_ok=True)
    log = task.folder / "pytest.log"
    before = time.monotonic()
    with log.open("wb") as output:
        process = subprocess.Popen(
            _command(task, root),
            cwd=root,
            env=_environ(task),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        in_time = _ended(process, before + most_s, stop)
        if not in_time:
            _end(process)
        status = process.wait()
    seconds = time.monotonic() - before
    if not in_time:
        why = "it was stopped" if stop.is_set() else f"it took more than {most_s:g} s"
        return Rehearsal(seconds=seconds, trouble=why)
    return _read(task, status, seconds, log)


def _environ(task: Task) -> dict[str, str]:
    handed_on = {k: v for k, v in os.environ.items() if not k.startswith(_NOT_HANDED_ON)}
    return {**handed_on, **task.environ}


def _command(task: Task, root: Path) -> list[str]:
    phases = task.phases or (task.phase,)
    marks = [" and ".join(dict.fromkeys((task.plan.id, *phase.marks))) for phase in phases]
    command = [sys.executable, "-m", "pytest", "-m", " or ".join(marks), "--color=no"]
    command += ["-p", "no:cacheprovider", "--rootdir", str(root), "--rollout-env", EMBEDDED]
    for phase in phases:
        command += ["--rollout-phase", task.plan.address(phase.id).name]
    command += ["--rollout-ledger", str(task.folder / "ledger.db")]
    command += ["--rollout-report", str(task.folder / "report")]
    command += ["--rollout-fault", task.fault] if task.fault else []
    command += task.options
    return [*command, str((root / task.plan.path).parent)]


def _ended(process: subprocess.Popen[bytes], until: float, stop: Event) -> bool:
    """Wait for the process, without reaping it: its group keeps its number."""
    while not _dead(process):
        if stop.is_set() or time.monotonic() > until:
            return False
        time.sleep(_PAUSE_S)
    return True


def _dead(process: subprocess.Popen[bytes]) -> bool:
    how = os.WEXITED | os.WNOHANG | os.WNOWAIT
    return os.waitid(os.P_PID, process.pid, how) is not None


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ctrl-C, so that pytest stops what it started; then the end of the whole group."""
    process.send_signal(signal.SIGINT)
    until = time.monotonic() + _GRACE_S
    while not _dead(process) and time.monotonic() < until:
        time.sleep(_PAUSE_S)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def _read(task: Task, status: int, seconds: float, log: Path) -> Rehearsal:
    try:
        decisions = [_decision(task, gate) for gate in Gate]
    except _UNREADABLE as error:
        nothing = isinstance(error, OSError)
        why = _last_line(log) if nothing else f"its decision cannot be read: {error}"
        return Rehearsal(seconds=seconds, trouble=f"pytest ended with status {status}: {why}")
    trouble = next(filter(None, (_wrong(task, decision) for decision in decisions)), "")
    if status not in _DECIDED:
        trouble = f"pytest ended with status {status}: {_last_line(log)}"
    every = [
        finding for decision in decisions for finding in (*decision.criteria, *decision.guardrails)
    ]
    slugs = judged(task.plan, task.phase, task.phases or (task.phase,))
    findings = [finding for finding in every if _slug(finding.id) in slugs]
    rails = {guardrail.id for decision in decisions for guardrail in decision.guardrails}
    return Rehearsal(
        verdicts={_slug(finding.id): finding.verdict for finding in findings},
        reasons={_slug(finding.id): _why(task, finding) for finding in findings},
        guardrails=frozenset(map(_slug, rails)),
        answers={decision.gate: decision.answer for decision in decisions},
        release=decisions[-1].release,
        seconds=seconds,
        trouble=trouble,
        demands=tuple(
            Demanded(demand.id, decision.gate, demand.verdict, _why(task, demand))
            for decision in decisions
            for demand in decision.demands
        ),
        checks={_slug(finding.id): _checks(finding) for finding in findings},
    )


def _checks(finding: Finding) -> tuple[str, ...]:
    return tuple(p.subject.ref for p in finding.parts if p.subject.kind is SubjectKind.CHECK)


def _why(task: Task, finding: Finding) -> str:
    return cap(hide(sentences.text(finding.reason, task.plan.timezone)), _MOST_OF_LINE)


def _decision(task: Task, gate: Gate) -> Decision:
    """What the child decided of a gate; its folder holds nothing else."""
    place = f"**/{EMBEDDED}/*/{gate.value}/decision.json"
    for path in sorted((task.folder / "report").glob(place)):
        decision = from_json(path.read_text(encoding="utf-8"))
        if (decision.address.plan, decision.address.phase) == (task.plan.id, task.phase.id):
            return decision
    raise FileNotFoundError(gate.value)


def _wrong(task: Task, decision: Decision) -> str:
    """Why a decision is not of this rehearsal, whole."""
    if decision.plan_digest != task.plan.digest:
        return "the plan was changed meanwhile"
    if (decision.drill or None) != task.fault:
        return f"the fault {decision.drill} was set"
    if decision.partial:
        return f"it was a part only: {decision.partial[0]}"
    return ""


def _slug(full: str) -> str:
    return full.rpartition(".")[2]


def _last_line(log: Path) -> str:
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _MOST_OF_LOG))
        lines = file.read(_MOST_OF_LOG).decode("utf-8", "replace").strip().splitlines()
    return cap(hide(lines[-1].strip()), _MOST_OF_LINE) if lines else "it said nothing"
