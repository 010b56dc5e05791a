"""Processes that are tied to this one: they end with it, whatever ends it, and in time."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from pytest_rollout.redact import hide

_TICK_S = 0.05
_MOST_OF_LOG = 65_536
# The shell becomes the program; what it leaves behind asks the program to end, and later ends its
# whole group, once this process closes its end of the pipe, or dies.
_TIED = (
    "exec 3<&0 </dev/null; grace=$1; shift; "
    '(cat <&3; kill "$$"; sleep "$grace"; kill -KILL 0) >/dev/null 2>&1 & '
    'exec 3<&- "$@"'
)


class Tied:
    """A process that runs, leads a group, and writes what it says into a file."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self._process = process
        self._log = log

    @property
    def status(self) -> int | None:
        """Its exit status, 128 and the number of the signal that ended it; None while it runs."""
        # It is not reaped, so that its group stays its own.
        how = os.WEXITED | os.WNOHANG | os.WNOWAIT
        ended = os.waitid(os.P_PID, self._process.pid, how)
        if ended is None:
            return None
        return ended.si_status + (0 if ended.si_code == os.CLD_EXITED else 128)

    def wait(self, most_s: float = float("inf")) -> int | None:
        """Wait until it has ended, or so long; return its status."""
        until = time.monotonic() + most_s
        while self.status is None and time.monotonic() < until:
            time.sleep(_TICK_S)
        return self.status

    def said(self) -> list[str]:
        """The last lines that it said, those with something in them, without secrets."""
        with self._log.open("rb") as file:
            file.seek(max(0, self._log.stat().st_size - _MOST_OF_LOG))
            text = hide(file.read(_MOST_OF_LOG).decode("utf-8", "replace"))
        return [line.strip() for line in text.splitlines() if line.strip()]


@contextmanager
def tied(
    command: Sequence[str],
    cwd: Path,
    environment: Mapping[str, str],
    log: Path,
    grace_s: float,
) -> Iterator[Tied]:
    """Run a program meanwhile; at the end it is asked to end, and ended with all it started."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["sh", "-c", _TIED, "sh", f"{grace_s:g}", *command],
            cwd=cwd,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    program = Tied(process, log)
    try:
        yield program
    finally:
        with suppress(ProcessLookupError, PermissionError):
            if program.status is None:
                process.send_signal(signal.SIGTERM)
                program.wait(grace_s)
            os.killpg(process.pid, signal.SIGKILL)
        if process.stdin is not None:
            process.stdin.close()
        process.wait()
