"""A small project with a target on loopback, of which each kind of change is noticed otherwise."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from pytest_rollout.model.mutants import Mutant
from pytest_rollout.model.plan import Plan
from pytest_rollout.plan.load import load
from tests.session.project import INI

APP = """\
import json
import subprocess
import sys
import time
from pathlib import Path

from pytest_rollout.targets.reference import Setting, identified

from small import brewing

time.sleep(0)
SETTINGS = Path(__file__).with_name("settings.json")


def body():
    setting = Setting.from_environ()
    return {
        "taste": brewing.taste(),
        "volume": brewing.volume(),
        "colour": brewing.colour(),
        "smell": brewing.smell(),
        "limit": json.loads(SETTINGS.read_text())["limit"],
        "now": setting.now.isoformat(),
    }


def version():
    return {"version": "v7"}


def counted():
    command = [sys.executable, "-m", "small.counting"]
    return {"count": int(subprocess.run(command, capture_output=True, text=True).stdout)}


async def plain(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
    answers = {"/": body, "/count": counted, "/version": version}
    answer = answers[scope["path"]]()
    await send({"type": "http.response.start", "status": 200,
                "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": json.dumps(answer).encode()})


app = identified(plain, "small")
"""
BREWING = """\
def taste():
    return "sweet"


def volume():
    return 7


def colour():
    return "brown"


def smell():
    return "faint"


def never_called():
    return "nothing"
"""
COUNTING = """\
print(3 + 4)
"""
SETTINGS = '{"limit": 10}\n'
UNREAD = '{"nobody": "reads it"}\n'
PLAN = """\
plan: demo
environments: {embedded: {targets: {small: {serve: "small.app:app"}}}}
release: {target: small, path: /version, json: version}
phases:
  - id: canary
    criteria:
      - {id: ready, gate: entry, kind: operational}
      - {id: sweet, kind: demo}
      - {id: loud, kind: demo, severity: soft}
      - {id: brown, kind: demo, severity: optional}
      - {id: limited, kind: demo}
  - id: later
    criteria:
      - {id: counts, kind: demo}
  - id: summary
    criteria:
      - {id: all-good, kind: operational, rolls_up: [canary/exit, later/exit]}
"""
CANARY = """\
import pytest

from pytest_rollout import scenario

pytestmark = pytest.mark.canary


@scenario()
def said(phase):
    return phase.target("small").client.get("/").json()


@pytest.mark.criterion("ready")
def test_ready(phase):
    assert phase.target("small").client.get("/version").json()["version"] == "v7"


@pytest.mark.criterion("sweet")
def test_sweet(said):
    assert said["taste"] == "sweet"


@pytest.mark.criterion("loud")
def test_loud(said):
    assert said["volume"] == 7


@pytest.mark.criterion("brown")
def test_brown(said):
    assert said["colour"] == "brown"


@pytest.mark.criterion("limited")
def test_limited(said):
    assert said["limit"] == 10
"""
LATER = """\
import pytest

pytestmark = pytest.mark.later


@pytest.mark.criterion("counts")
def test_counts(phase):
    assert phase.target("small").client.get("/count").json() == {"count": 7}
"""
FILES = {
    "pytest.ini": INI + "pythonpath = .\n",
    "small/__init__.py": "",
    "small/app.py": APP,
    "small/brewing.py": BREWING,
    "small/counting.py": COUNTING,
    "small/settings.json": SETTINGS,
    "small/unread.json": UNREAD,
    "suites/demo/rollout.yaml": PLAN,
    "suites/demo/test_canary.py": CANARY,
    "suites/demo/test_later.py": LATER,
}


@dataclass(frozen=True)
class Site:
    """A project in a folder."""

    root: Path

    @classmethod
    def at(cls, root: Path) -> Site:
        """The project with its plan, tests and target."""
        for name, text in FILES.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return cls(root)

    @property
    def plan(self) -> Plan:
        """Its plan."""
        name = "suites/demo/rollout.yaml"
        plan = load(self.root / name, name).plan
        assert plan is not None
        return plan

    def mutant(self, file: str, old: str, new: str) -> Mutant:
        """A change of the first place where a file holds a text."""
        text = (self.root / file).read_text()
        start = text.index(old)
        return Mutant(
            id=f"{file}:{old}",
            file=file,
            line=text.count("\n", 0, start) + 1,
            operator="by hand",
            before=old,
            after=new,
            start=start,
            end=start + len(old),
            replacement=new,
            replaced=old,
        )

    def change(self, file: str, old: str, new: str) -> None:
        """Replace something that a file holds."""
        text = (self.root / file).read_text()
        assert old in text
        (self.root / file).write_text(text.replace(old, new))

    def digests(self) -> dict[str, str]:
        """Every file below its folder with a digest of what it holds."""
        return {
            path.relative_to(self.root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in self.root.rglob("*")
            if path.is_file()
        }

    def run(self, module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a module of Python in it, as a user would."""
        command = [sys.executable, "-m", module, *arguments]
        done = subprocess.run(command, cwd=self.root, capture_output=True, text=True, check=False)
        assert "Traceback" not in done.stderr
        return done

    def rollout(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the command."""
        return self.run("pytest_rollout.cli", *arguments)
