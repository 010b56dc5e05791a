"""Locust as a process: its command, its surroundings, and what it says of its end."""

from __future__ import annotations

import os
import re
import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path

from pytest_rollout.load import files
from pytest_rollout.load.tied_process import Tied
from pytest_rollout.model.load import LoadProfile
from pytest_rollout.redact import cap

STOP_S = 15.0  # for requests under way at the end: locust waits for them, and then ends its users
READY_S = 30.0  # how long the begin waits for users who prepare themselves
GRACE_S = 3.0  # between asking it to end and ending it
_MOST_OF_LINE = 300
_LOOPBACK = "127.0.0.1"
_ERROR = re.compile(r"\b(ERROR|CRITICAL|[A-Za-z]*Error|[A-Za-z]*Exception)\b")
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
    with socket.socket() as probe:
        probe.bind((_LOOPBACK, 0))
        port: int = probe.getsockname()[1]
    return port


def surroundings(host: str, folder: Path) -> dict[str, str]:
    """Return the environment of the process; the address stands in it, as it may hold a secret."""
    handed_on = {k: v for k, v in os.environ.items() if not k.startswith(_NOT_HANDED_ON)}
    names = {
        files.PROFILE: files.PROFILE_FILE,
        files.RECORD: files.RECORD_FILE,
        files.STATUS: files.STATUS_FILE,
    }
    return {
        **handed_on,
        **{k: str(folder / name) for k, name in names.items()},
        "LOCUST_HOST": host,
    }


def said_last(locust: Tied) -> str:
    """Return the last error that it told, else its last line."""
    lines = locust.said()
    last = [*lines[-1:], *(line for line in lines if _ERROR.search(line))][-1:]
    return cap(last[0], _MOST_OF_LINE) if last else "nothing"


def how_it_ended(locust: Tied) -> str:
    """Return in words how it ended, with the last that it said."""
    status = locust.status
    if status is not None and status > 128:
        with suppress(ValueError):
            return f"locust was ended by {signal.Signals(status - 128).name}"
    return f"locust ended with status {status} and said last: {said_last(locust)}"
