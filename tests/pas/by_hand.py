"""PAS as people reach it in environment prod, and its rollout by commands alone.

The target is the reference application started by hand with a clock that is moved at its console,
each of its addresses behind a proxy that hides what it is. Each command runs at the time that this
clock shows.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import yaml

from pytest_rollout.targets.reference import Setting
from tests.plms.proxy import stripping
from tests.plms.test_prod import free_port, wait_for
from tests.story.guarded import ROOT, Answer, Guarded

BEGUN = datetime.fromisoformat("2025-11-10T10:00:00-05:00")  # a Monday, after the stand-up
ENGINEER, OPERATOR, MANAGER = "emil@example.com", "olga@example.com", "petra@example.com"
PEOPLE = {ENGINEER: "engineering", OPERATOR: "operations", MANAGER: "pm"}
_INDEX_PORT = 7500  # the one of the plan, which is asked for in prod
_MINUTE = timedelta(minutes=1)


@dataclass(slots=True)
class Rollout:
    """A rollout of PAS, and the moment at which its people stand."""

    project: Guarded
    console: str
    signers: Mapping[str, list[str]]  # of each phase
    now: datetime = BEGUN

    def step(self, name: str, **arguments: object) -> Mapping[str, Any]:
        """Have the operator at the console do a step."""
        url = f"{self.console}/reference/operator/{name}"
        answer = httpx.post(url, json=arguments, timeout=120).raise_for_status()
        result: Mapping[str, Any] = answer.json()["result"] or {}
        return result

    def pytest(self, phase: str, *more: str) -> Answer:
        """Decide the next gate of a phase."""
        plain = ("-p", "no:cacheprovider", "-p", "no:randomly")
        return self._at("pytest", "-m", f"pas_{phase}", "--rollout-env=prod", *plain, *more)

    def rollout(self, *words: str) -> Answer:
        """What the `rollout` command says."""
        return self._at("pytest_rollout.cli", *words)

    def _at(self, module: str, *words: str) -> Answer:
        self.now += _MINUTE
        self.move()
        command = ("-m", "tests.story.clock", self.now.isoformat(), module, *words)
        return self.project.run(sys.executable, *command)

    def move(self) -> None:
        """Have the application's clock show the time at which people stand."""
        body = {"to": self.now.isoformat()}
        httpx.post(f"{self.console}/reference/clock", json=body, timeout=60).raise_for_status()

    def enter(self, phase: str) -> None:
        """Decide the entry gate of a phase, have it signed, and begin."""
        self.decide(phase, "entry")
        began = self.rollout("begin", f"pas.{phase}", "--env", "prod", "--by", "Olga")
        assert began.status == 0, began.said

    def leave(self, phase: str) -> None:
        """Decide the exit gate of a phase, have it signed, and end."""
        self.decide(phase, "exit")
        ended = self.rollout("end", f"pas.{phase}", "--env", "prod", "--by", "Olga")
        assert ended.status == 0, ended.said

    def decide(self, phase: str, gate: str, *more: str) -> None:
        """Decide a gate, which must be GO, and have it signed by each who must."""
        decided = self.pytest(phase, *more)
        assert decided.last_line.startswith(f"GO: pas.{phase}/{gate} GO"), decided.said[-6_000:]
        for role in self.signers[phase]:
            person = next(who for who, has in PEOPLE.items() if has == role)
            key = str(self.project.key(person))
            who = ("--as", role, "--by", person, "--key", key)
            signed = self.rollout("sign", f"pas.{phase}/{gate}", "--env", "prod", *who)
            assert signed.status == 0, signed.said

    def attest(self, criterion: str, person: str, note: str) -> None:
        """Have a person answer what no test can see."""
        who = ("--by", person, "--role", PEOPLE[person], "--key", str(self.project.key(person)))
        said = self.rollout("attest", f"pas.{criterion}", "--env", "prod", *who, "--note", note)
        assert said.status == 0, said.said

    def record(self, phase: str, says: str) -> None:
        """Put a change on record, before it is made."""
        words = ("record", f"pas.{phase}", "change", "--says", says, "--by", "Olga")
        told = self.rollout(*words, "--env", "prod")
        assert told.status == 0, told.said

    def unsettled(self, phase: str, gate: str) -> dict[str, str]:
        """The criteria of a gate that did not pass, and their verdicts."""
        path = self.project.folder / "rollout-report/pas/prod" / phase / gate / "decision.json"
        found = json.loads(path.read_text(encoding="utf-8"))["criteria"]
        verdicts = {one["id"].rpartition(".")[2]: one["verdict"] for one in found}
        return {name: verdict for name, verdict in verdicts.items() if verdict != "pass"}


