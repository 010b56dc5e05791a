"""The benchmark and its guard, run as programs: on the bridge, and on reports of the suite."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from pytest_rollout import Stage
from suites.bridge.views.exposition import Between, scrape

NEED = {"post_success": 300, "read_success": 600, "post_to_visible": 60, "message_to_wake": 60}
TARGETS = {
    "post_success": 0.99,
    "read_success": 0.995,
    "post_to_visible": 2.0,
    "message_to_wake": 3.0,
}
UNITS = {name: "ratio" if "success" in name else "s" for name in NEED}
POSTS, READS, PROBES = 30, 60, 6
FEW = (20, 12, 4)  # while the bridge is troubled
FAILS_EVERY, SLOW_S = 7, 0.1  # which of the requests that write fail, and how slow the store is
_AT_ONCE = 4
_OUT = ("--out", "/dev/null")


@dataclass(frozen=True, slots=True)
class Ran:
    """A program, and what came of it."""

    status: int
    output: str


def run(program: Path, *words: str) -> Ran:
    """Run a program with nobody at the terminal; a file of Python needs no mode."""
    command = [str(program), *words]
    if program.suffix == ".py":
        command = [sys.executable, *command]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=60, stdin=subprocess.DEVNULL
    )
    return Ran(done.returncode, (done.stdout + done.stderr)[-400:])


@dataclass(frozen=True)
class Benchmarked:
    """A short run of the benchmark: its report, and what the bridge counted meanwhile."""

    there: bool
    ran: Ran
    report: Mapping[str, Any]
    counted: Between | None
    troubled: Mapping[str, Any]  # a report of while some posts failed and the store was slow
    failed: Between | None  # what the bridge counted of that
    wrong: Mapping[str, Ran] = field(default_factory=dict)  # runs that cannot measure
    url: str = ""


def benchmarked(phase: Stage) -> Benchmarked:
    """The runner posts and reads a little, with nobody there."""
    program, target = phase.file("benchmark"), phase.target("bridge")
    if not program.is_file():
        return Benchmarked(False, Ran(127, f"there is no {program.name}"), {}, None, {}, None)
    if phase.embedded:  # the agent that it wakes, unless it is told another
        asleep = {"managed": True, "state": "dormant", "heartbeat_age_s": 60, "ack_after_s": 0}
        phase.operate("bridge", "session", agent="bench-sleeper", role="reviewer", **asleep)
    begun = scrape(target.client)
    ran, report = _report(program, target.url, POSTS, READS, PROBES)
    counted = Between(begun, scrape(target.client))
    wrong = {
        "nobody there": run(program, "--url", "http://127.0.0.1:1", *_OUT),
        "without the secret": run(program, "--url", target.url, "--secret", "/dev/null", *_OUT),
        "an unknown flag": run(program, "--url", target.url, "--no-such-flag", *_OUT),
    }
    if not phase.embedded:  # nobody troubles a bridge that people use
        return Benchmarked(True, ran, report, counted, {}, None, wrong, target.url)
    phase.operate("bridge", "fail-writes", every=FAILS_EVERY)
    phase.operate("bridge", "slow-store", seconds=SLOW_S)
    _, troubled = _report(program, target.url, *FEW)
    phase.operate("bridge", "slow-store", seconds=0)
    phase.operate("bridge", "fail-writes", every=0)
    failed = Between(counted.after, scrape(target.client))
    return Benchmarked(True, ran, report, counted, troubled, failed, wrong, target.url)


def _report(
    program: Path, url: str, posts: int, reads: int, probes: int
) -> tuple[Ran, dict[str, Any]]:
    """A run of the benchmark, and its report; an empty one where it wrote none."""
    words = ("--posts", str(posts), "--reads", str(reads), "--probes", str(probes))
    with TemporaryDirectory() as folder:
        out = Path(folder, "report.json")
        ran = run(program, "--url", url, "--out", str(out), *words)
        return ran, json.loads(out.read_text("utf-8")) if out.is_file() else {}


def sli(
    name: str, *, n: int | None = None, over: bool = False, value: object = ""
) -> dict[str, Any]:
    """An SLI at its target, or just beyond it; with so many samples, all consistent."""
    count = (1000 if UNITS[name] == "ratio" else 100) if n is None else n
    target = TARGETS[name]
    figures: dict[str, Any] = {
        "unit": UNITS[name],
        "n": count,
        "target": target,
        "need": NEED[name],
    }
    if UNITS[name] == "ratio":
        failed = round(count * (1 - target)) + int(over)
        figures |= {"failed": failed, "value": (count - failed) / count if count else None}
    else:
        seconds = target + 0.01 if over else target
        figures |= {"samples": [seconds] * count, "value": seconds if count else None}
    return figures if value == "" else {**figures, "value": value}


def report(revision: str, at: str, **changed: Mapping[str, Any]) -> dict[str, Any]:
    """A report in which each target is just met, but for what is changed."""
    slis = {name: sli(name) for name in NEED} | dict(changed)
    return {"generated_at": at, "revision": revision, "url": "http://127.0.0.1", "slis": slis}


@dataclass(frozen=True)
class Guarded:
    """What the guard says of reports: of each, whether it must say yes, and its status."""

    sides: Mapping[str, tuple[bool, Ran]]
    empty: Mapping[str, tuple[bool, Ran]]
    unusable: Mapping[str, Ran] = field(default_factory=dict)  # what is no report


@pytest.fixture(scope="session")
def guarded(phase: Stage, tmp_path_factory: pytest.TempPathFactory, revision: str) -> Guarded:
    """The guard on both sides of each target, and on reports with too few samples."""
    at = phase.target("bridge").clock.now().isoformat()
    sides: dict[str, tuple[bool, dict[str, Any]]] = {"all just met": (True, report(revision, at))}
    empty: dict[str, tuple[bool, dict[str, Any]]] = {}
    for name, need in NEED.items():
        sides[f"{name} just missed"] = (False, report(revision, at, **{name: sli(name, over=True)}))
        lowered = {**sli(name, over=True), "target": 0 if UNITS[name] == "ratio" else 99}
        sides[f"{name} by a target of its own"] = (False, report(revision, at, **{name: lowered}))
        good = 1.0 if UNITS[name] == "ratio" else 0.1
        none = sli(name, n=0, value=None)
        few = perfect(name, need - 1, good)
        enough = perfect(name, need, good)
        empty[f"{name} without a sample"] = (False, report(revision, at, **{name: none}))
        empty[f"{name} one short"] = (False, report(revision, at, **{name: few}))
        empty[f"{name} enough"] = (True, report(revision, at, **{name: enough}))
    folder, program = tmp_path_factory.mktemp("guard"), phase.file("guard")

    def ask(item: tuple[str, tuple[bool, dict[str, Any]]]) -> tuple[str, tuple[bool, Ran]]:
        name, (wanted, said) = item
        path = folder / f"{name.replace(' ', '-')}.json"
        path.write_text(json.dumps(said), encoding="utf-8")
        return name, (wanted, run(program, str(path)))

    for name in NEED:
        whole = report(revision, at)
        del whole["slis"][name]
        empty[f"{name} left out"] = (False, whole)
    broken = folder / "broken.json"
    broken.write_text("{", encoding="utf-8")
    unusable = {
        "no file": run(program, str(folder / "none.json")),
        "no JSON": run(program, str(broken)),
        "no argument": run(program),
        "two arguments": run(program, str(broken), str(broken)),
    }
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        asked, empties = (dict(pool.map(ask, some.items())) for some in (sides, empty))
        return Guarded(asked, empties, unusable)


def perfect(name: str, count: int, value: float) -> dict[str, Any]:
    """An SLI without a failure, of so many samples."""
    if UNITS[name] == "ratio":
        return {**sli(name, n=count, value=value), "failed": 0}
    return {**sli(name, n=count, value=value), "samples": [value] * count}
