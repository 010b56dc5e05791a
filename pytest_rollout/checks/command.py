"""Running a command: bounded in time and output, ended with all that it started."""

from __future__ import annotations

import os
import re
import selectors
import signal
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO

from pytest_rollout.checks.answer import MOST_BYTES, Answer, kept
from pytest_rollout.model.check import Check
from pytest_rollout.model.errors import RolloutError

# A step that fails, also within a pipe, fails the whole.
_SHELL = ("bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c")
_NOT_STARTED = (126, 127)  # what a shell answers for a command that it cannot start
_ALWAYS = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR")
_GRACE_S = 1.0  # between asking a command to end and ending it
_TICK_S = 0.02
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def run(check: Check, root: Path, given: Mapping[str, str]) -> Answer:
    """Run a check's command; ``given`` are the variables that say where its targets are.

    Raises RolloutError where it cannot start.
    """
    environment = {**_inherited(check), **given}
    argv = [*_SHELL, check.text] if not check.argv else _filled(check.argv, environment)
    folder = root / check.cwd
    try:
        process = subprocess.Popen(
            argv,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        raise RolloutError(_not_started(argv[0], folder, error)) from None
    limit_s = check.timeout_us / 1_000_000
    with process:
        try:
            out, err, ended = _read(process, time.monotonic() + limit_s)
        finally:
            _end(process)
    said = {"stdout": kept(out), "stderr": kept(err)}
    return Answer(process.returncode, said, trouble=_trouble(check, process, limit_s, ended=ended))


def _inherited(check: Check) -> dict[str, str]:
    if check.env is None:
        return dict(os.environ)
    unset = [name for name in check.env if name not in os.environ]
    if unset:
        raise RolloutError(f"the environment variable {unset[0]} is not set (env: of the check)")
    return {name: os.environ[name] for name in (*_ALWAYS, *check.env) if name in os.environ}


def _filled(argv: tuple[str, ...], environment: Mapping[str, str]) -> list[str]:
    """The words with their ${VARIABLES}, each of which stays within its word."""

    def value(match: re.Match[str]) -> str:
        if match[1] not in environment:
            raise RolloutError(f"the environment variable {match[1]} is not set")
        return environment[match[1]]

    return [_VARIABLE.sub(value, word) for word in argv]


def _not_started(program: str, folder: Path, error: OSError | ValueError) -> str:
    if not folder.is_dir():
        return f"the command cannot start: there is no folder {folder.name}"
    why = error.strerror if isinstance(error, OSError) else str(error)
    return f"the command cannot start: {program}: {why}"


def _trouble(check: Check, process: subprocess.Popen[bytes], limit_s: float, *, ended: bool) -> str:
    if not ended:
        return f"the command did not end within {limit_s:g} s"
    status = process.returncode
    if status < 0:
        return f"the command was ended by {signal.Signals(-status).name}"
    if not check.argv and status in _NOT_STARTED and status not in check.expect.status:
        return f"the shell could not start a command (exit status {status})"
    return ""


def _read(process: subprocess.Popen[bytes], deadline: float) -> tuple[bytes, bytes, bool]:
    """Its output until it ends or its time is over, the start of it kept; whether it ended."""
    assert process.stdout is not None
    assert process.stderr is not None
    pipes = {process.stdout: bytearray(), process.stderr: bytearray()}
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
    out, err = pipes.values()
    return bytes(out), bytes(err), ended


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
        buffer = next(buffer for one, buffer in pipes.items() if one is pipe)
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