@contextmanager
def by_hand(folder: Path, begun: datetime = BEGUN) -> Iterator[Rollout]:
    """PAS behind proxies, and a project with its plan, in which no phase requires another."""
    site = folder / "pas"
    site.mkdir()
    with _served(site, begun) as console, ExitStack() as proxies:
        plan = yaml.safe_load((ROOT / "suites/pas/rollout.yaml").read_text(encoding="utf-8"))
        given = _addresses(plan, site, console, proxies)
        signers = {one["id"]: one["signoff"] for one in plan["phases"] if "signoff" in one}
        yield Rollout(_project(folder / "project", given), console, signers, begun)


def _addresses(
    plan: Mapping[str, Any], site: Path, console: str, proxies: ExitStack
) -> dict[str, str]:
    """What each variable of environment prod says: a path of the site, or a proxy's address."""
    embedded, real = (plan["environments"][name]["targets"] for name in ("embedded", "prod"))
    given = {}
    for name, target in real.items():
        variable = (target.get("url") or target["file"]).strip("${}")
        where = embedded[name]
        if "file" in target:
            given[variable] = str(site / where["file"])
            continue
        url = (site / where["url"]).read_text().strip() if "url" in where else console
        at = ("127.0.0.1", _INDEX_PORT if name == "index" else 0)
        given[variable] = proxies.enter_context(stripping(url, at))
    return given


@contextmanager
def _served(folder: Path, begun: datetime) -> Iterator[str]:
    """The address of the application; its clock stands at the begin of the rollout."""
    port = free_port()
    environ = {**os.environ, "PYTHONPATH": str(ROOT), **Setting(folder, begun).to_environ()}
    command = [sys.executable, "-m", "uvicorn", "--factory", "fixtures.pas:app"]
    with (
        folder.with_name("pas.log").open("w") as log,
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


def _shorter(plan: str) -> dict[str, str]:
    """The loads of a plan, and each as long as its rehearsal."""
    found = {}
    for block in re.findall(r"  - id: [^\n]*\n(?:    [^\n]*\n)*?    rehearsal: [^\n]*\n", plan):
        rehearsal = yaml.safe_load(block)[0]["rehearsal"]
        kept = [
            line
            for line in block.splitlines()
            if line.split(":")[0].strip() not in {*rehearsal, "rehearsal"}
        ]
        said = [f"    {name}: {value}" for name, value in rehearsal.items()]
        found[block] = "\n".join([*kept, *said, ""])
    return found


def _project(folder: Path, given: Mapping[str, str]) -> Guarded:
    """A project with the plan of PAS, whose loads are short, and people with keys."""
    shutil.copytree(ROOT / "suites/pas", folder / "suites/pas")
    shutil.copytree(ROOT / "load", folder / "load")
    folder.joinpath("pytest.ini").write_text("[pytest]\npythonpath = .\n")
    plan = folder / "suites/pas/rollout.yaml"
    requiring = r"    (requires|any_release): .*\n"
    text = re.sub(requiring, "", plan.read_text(encoding="utf-8"))
    for load, rehearsed in _shorter(text).items():
        text = text.replace(load, rehearsed)
    plan.write_text(text, encoding="utf-8")
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    project = Guarded(folder, {**given, "PATH": path})
    project.has_people(plan.parent, PEOPLE)
    return project
