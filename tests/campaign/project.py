"""The small project whose runs are struck: its files, good or bad, and what each honestly is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

_PLAN = """\
plan: demo
title: What the campaign strikes
{targets}phases:
"""
_TARGETS = """\
release: {target: api, path: /version, json: version}
environments:
  embedded: {targets: {api: {serve: "app:app"}}}
"""
_PHASE = """\
  - id: NAME
    owners: [sre]
    criteria:
      - {id: ready, gate: entry, kind: operational, says: The target is ready}
      - {id: works, kind: demo, says: It works}
      - {id: errors, kind: slo, says: No request fails, metric: errors, take: sum, pass: "<= 0",
         need: 3}
"""
_TESTS = """\
import pytest

from tests.campaign.inside import done, reach

pytestmark = pytest.mark.NAME


@pytest.fixture(scope="session")
def ready(phase):
    reach("fixture")
    return ASK


@pytest.mark.criterion("ready")
def test_ready(ready):
    reach("test")
    assert ready
    done("NAME-ready")


@pytest.mark.criterion("works")
@pytest.mark.parametrize("part", range(3))
def test_works(part):
    reach("test")
    assert part != BROKEN
    if part == SKIPPED:
        pytest.skip("not today")
    done(f"NAME-works-{part}")


@pytest.mark.criterion("errors")
def test_errors(observe):
    for number in range(4):
        observe("errors", ERRORS if number == 2 else 0, at=1_000 + number)
        reach("test")
    observe.attach("log", "all well in NAME")
    done("NAME-errors")
"""
_APP = """\
import json

from tests.campaign.inside import note, target

target()


async def app(scope, receive, send):
    found = scope["path"] in ("/", "/version")
    headers = [(b"content-type", b"application/json")]
    status = {"type": "http.response.start", "status": 200 if found else 404, "headers": headers}
    await send(status)
    await send({"type": "http.response.body", "body": json.dumps({"version": "v1"}).encode()})
    note("answered", path=scope["path"])
"""
BAD = {
    "fails": {"BROKEN": "2"},
    "skips": {"SKIPPED": "1"},
    "breaches": {"ERRORS": "1"},
}
_GOOD = {"BROKEN": "-1", "SKIPPED": "-1", "ERRORS": "0"}
_WORKS = 3
_LEFT_OUT = {
    "fails": "works-2",
    "skips": "works-1",
}  # what of a bad project does not come to its end


@dataclass(frozen=True)
class Shape:
    """How a project's runs go: in one process, on two workers, or with a served target."""

    name: str
    phases: tuple[str, ...]
    arguments: tuple[str, ...] = ()
    served: bool = False

    @property
    def items(self) -> frozenset[str]:
        """What each test notes when its body has come to its end."""
        names = ["ready", *(f"works-{part}" for part in range(_WORKS)), "errors"]
        return frozenset(f"{phase}-{name}" for phase in self.phases for name in names)

    def bad_gate(self) -> str:
        """The gate that a bad project spoils; the others stay good."""
        return f"demo.{self.phases[-1]}/exit"

    def expected(self, bad: str) -> frozenset[str]:
        """What comes to its end in a run that nobody disturbs."""
        return self.items - {f"{self.phases[-1]}-{_LEFT_OUT.get(bad, '')}"}

    @property
    def gates(self) -> tuple[str, ...]:
        """The gates that a run asks for."""
        return tuple(f"demo.{phase}/{gate}" for phase in self.phases for gate in ("entry", "exit"))


SHAPES = {
    shape.name: shape
    for shape in (
        Shape("plain", ("canary", "wide")),
        Shape("workers", ("canary", "wide"), ("-p", "xdist", "-n2")),
        Shape("served", ("canary",), served=True),
    )
}


def write(root: Path, shape: Shape, bad: str = "") -> None:
    """Write the project, or change its tests to good or bad ones; the last phase is the bad one."""
    targets = _TARGETS if shape.served else ""
    phases = "".join(_PHASE.replace("NAME", name) for name in shape.phases)
    suite = root / "suites" / "demo"
    suite.mkdir(parents=True, exist_ok=True)
    (root / "pytest.ini").write_text("[pytest]\naddopts = -p no:cacheprovider\n")
    (root / "app.py").write_text(_APP)
    (suite / "rollout.yaml").write_text(_PLAN.format(targets=targets) + phases)
    ask = 'phase.target("api").client.get("/").is_success' if shape.served else "True"
    for name in shape.phases:
        last = name == shape.phases[-1]
        values = {**_GOOD, **(BAD[bad] if bad and last else {}), "ASK": ask, "NAME": name}
        text = _TESTS
        for key, value in values.items():
            text = text.replace(key, value)
        (suite / f"test_{name}.py").write_text(text)
