"""Starting an embedded target as a subprocess on a loopback socket that the parent bound."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from pytest_rollout.extras import needs_extra
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.errors import RolloutError
from pytest_rollout.targets.reference import Fault, Setting
from pytest_rollout.targets.starting import Process, Start, Starter, readable, start_cold
from pytest_rollout.targets.trouble import last_line

_START_S = 60  # on a busy machine a target takes long to load
_STOP_S = 30  # a target that is measured writes down what it ran, on a busy machine slowly
_MOST_OF_LOG = 65_536


@dataclass(slots=True)
class Served:
    """A running embedded target."""

    url: str
    folder: Path
    process: Process
    lifeline: int

    def let_go(self) -> None:
        """Ask it to end; :meth:`stop` waits. Several may so end at the same time."""
        if self.lifeline >= 0:
            with suppress(OSError):
                os.close(self.lifeline)
            self.lifeline = -1  # the number may be another file's by now

    def stop(self) -> None:
        """End it, and wait until it has ended."""
        self.let_go()
        try:
            self.process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def launch(app: str, setting: Setting, root: Path, starter: Starter = start_cold) -> Served:
    """Serve ``module:attribute`` from ``root``; raises RolloutError where it does not start."""
    needs_extra("targets", "uvicorn")
    setting.folder.mkdir(parents=True, exist_ok=True)
    log = setting.folder / "target.log"
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    life_read, life_write = os.pipe()
    ready_read, ready_write = os.pipe()
    with log.open("wb") as output, listener:
        passed = listener.fileno(), life_read, ready_write, output.fileno()
        process = starter(Start(app, root, setting.to_environ(), *passed))
    os.close(life_read)
    os.close(ready_write)
    served = Served(f"http://127.0.0.1:{port}", setting.folder, process, life_write)
    why = _not_ready(ready_read, log)
    if why:
        served.stop()
        raise RolloutError(f"the embedded target {app} did not start: {why}")
    return served


def _not_ready(pipe: int, log: Path) -> str:
    """Why a target does not accept requests; empty where it does."""
    try:
        if not readable(pipe, _START_S):  # what it says while it is ended is not why
            last = _last_line(log, "it said nothing")
            return f"it accepted no request within {_START_S} s ({last})"
        return "" if os.read(pipe, 1) == b"1" else _last_line(log, "it ended and said nothing")
    finally:
        os.close(pipe)


def _last_line(log: Path, nothing: str) -> str:
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _MOST_OF_LOG))
        lines = file.read(_MOST_OF_LOG).decode("utf-8", "replace").strip().splitlines()
    return last_line(lines, nothing)


def known_faults(app: str, root: Path, fault: str | None = None) -> dict[str, str]:
    """The faults that an application lists, by name.

    Raises RolloutError if it cannot say, or where it refuses the parameters of ``fault``.
    """
    needs_extra("targets", "uvicorn")
    command = [sys.executable, "-m", "pytest_rollout.targets.serve", app, "--faults"]
    with tempfile.TemporaryDirectory(prefix="rollout-") as folder:
        wanted = Fault.parse(fault) if fault else None
        setting = Setting(Path(folder), datetime.now(UTC), wanted)
        environ = {**os.environ, **setting.to_environ()}
        try:
            done = subprocess.run(
                command,
                cwd=root,
                env=environ,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=_START_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise _no_faults(app, f"it took more than {_START_S} s") from None
    if done.returncode:
        why = last_line(done.stderr.strip().splitlines(), "it said nothing")
        raise RolloutError(f"{app} cannot be loaded: {why}")
    try:
        answer = json.loads(done.stdout)
        problem, faults = answer["problem"], dict(answer["faults"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise _no_faults(app, last_line([f"it said {done.stdout[-60:]!r}"], "")) from error
    if problem:
        raise RolloutError(str(problem))
    return faults


def _no_faults(app: str, why: str) -> RolloutError:
    return RolloutError(f"the faults of {app} cannot be listed: {why}")
