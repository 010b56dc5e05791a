"""PLMS as people reach it in environment prod, and its days from entry to exit by commands alone.

The target is the reference application started by hand, behind a proxy that hides what it is;
so is its Grafana.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx

from tests.plms.proxy import stripping
from tests.plms.test_prod import free_port, wait_for
from tests.story.guarded import ROOT, Guarded, Slot

OPERATIONS, ENGINEERING = "olga@example.com", "emil@example.com"
PEOPLE = {OPERATIONS: "operations", ENGINEERING: "engineering"}
SIGNERS = {
    "day0": (OPERATIONS,),
    "day1": (OPERATIONS,),
    "day2": (ENGINEERING,),
    "day3": (ENGINEERING, OPERATIONS),
    "day4": (OPERATIONS,),
}
PORT = 6100  # on which the plan wants the API; the address is one of loopback that nobody uses
# What breaks something on purpose is soft, and refused where the plan lets nobody disrupt.
REHEARSED_ONLY = {
    "day1": {
        "healthz-detects-outage",
        "rollback-timer-disabled",
        "rollback-api-stopped",
        "rollback-db-restored",
    },
    "day3": {
        "lane-caps-enforced-under-burst",
        "rollback-caps-lifted",
        "rollback-caps-restored",
        "rollback-projects-cancelled",
    },
    "day4": {"rollback-dashboard-removed", "rollback-alerts-silenced"},
}


@dataclass(frozen=True, slots=True)
class Site:
    """The application as people reach it, and the project that guards its rollout."""

    console: str
    grafana: str  # the console of the monitoring
    host: Path
    project: Guarded

    def step(self, day: str, name: str, **arguments: object) -> Mapping[str, Any]:
        """Do a step of the plan and record each thing that was done; without a day, none."""
        answer = _done(self.console, name, arguments)
        for done in answer["actions"] if day else ():
            self.record(day, done["kind"], done["what"], "--at", done["at"])
        result: Mapping[str, Any] = answer["result"]
        return result

    def watch(self, day: str, name: str, **arguments: object) -> None:
        """Do a step with the monitoring and record what it changed."""
        for change in _done(self.grafana, name, arguments)["result"]["changes"]:
            self.record(day, "change", change)

    def record(self, day: str, kind: str, what: str, *more: str) -> None:
        """Put on record what was done."""
        words = ("record", f"plms.{day}", kind, "--says", what, "--by", "Olga", *more)
        told = self.project.rollout(*words)
        assert told.status == 0, told.said


def _done(console: str, name: str, arguments: Mapping[str, object]) -> Mapping[str, Any]:
    """What came of a step at a console."""
    url = f"{console}/reference/operator/{name}"
    answer = httpx.post(url, json=arguments, timeout=60).raise_for_status()
    said: Mapping[str, Any] = answer.json()
    return said


def walk(plms: Site, day: str, work: Callable[[Site], None]) -> None:
    """A day from entry to exit: GO, begin, work, GO, end."""
    gate(plms.project, day, "entry")
    begin(plms, day)
    work(plms)
    end(plms, day)


def begin(plms: Site, day: str) -> None:
    """Begin a day whose entry gate is GO."""
    began = plms.project.rollout("begin", f"plms.{day}", "--by", "Olga")
    assert began.status == 0, began.said
    assert f"plms.{day} began in prod" in began.said


def end(plms: Site, day: str) -> None:
    """Decide the exit gate of a day, and end it."""
    gate(plms.project, day, "exit")
    ended = plms.project.rollout("end", f"plms.{day}", "--by", "Olga")
    assert ended.status == 0, ended.said


def gate(project: Guarded, day: str, name: str) -> None:
    """Decide the next gate of a day, and have it signed by each who must."""
    decided = project.pytest("-m", day, "--rollout-env=prod")
    assert decided.last_line.startswith(f"GO: plms.{day}/{name} GO"), decided.said
    assert decided.status == 0
    unsettled = {id_ for id_, verdict in verdicts(project, day, name).items() if verdict != "pass"}
    assert unsettled == (REHEARSED_ONLY.get(day, set()) if name == "exit" else set()), decided.said
    for person in SIGNERS[day]:
        signed = project.sign(f"plms.{day}/{name}", person, PEOPLE[person])
        assert signed.status == 0, signed.said


def verdicts(project: Guarded, day: str, name: str) -> dict[str, str]:
    """The verdict of each criterion of a gate that was decided."""
    stored = project.folder / "rollout-report/plms/prod" / day / name / "decision.json"
    criteria = json.loads(stored.read_text())["criteria"]
    return {one["id"].rpartition(".")[2]: one["verdict"] for one in criteria}


# The application, started by hand, and the project


@contextmanager
def site(folder: Path, *alone: str) -> Iterator[Site]:
    """PLMS behind a proxy, and a project with its plan whose days are today.

    A day that is ``alone`` requires no other one.
    """
    host = folder / "host"
    host.mkdir()
    with ExitStack() as running:
        console = running.enter_context(_served("tests.plms.small_projects:app", host))
        watching = folder / "monitoring"
        watching.mkdir()
        grafana = running.enter_context(_served("fixtures.plms:grafana", watching))
        given = {
            "PLMS_URL": running.enter_context(stripping(console, ("127.0.61.1", PORT))),
            "GRAFANA_URL": running.enter_context(stripping(grafana)),
            "PLMS_ROOT": str(host),
            "PLMS_REGISTRY": str(host / "registry.db"),
            "PLMS_STAGING_REGISTRY": str(host / "staging.db"),
            "PLMS_RELEASE": str(host / "release"),
            "PLMS_INBOX": str(host / "inbox.jsonl"),
            "PLMS_RULE_INBOX": str(watching / "rule_alerts.jsonl"),
            "PLMS_INVARIANTS": str(host / "invariants.db"),
        }
        yield Site(console, grafana, host, _project(folder / "project", given, alone))


@contextmanager
def _served(app: str, folder: Path) -> Iterator[str]:
    """The address of an application that runs in a folder."""
    port, environ = free_port(), {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "uvicorn", "--factory", app, "--port", str(port)]
    with (
        folder.with_name(f"{folder.name}.log").open("w") as log,
        subprocess.Popen(command, cwd=folder, env=environ, stdout=log, stderr=log) as process,
    ):
        url = f"http://127.0.0.1:{port}"
        try:
            wait_for(url, "/openapi.json")
            yield url
        finally:
            process.terminate()


def _project(folder: Path, given: Mapping[str, str], alone: Sequence[str]) -> Guarded:
    shutil.copytree(ROOT / "suites", folder / "suites")
    folder.joinpath("pytest.ini").write_text("[pytest]\npythonpath = .\n")
    plan = folder / "suites/plms/rollout.yaml"
    plan.write_text(_today(plan.read_text(), alone))
    project = Guarded(folder, given)
    project.has_people(plan.parent, PEOPLE)
    return project


def _today(plan: str, alone: Sequence[str]) -> str:
    """The plan with days 0 to 4 today, from five minutes ago, when changes may be made."""
    slot = Slot.around_now(timedelta(minutes=-5))
    plan = plan.replace("timezone: America/New_York", f"timezone: {slot.zone}")
    days = r"(  - id: day[0-4]\n    title: .*\n)    date: .*\n    hours: .*\n"
    dated = rf'\1    date: {slot.date}\n    hours: "{slot.hours(120)}"\n'
    plan, count = re.subn(days, dated, plan)
    assert count == 5, "days 0 to 4 are not stated as this test reads them"
    for day in alone:
        of_day = rf"(  - id: {day}\n(?:    [^\n]*\n)*?)    requires: .*\n"
        plan, count = re.subn(of_day, r"\1", plan)
        assert count == 1, f"{day} requires nothing"
    change = f'  change:\n    - {{date: {slot.date}, hours: "{slot.hours(120)}", risk: medium}}\n'
    return plan.replace("  change:\n", change, 1)
