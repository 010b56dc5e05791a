"""Locust as a process: its command, its surroundings, and its end with all that it started."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from pytest_rollout.load import files
from pytest_rollout.model.load import LoadProfile
from pytest_rollout.redact import cap, hide

STOP_S = 15.0  # for requests under way at the end: locust waits for them, and then ends its users
_GRACE_S = 3.0
_TICK_S = 0.05
_MOST_OF_LOG, _MOST_OF_LINE = 65_536, 300
_LOOPBACK = "127.0.0.1"
_ERROR = re.compile(r"\b(ERROR|CRITICAL|[A-Za-z]*Error|[A-Za-z]*Exception)\b")
# Its group ends when this process closes the shell's input, or dies.
_LIFELINE = (
    'exec 3<&0 </dev/null; "$@" 3<&- & child=$!; '
    '(cat <&3 >/dev/null; kill "$child"; sleep 3; kill -KILL 0) >/dev/null 2>&1 & '
    'exec 3<&-; wait "$child"'
)
# What pytest and locust read from the environment is none of this load's business.
_NOT_HANDED_ON = ("PYTEST_CURRENT_TEST", "PYTEST_XDIST_", "LOCUST_", "ROLLOUT_LOAD")


def command_of(profile: LoadProfile, root: Path, wait_s: float) -> list[str]:
    """Return the command that makes a load: one process, several, or the master of workers."""
    command = [sys.executable, "-m", "locust", "-f", str(root / profile.locustfile)]
    command += ["--headless", "--only-summary", "--stop-timeout", f"{STOP_S:g}"]
    generators = profile.generators
    if generators.workers:
        host, _, port = generators.bind.rpartition(":")
        command += ["--master", "--expect-workers", str(generators.workers)]
        command += ["--expect-workers-max-wait", f"{wait_s:g}"]
        return [*command, "--master-bind-host", host.strip("[]"), "--master-bind-port", port]
    if generators.processes > 1:
        port = str(_free_port())
        command += ["--processes", str(generators.processes), "--master-bind-host", _LOOPBACK]
        return [*command, "--master-bind-port", port, "--master-port", port]
    return command


def _free_port() -> int:
    """A port that nobody listens on now; workers that are forked cannot be told a later one."""
    with socket.socket() as found:
        found.bind((_LOOPBACK, 0))
        port: int = found.getsockname()[1]
    return port


def surroundings(host: str, folder: Path) -> dict[str, str]:
    """Return the environment of the process; the address stands in it, as it may hold a secret."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(_NOT_HANDED_ON)}
    told = {
        files.PROFILE: "profile.json",
        files.RECORD: "record.json",
        files.STATUS: "status.json",
    }
    return {**kept, **{k: str(folder / name) for k, name in told.items()}, "LOCUST_HOST": host}


class Running:
    """A process that runs, and the group that it leads."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self._process = process
        self._log = log

    @property
    def status(self) -> int | None:
        """Its exit status; None while it runs."""
        # It is not reaped, so that its group stays its own.
        how = os.WEXITED | os.WNOHANG | os.WNOWAIT
        ended = os.waitid(os.P_PID, self._process.pid, how)
        if ended is None:
            return None
        if ended.si_code == os.CLD_EXITED:
            return ended.si_status
        return 128 + ended.si_status

    def said(self) -> str:
        """The last error that it told, else its last line; without secrets."""
        with self._log.open("rb") as file:
            file.seek(max(0, self._log.stat().st_size - _MOST_OF_LOG))
            text = file.read(_MOST_OF_LOG).decode("utf-8", "replace")
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        errors = [line for line in lines if _ERROR.search(line)]
        last = [*lines[-1:], *errors[-1:]][-1:]
        return cap(hide(last[0]), _MOST_OF_LINE) if last else "nothing"

    def how_it_ended(self) -> str:
        """In words, with the last that it said."""
        status = self.status
        if status is not None and status > 128:
            with suppress(ValueError):
                return f"locust was ended by {signal.Signals(status - 128).name}"
        return f"locust ended with status {status} and said last: {self.said()}"


@contextmanager
def running(
    command: list[str], folder: Path, environment: Mapping[str, str], root: Path
) -> Iterator[Running]:
    """Run it meanwhile; at the end it is ended with all that it started."""
    log = folder / "locust.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["sh", "-c", _LIFELINE, "sh", *command],
            cwd=root,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    one = Running(process, log)
    try:
        yield one
    finally:
        _end(process, one)


def _end(process: subprocess.Popen[bytes], one: Running) -> None:
    with suppress(ProcessLookupError, PermissionError):
        if one.status is None:
            os.killpg(process.pid, signal.SIGTERM)
            patience = time.monotonic() + _GRACE_S
            while one.status is None and time.monotonic() < patience:
                time.sleep(_TICK_S)
        os.killpg(process.pid, signal.SIGKILL)
    if process.stdin is not None:
        process.stdin.close()
    process.wait()
