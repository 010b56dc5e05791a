"""Starting a run of the project in a process of its own, and striking it."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.campaign.inside import VARIABLE
from tests.campaign.project import Shape
from tests.campaign.witness import Witness

ROOT = Path(__file__).parents[2]
LONGEST_S = 90.0
_AFTER_S = 20.0


@dataclass
class Child:
    """A run that was started."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    started: float
    struck_at: int | None = None  # monotonic nanoseconds
    hung: bool = False
    stragglers: int = 0
    length: float = 0.0
    notes: list[str] = field(default_factory=list)

    @property
    def output(self) -> str:
        """What it said."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    @property
    def said_go(self) -> bool:
        """Whether its last word is GO."""
        lines = self.output.strip().splitlines()
        return bool(lines) and re.match(r"GO: ", lines[-1]) is not None

    def end(self) -> None:
        """Wait until all of its processes have ended; what does not end in time is killed."""
        try:
            self.process.wait(LONGEST_S)
        except subprocess.TimeoutExpired:
            self.hung = True
            self.kill_all()
            self.process.wait()
        self.length = time.monotonic() - self.started
        until = time.monotonic() + _AFTER_S
        while self.alive() and time.monotonic() < until:
            time.sleep(0.01)
        self.stragglers = len(self.alive())
        if self.stragglers:
            self.kill_all()

    def alive(self) -> list[int]:
        """The processes of its group, without those that are dead and not yet buried."""
        found = []
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):
                state, _, group = stat.read_text().rpartition(")")[2].split()[:3]
                if int(group) == self.process.pid and state != "Z":
                    found.append(int(stat.parent.name))
        return found

    def kill_all(self, how: int = signal.SIGKILL) -> None:
        """Send a signal to the whole group."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, how)


class Gate:
    """Where a run waits at the place that was ordered."""

    def __init__(self, side: Path) -> None:
        self._path = side / "gate"
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self._path))
        self._listener.listen(1)
        self._listener.settimeout(0.02)

    def wait(self, child: Child, stroke: Callable[[], None]) -> bool:
        """Strike while the run waits; False where it ended without coming there."""
        until = time.monotonic() + LONGEST_S
        while time.monotonic() < until:
            with suppress(TimeoutError):
                line, _ = self._listener.accept()
                with line:
                    line.recv(16)
                    stroke()
                    time.sleep(0.005)  # a signal is there before the run goes on
                    with suppress(OSError):
                        line.send(b"1")
                return True
            if child.process.poll() is not None and not child.alive():
                return False
        return False

    def close(self) -> None:
        """Nobody needs to wait any more."""
        self._listener.close()
        self._path.unlink(missing_ok=True)


def start(
    name: str, root: Path, side: Path, shape: Shape, order: Mapping[str, Any], *extra: str
) -> Child:
    """Start a run; ``order`` says where it is to be struck."""
    environ = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "ROLLOUT_"))}
    told = {"side": str(side), "run": name, **order}
    environ |= {
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTHONPATH": os.pathsep.join([str(root), str(ROOT)]),
        "PYTHONDONTWRITEBYTECODE": "1",
        VARIABLE: json.dumps(told),
    }
    command = [sys.executable, "-m", "pytest", "-p", "tests.campaign.inside"]
    command += ["-p", "pytest_rollout.plugin", *shape.arguments, "-m", " or ".join(shape.phases)]
    log = side / f"{name}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, *extra],
            cwd=root,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return Child(name, process, log, time.monotonic())


def pid_of(child: Child, side: Path, role: str) -> int | None:
    """The process of a role, once it is there; None where the run ends before."""
    if role == "controller":
        return child.process.pid
    until = time.monotonic() + LONGEST_S
    while time.monotonic() < until and child.process.poll() is None:
        pids = Witness(side).pids(child.name, role)
        if pids:
            return pids[-1]
        time.sleep(0.01)
    return None
