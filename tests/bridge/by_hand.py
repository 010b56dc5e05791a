"""The bridge as people reach it in environment prod, and its rollout by commands alone.

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
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from pytest_rollout.targets.reference import Setting
from tests.plms.proxy import stripping
from tests.plms.test_prod import free_port, wait_for
from tests.story.guarded import ROOT, Answer, Guarded

BEGUN = datetime(2026, 1, 5, 9, tzinfo=UTC)  # a Monday
PEOPLE = {  # who holds which role
    "paula@example.com": "product",
    "pete@example.com": "platform",
    "sue@example.com": "security",
    "walt@example.com": "workflow",
    "pia@example.com": "pilot",
}
ROLES = {role: person for person, role in PEOPLE.items()}
SIGNERS = {
    "ops": ("platform",),
    "postlaunch": ("product",),
    "phase3": ("platform", "product"),
}
FILES = {
    "BRIDGE_MCP": "mcp.url",
    "BRIDGE_CLI": "bin/bridge",
    "BRIDGE_LOGS": "logs",
    "BRIDGE_REPOSITORY": "repository",
    "BRIDGE_INBOX": "inbox.jsonl",
    "BRIDGE_RUNTIME": "runtime.jsonl",
    "BRIDGE_STORE": "store.db",
    "BRIDGE_SECRET": "etc/issuer.secret",
    "BRIDGE_RECORDS": "records.jsonl",
    "BRIDGE_BENCHMARK": "bin/pilot-sli-baseline",
    "BRIDGE_GUARD": "bin/sli-guard",
}
_MINUTE = timedelta(minutes=1)


@dataclass(slots=True)
class Launch:
    """A rollout of the bridge, and the moment at which its people stand."""

    project: Guarded
    console: str
    secret: Path  # of the issuer
    now: datetime = BEGUN

    # The application

    def step(self, name: str, **arguments: object) -> Mapping[str, Any]:
        """Have the operator at the console do a step; the time that it takes passes for all."""
        url = f"{self.console}/reference/operator/{name}"
        answer = httpx.post(url, json=arguments, timeout=120).raise_for_status()
        clock = httpx.get(f"{self.console}/reference/clock").raise_for_status().json()
        self.now = max(self.now, datetime.fromisoformat(clock["now"]))
        result: Mapping[str, Any] = answer.json()["result"] or {}
        return result

    def probe(self) -> None:
        """Look at both probes, as what balances the load does, between two reads of an agent."""
        wanted = {"agent": "reader-1", "role": "reader"}
        bearer = {"Authorization": f"Bearer {self.secret.read_text(encoding='utf-8').strip()}"}
        with httpx.Client(base_url=self.console, timeout=10) as client:
            said = client.post("/issuer/tokens", json=wanted, headers=bearer).raise_for_status()
            mine = {"Authorization": f"Bearer {said.json()['token']}"}
            for path in ("/v1/threads", "/health", "/ready", "/v1/threads"):
                self.wait(seconds=1)
                client.get(path, headers=mine)
        self.wait(seconds=1)

    def wait(self, **time: float) -> None:
        """Let time pass."""
        self.now += timedelta(**time)
        self._move()

    def _move(self) -> None:
        body = {"to": self.now.isoformat()}
        httpx.post(f"{self.console}/reference/clock", json=body, timeout=120).raise_for_status()

    # The commands, each a minute after the one before it

    def pytest(self, phase: str, *more: str) -> Answer:
        """Decide the next gate of a phase."""
        plain = ("-p", "no:cacheprovider", "-p", "no:randomly")
        return self._at("pytest", "-m", f"bridge_{phase}", "--rollout-env=prod", *plain, *more)

    def rollout(self, *words: str) -> Answer:
        """What the `rollout` command says."""
        return self._at("pytest_rollout.cli", *words)

    def attest(self, criterion: str, role: str, note: str) -> None:
        """Have a person answer what no test can see."""
        person = ROLES[role]
        who = ("--by", person, "--role", role, "--key", str(self.project.key(person)))
        words = ("attest", f"bridge.{criterion}", "--env", "prod", *who, "--note", note)
        said = self.rollout(*words)
        assert said.status == 0, said.said

    def _at(self, module: str, *words: str) -> Answer:
        self.now += _MINUTE
        self._move()
        command = ("-m", "tests.story.clock", self.now.isoformat(), module, *words)
        return self.project.run(sys.executable, *command)

    # A phase

    def enter(self, phase: str) -> None:
        """Decide the entry gate of a phase, have it signed, and begin."""
        self.decide(phase, "entry", "GO")
        began = self.rollout("begin", f"bridge.{phase}", "--env", "prod", "--by", "Olga")
        assert began.status == 0, began.said

    def leave(self, phase: str) -> None:
        """Decide the exit gate of a phase, have it signed, and end."""
        self.decide(phase, "exit", "GO")
        ended = self.rollout("end", f"bridge.{phase}", "--env", "prod", "--by", "Olga")
        assert ended.status == 0, ended.said

    def decide(self, phase: str, gate: str, answer: str) -> Answer:
        """Decide the next gate of a phase; a GO is signed by each who must."""
        decided = self.pytest(phase)
        head = f"{answer}: bridge.{phase}/{gate} {answer}"
        assert decided.last_line.startswith(head), f"{decided.said}\n{self.unsettled(phase, gate)}"
        for role in SIGNERS[phase] if answer == "GO" else ():
            key = str(self.project.key(ROLES[role]))
            who = ("--as", role, "--by", ROLES[role], "--key", key)
            signed = self.rollout("sign", f"bridge.{phase}/{gate}", "--env", "prod", *who)
            assert signed.status == 0, signed.said
        return decided

    def unsettled(self, phase: str, gate: str) -> dict[str, str]:
        """The criteria of a gate that did not pass, and their verdicts."""
        path = self.project.folder / "rollout-report/bridge/prod" / phase / gate / "decision.json"
        found = json.loads(path.read_text(encoding="utf-8"))["criteria"]
        verdicts = {one["id"].rpartition(".")[2]: one["verdict"] for one in found}
        return {name: verdict for name, verdict in verdicts.items() if verdict != "pass"}


@contextmanager
def by_hand(folder: Path, *phases: str) -> Iterator[Launch]:
    """The bridge behind a proxy, and a project with its plan; these phases require no other."""
    site = folder / "bridge"
    site.mkdir()
    with _served(site) as console, stripping(console) as url:
        given = {"BRIDGE_URL": url, **{name: str(site / path) for name, path in FILES.items()}}
        secret = site / FILES["BRIDGE_SECRET"]
        yield Launch(_project(folder / "project", given, phases), console, secret)


@contextmanager
def _served(folder: Path) -> Iterator[str]:
    """The address of the application; its clock stands at the begin of the rollout."""
    port = free_port()
    environ = {**os.environ, "PYTHONPATH": str(ROOT), **Setting(folder, BEGUN).to_environ()}
    command = [sys.executable, "-m", "uvicorn", "--factory", "fixtures.bridge:app"]
    with (
        folder.with_name("bridge.log").open("w") as log,
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


def _project(folder: Path, given: Mapping[str, str], phases: tuple[str, ...]) -> Guarded:
    """A project with the plan of the bridge, and people with keys."""
    shutil.copytree(ROOT / "suites/bridge", folder / "suites/bridge")
    shutil.copytree(ROOT / "load", folder / "load")
    folder.joinpath("pytest.ini").write_text("[pytest]\npythonpath = .\n")
    plan = folder / "suites/bridge/rollout.yaml"
    text = plan.read_text(encoding="utf-8")
    for phase in phases:
        text, count = re.subn(
            rf"(  - id: {phase}\n(?:    [^\n]*\n)*?)    requires: .*\n", r"\g<1>", text
        )
        assert count == 1, f"{phase} requires nothing"
    plan.write_text(text, encoding="utf-8")
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    project = Guarded(folder, {**given, "PATH": path, "BRIDGE_SLACK_WEBHOOK": ""})
    project.has_people(plan.parent, PEOPLE)
    return project
