"""The stub as `make` brings it up: a process of its own, on a port that was free."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from pytest_rollout import Reported, Stage, reported, scenario
from suites.pas.views.client import Ran, environ, free_port, listens, run
from suites.pas.views.pas import Pas

WITHIN_S = 15.0
LANE = "Vector-Ops"  # whose tasks are the shortest
_TICK_S, _WORKS_S = 0.05, 10


@dataclass(frozen=True)
class Made:
    """What make did, and what the stub said that it started."""

    plan: Ran  # make -n, which tells what it would do
    up_after_s: float | None  # None: nothing listened within the time
    output: str
    idle: Reported | None  # of /health, before anything was asked
    busy: Reported | None  # of /health, once a run was started
    worked: Reported | None  # a run, once its task was done or should have been
    health: Ran  # make pas-health while the stub is up
    health_down: Ran  # and once it is gone


@scenario(effect="change")
def made(phase: Stage) -> Made:
    """The stub is started by make, asked while idle and while busy, and ended."""
    checkout = phase.file("checkout")
    with tempfile.TemporaryDirectory() as home:
        env = environ(Path(home))
        plan = run(["make", "-n", "run-pas-stub"], env, checkout)
        port = free_port()
        env["PAS_PORT"] = str(port)
        with started("run-pas-stub", checkout, env, Path(home) / "output") as process:
            up = listening(process, port)
            idle = busy = worked = None
            if up is not None:
                idle, busy, worked = _asked(f"http://127.0.0.1:{port}")
            health = run(["make", "pas-health"], env, checkout)
        down = run(["make", "pas-health"], env, checkout)
        output = (Path(home) / "output").read_text(encoding="utf-8", errors="replace")
    return Made(plan, up, output[-600:], idle, busy, worked, health, down)


@contextmanager
def started(
    what: str, checkout: Path, env: dict[str, str], output: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """What make brings up, until the block ends; what it prints goes to a file."""
    with output.open("wb") as printed:
        process = subprocess.Popen(
            ["make", what], cwd=checkout, env=env, stdout=printed,
            stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
    try:
        yield process
    finally:
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(process.pid, number)
                process.wait(5)
            except (ProcessLookupError, subprocess.TimeoutExpired):
                continue
            break


def listening(process: subprocess.Popen[bytes], port: int) -> float | None:
    """The seconds until somebody listens at a port; None where the process ended, or it is late."""
    begun = time.monotonic()
    while time.monotonic() - begun < WITHIN_S:
        if listens(port):
            return time.monotonic() - begun
        if process.poll() is not None:
            return None
        time.sleep(_TICK_S)
    return None


def _asked(url: str) -> tuple[Reported, Reported, Reported]:
    with httpx.Client(base_url=url, timeout=10) as client:
        pas = Pas(client)
        idle = reported(client.get("/health"))
        name = pas.new_run("made")
        pas.card(name, LANE)
        pas.start(name)
        busy, until = reported(client.get("/health")), time.monotonic() + _WORKS_S
        while pas.status(name).text("status") == "executing" and time.monotonic() < until:
            time.sleep(_TICK_S * 5)
        return idle, busy, pas.status(name)
