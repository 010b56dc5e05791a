"""EROS as people reach it in environment prod, and its rollout by commands alone.

The target is the reference application started by hand with a clock that is moved at its console,
behind a proxy that hides what it is. Each command runs at the time that this clock shows.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from pytest_rollout.targets.reference import Setting
from tests.plms.proxy import stripping
from tests.plms.test_prod import free_port, wait_for
from tests.story.guarded import ROOT, Answer, Guarded

BEGUN = datetime(2026, 1, 5, 0, tzinfo=UTC)  # a Monday
ENGINEER, OPERATOR, LEADER = "emil@example.com", "olga@example.com", "lea@example.com"
PEOPLE = {ENGINEER: "engineering", OPERATOR: "operations", LEADER: "leadership"}
SIGNERS: Mapping[str, Sequence[str]] = {"cutover": (ENGINEER, OPERATOR, LEADER)}
MARKS = {"learning": "learning_weeks"}  # of phases that are not asked for by their id
FILES = {
    "EROS_ROUTER": "bin/eros-route",
    "EROS_ROLLBACK": "bin/eros-rollback",
    "EROS_REFLECT": "bin/reflect",
    "EROS_REPOSITORY": "repository",
    "EROS_LOGS": "logs",
    "EROS_REPORTS": "reports",
    "EROS_INBOX": "inbox.jsonl",
    "EROS_RECORDS": "records.jsonl",
    "EROS_FINAL": "final.json",
    "EROS_FLAGS": "etc/flags.env",
    "EROS_REVENUE": "revenue.csv",
}
_MINUTE = timedelta(minutes=1)


@dataclass(slots=True)
class Ramp:
    """A rollout of EROS, and the moment at which its people stand."""

    project: Guarded
    console: str
    folder: Path  # of the application
    now: datetime = BEGUN
    told: list[str] = field(default_factory=list)  # each command with its last line

    # The application

    def step(self, name: str, **arguments: object) -> Mapping[str, Any]:
        """Have the operator at the console do a step; the time that it takes passes for all."""
        url = f"{self.console}/reference/operator/{name}"
        answer = httpx.post(url, json=arguments, timeout=120).raise_for_status()
        self._look_at_the_clock()
        result: Mapping[str, Any] = answer.json()["result"] or {}
        return result

    def ask(self, path: str) -> Any:
        """What the application answers."""
        return httpx.get(f"{self.console}{path}", timeout=30).raise_for_status().json()

    # The commands, each a minute after the one before it

    def pytest(self, phase: str, *more: str) -> Answer:
        """Decide the next gate of a phase."""
        plain = ("-p", "no:cacheprovider", "-p", "no:randomly")
        mark = MARKS.get(phase, phase)
        return self._at("pytest", "-m", mark, "--rollout-env=prod", *plain, *more)

    def rollout(self, *words: str) -> Answer:
        """What the `rollout` command says."""
        return self._at("pytest_rollout.cli", *words)

    def sign(self, gate: str, person: str) -> Answer:
        """Have a person sign the last decision of a gate."""
        key = str(self.project.key(person))
        who = ("--as", PEOPLE[person], "--by", person, "--key", key)
        return self.rollout("sign", f"eros.{gate}", "--env", "prod", *who)

    def attest(self, criterion: str, person: str, note: str) -> None:
        """Have a person answer what no test can see."""
        who = ("--by", person, "--role", PEOPLE[person], "--key", str(self.project.key(person)))
        words = ("attest", f"eros.{criterion}", "--env", "prod", *who, "--note", note)
        said = self.rollout(*words)
        assert said.status == 0, said.said

    def _look_at_the_clock(self) -> None:
        """Take the time of the application: what it did took some."""
        clock = httpx.get(f"{self.console}/reference/clock").raise_for_status().json()
        self.now = max(self.now, datetime.fromisoformat(clock["now"]))

    def _at(self, module: str, *words: str) -> Answer:
        self._look_at_the_clock()
        self.now += _MINUTE
        body = {"to": self.now.isoformat()}
        httpx.post(f"{self.console}/reference/clock", json=body, timeout=60).raise_for_status()
        command = ("-m", "tests.story.clock", self.now.isoformat(), module, *words)
        answer = self.project.run(sys.executable, *command)
        self.told.append(f"{self.now:%m-%d %H:%M} {module} {' '.join(words)}: {answer.last_line}")
        return answer

    # A phase

    def enter(self, phase: str, *more: str) -> None:
        """Decide the entry gate of a phase, have it signed, and begin."""
        self.decide(phase, "entry", "GO", *more)
        began = self.rollout("begin", f"eros.{phase}", "--env", "prod", "--by", "Olga")
        assert began.status == 0, began.said
        assert f"eros.{phase} began in prod" in began.said

    def leave(self, phase: str) -> None:
        """Decide the exit gate of a phase, have it signed, and end."""
        self.decide(phase, "exit", "GO")
        ended = self.rollout("end", f"eros.{phase}", "--env", "prod", "--by", "Olga")
        assert ended.status == 0, ended.said

    def decide(self, phase: str, gate: str, answer: str, *more: str) -> Answer:
        """Decide the next gate of a phase; a GO is signed by each who must."""
        decided = self.pytest(phase, *more)
        assert decided.last_line.startswith(f"{answer}: eros.{phase}/{gate} {answer}"), decided.said
        for person in SIGNERS.get(phase, (ENGINEER, OPERATOR)) if answer == "GO" else ():
            signed = self.sign(f"{phase}/{gate}", person)
            assert signed.status == 0, signed.said
        return decided

    def change(self, phase: str, says: str) -> None:
        """Put a change on record, before it is made."""
        words = ("record", f"eros.{phase}", "change", "--says", says, "--by", "Olga")
        told = self.rollout(*words, "--env", "prod")
        assert told.status == 0, told.said

    def note(self, kind: str, **said: str) -> None:
        """Write down what people did, as a line of the records."""
        line = {"at": self.now.isoformat(), "kind": kind, "by": "Olga", **said}
        with (self.folder / FILES["EROS_RECORDS"]).open("a", encoding="utf-8") as records:
            records.write(f"{json.dumps(line)}\n")

    def walk(self, phase: str) -> None:
        """A phase from entry to exit."""
        self.enter(phase)
        self.change(phase, f"the flags of {phase}")
        self.step("phase", id=phase)
        self.leave(phase)

    def decision(self, phase: str, gate: str) -> Mapping[str, Any]:
        """What was decided last of a gate."""
        path = self.project.folder / "rollout-report/eros/prod" / phase / gate / "decision.json"
        decided: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return decided

    def unsettled(self, phase: str, gate: str) -> dict[str, str]:
        """The criteria of a gate that did not pass, and their verdicts."""
        found = self.decision(phase, gate)["criteria"]
        verdicts = {one["id"].rpartition(".")[2]: one["verdict"] for one in found}
        return {name: verdict for name, verdict in verdicts.items() if verdict != "pass"}


@contextmanager
def by_hand(folder: Path, **requires: str) -> Iterator[Ramp]:
    """EROS behind a proxy, and a project with its plan; some phases may require others there."""
    site = folder / "eros"
    site.mkdir()
    with (
        _served(site) as console,
        stripping(console) as url,
    ):
        given = {"EROS_URL": url, **{name: str(site / path) for name, path in FILES.items()}}
        yield Ramp(_project(folder / "project", given, requires), console, site)


@contextmanager
def _served(folder: Path) -> Iterator[str]:
    """The address of the application; its clock stands at the begin of the rollout."""
    port = free_port()
    environ = {**os.environ, "PYTHONPATH": str(ROOT), **Setting(folder, BEGUN).to_environ()}
    command = [sys.executable, "-m", "uvicorn", "--factory", "fixtures.eros:app"]
    with (
        folder.with_name("eros.log").open("w") as log,
        subprocess.Popen(
            [*command, "--port", str(port)], cwd=folder, env=environ, stdout=log, stderr=log
        ) as process,
    ):
        url = f"http://127.0.0.1:{port}"
        try:
            wait_for(url)
            yield url
        finally:
            process.terminate()


def _project(folder: Path, given: Mapping[str, str], requires: Mapping[str, str]) -> Guarded:
    """A project with the plan of EROS, from shadow mode on, and people with keys."""
    shutil.copytree(ROOT / "suites/eros", folder / "suites/eros")
    folder.joinpath("pytest.ini").write_text("[pytest]\npythonpath = .\n")
    plan = folder / "suites/eros/rollout.yaml"
    plan.write_text(_requiring(plan.read_text(), requires))
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    project = Guarded(folder, {**given, "PATH": path, "EROS_SLACK_WEBHOOK": "", **_NOBODY})
    project.has_people(plan.parent, PEOPLE)
    return project


_NOBODY = {"EROS_PAGERDUTY_KEY": ""}


def _requiring(plan: str, requires: Mapping[str, str]) -> str:
    """The plan with what some phases require otherwise; an empty text: nothing."""
    for phase, others in requires.items():
        of_phase = rf"(  - id: {phase}\n(?:    [^\n]*\n)*?)    requires: .*\n"
        stated = f"    requires: [{others}]\n" if others else ""
        plan, count = re.subn(of_phase, rf"\g<1>{stated}", plan)
        assert count == 1, f"{phase} requires nothing"
    return plan
