"""How the process of an embedded target starts: by itself, or as a fork of a warm process."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from pytest_rollout.late_dataclass import dataclass

_PASSING = "PYTEST_CURRENT_TEST"  # of the environment: another for each test, and read by no target
_PATIENCE_S = 60  # on a busy machine it takes long to load


@dataclass(frozen=True, slots=True)
class Start:
    """What a target's process is started with; the numbers are open files of the caller's."""

    app: str
    root: Path
    setting: Mapping[str, str]  # variables, beside those of this process
    listener: int
    lifeline: int
    ready: int
    log: int


class Process(Protocol):
    """The process of a target."""

    def wait(self, timeout: float | None = None) -> object:
        """Wait until it has ended; raises subprocess.TimeoutExpired."""

    def kill(self) -> None:
        """End it at once."""


Starter = Callable[[Start], Process]


def start_cold(start: Start) -> subprocess.Popen[bytes]:
    """Start a process that loads everything by itself."""
    passed = (start.listener, start.lifeline, start.ready)
    command = [sys.executable, "-m", "pytest_rollout.targets.serve", start.app]
    command += ["--socket", str(passed[0]), "--lifeline", str(passed[1]), "--ready", str(passed[2])]
    return subprocess.Popen(
        command,
        cwd=start.root,
        env={**os.environ, **start.setting},
        stdin=subprocess.DEVNULL,
        stdout=start.log,
        stderr=subprocess.STDOUT,
        pass_fds=passed,
    )


class Warm:
    """Starts targets as forks of one process that has loaded what serves them.

    Loading a web framework takes a third of a second, and the rehearsal of a plan may start dozens
    of targets. Each fork loads the application itself. A target starts cold where the warm
    process is gone or the system cannot fork.
    """

    def __init__(self) -> None:
        self._process: _Warm | None = None

    def start(self, start: Start) -> Process:
        """Start the process of a target."""
        if not hasattr(os, "fork"):
            return start_cold(start)
        made_for = start.root, {k: v for k, v in os.environ.items() if k != _PASSING}
        if self._process is None or self._process.made_for != made_for:
            self.close()
            self._process = _Warm(*made_for)
        try:
            return self._process.fork(start)
        except (OSError, ValueError):
            self.close()
            return start_cold(start)

    def close(self) -> None:
        """End the warm process; what it started goes on."""
        if self._process is not None:
            self._process.close()
        self._process = None


class _Warm:
    """The warm process, for one folder and one environment."""

    def __init__(self, root: Path, environment: Mapping[str, str]) -> None:
        self.made_for = root, environment
        self._socket, theirs = socket.socketpair()
        self._socket.settimeout(_PATIENCE_S)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "pytest_rollout.targets.warm", str(theirs.fileno())],
                cwd=root,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
            )

    def fork(self, start: Start) -> _Forked:
        """Have it fork a target; raises OSError or ValueError where it is gone."""
        ended_read, ended_write = os.pipe()
        files = [start.listener, start.lifeline, start.ready, start.log, ended_write]
        try:
            asked = json.dumps({"app": start.app, "setting": dict(start.setting)})
            socket.send_fds(self._socket, [asked.encode()], files)
            return _Forked(int(self._socket.recv(32)), ended_read)
        except BaseException:
            os.close(ended_read)
            raise
        finally:
            os.close(ended_write)

    def close(self) -> None:
        """End it."""
        with suppress(OSError):  # it is gone already
            self._socket.shutdown(socket.SHUT_RDWR)  # a fork of this process may hold the socket
        self._socket.close()
        try:
            self._process.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def readable(file: int, timeout: float | None) -> bool:
    """Return whether a pipe holds something, or was closed, within so many seconds.

    Unlike ``select.select`` it takes the numbers of files from 1,024 on.
    """
    look = select.poll()
    look.register(file, select.POLLIN)
    return bool(look.poll(None if timeout is None else timeout * 1_000))


class _Forked:
    """A target that the warm process forked."""

    def __init__(self, pid: int, ended: int) -> None:
        self._pid = pid  # the warm process keeps it from being another's
        self._ended = ended  # a pipe that closes when the target ends; -1 once it has

    def wait(self, timeout: float | None = None) -> None:
        if self._ended >= 0 and not readable(self._ended, timeout):
            raise subprocess.TimeoutExpired("target", timeout or 0)
        self._close()

    def kill(self) -> None:
        """End it at once; a fork of its own may hold the pipe, and is not waited for."""
        with suppress(ProcessLookupError):
            os.kill(self._pid, signal.SIGKILL)
        self._close()

    def _close(self) -> None:
        if self._ended >= 0:
            os.close(self._ended)
        self._ended = -1
