"""Running a program: without a terminal, bounded in time and output, ended with all it started."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from pytest_rollout.late_dataclass import dataclass

MOST_BYTES = 1_000_000  # of what it says; what is longer is cut
# A step that fails, also within a pipe, fails the whole.
SHELL = ("bash", "--noprofile", "--norc", "-e", "-o", "pipefail")
_GRACE_S = 1.0  # between asking a program to end and ending it
_TICK_S = 0.02


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended, and the start of what it said; ``trouble`` says why it did not end."""

    status: int
    out: bytes
    err: bytes
    trouble: str = ""


def run_bounded(
    argv: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    limit_s: float,
    *,
    stdin: int = subprocess.DEVNULL,
    together: bool = False,
) -> Ended:
    """Run a program to its end, or to the end of its time; ``together``: errors go to ``out``.

    Raises OSError or ValueError where it cannot start.
    """
    process = subprocess.Popen(
        argv,
        cwd=folder,
        env=environment,
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT if together else subprocess.PIPE,
        start_new_session=True,
    )
    with process:
        try:
            out, err, ended = _read(process, time.monotonic() + limit_s)
        finally:
            _end(process)
    return Ended(process.returncode, out, err, _trouble(process.returncode, limit_s, ended=ended))


def _trouble(status: int, limit_s: float, *, ended: bool) -> str:
    if not ended:
        return f"the command did not end within {limit_s:g} s"
    if status < 0:
        return f"the command was ended by {signal.Signals(-status).name}"
    return ""


def _read(process: subprocess.Popen[bytes], deadline: float) -> tuple[bytes, bytes, bool]:
    """Its output until it ends or its time is over, the start of it kept; whether it ended."""
    pipes = {pipe: bytearray() for pipe in (process.stdout, process.stderr) if pipe is not None}
    with selectors.DefaultSelector() as selector:
        for pipe in pipes:
            os.set_blocking(pipe.fileno(), False)
            selector.register(pipe, selectors.EVENT_READ)
        ended = False
        while not ended and time.monotonic() < deadline:
            _take(selector, pipes)
            ended = _has_ended(process)
        while _take(selector, pipes, wait_s=0) and time.monotonic() < deadline:
            continue
    out, err = [*map(bytes, pipes.values()), b""][:2]
    return out, err, ended


def _take(
    selector: selectors.BaseSelector, pipes: dict[IO[bytes], bytearray], wait_s: float = _TICK_S
) -> bool:
    """Take what is there; False where nothing was."""
    if not selector.get_map():
        time.sleep(wait_s / 10)
        return False
    ready = selector.select(wait_s)
    for key, _ in ready:
        pipe = key.fileobj
        assert not isinstance(pipe, int)
        data = os.read(key.fd, 65_536)
        if not data:
            selector.unregister(pipe)
        buffer = next(buffer for open_pipe, buffer in pipes.items() if open_pipe is pipe)
        buffer += data[: MOST_BYTES + 1 - len(buffer)]
    return bool(ready)


def _has_ended(process: subprocess.Popen[bytes]) -> bool:
    """Whether it ended; it is not reaped, so that its group stays its own."""
    flags = os.WEXITED | os.WNOHANG | os.WNOWAIT
    return os.waitid(os.P_PID, process.pid, flags) is not None


def _end(process: subprocess.Popen[bytes]) -> None:
    """End what is left of its group, whose id is its own as long as it is not reaped."""
    with suppress(ProcessLookupError, PermissionError):
        if not _has_ended(process):
            os.killpg(process.pid, signal.SIGTERM)
            patience = time.monotonic() + _GRACE_S
            while not _has_ended(process) and time.monotonic() < patience:
                time.sleep(_TICK_S)
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
