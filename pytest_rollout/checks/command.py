"""Running the command of a check."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from pytest_rollout.checks.answer import Reply, kept
from pytest_rollout.model.check import Check
from pytest_rollout.model.errors import RolloutError
from pytest_rollout.targets.process import SHELL, run_bounded

_SHELL = (*SHELL, "-c")
_NOT_STARTED = (126, 127)  # what a shell answers for a command that it cannot start
_ALWAYS = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR")
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def run(check: Check, root: Path, given: Mapping[str, str]) -> Reply:
    """Run a check's command; ``given`` are the variables that say where its targets are.

    Raises RolloutError where it cannot start.
    """
    environment = {**_inherited(check), **given}
    argv = [*_SHELL, check.text] if not check.argv else _filled(check.argv, environment)
    folder = root / check.cwd
    limit_s = check.timeout_us / 1_000_000
    try:
        ended = run_bounded(argv, folder, environment, limit_s)
    except (OSError, ValueError) as error:
        raise RolloutError(_not_started(argv[0], folder, error)) from None
    streams = {"stdout": kept(ended.out), "stderr": kept(ended.err)}
    return Reply(ended.status, streams, trouble=ended.trouble or _not_found(check, ended.status))


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


def _not_found(check: Check, status: int) -> str:
    if not check.argv and status in _NOT_STARTED and status not in check.expect.status:
        return f"the shell could not start a command (exit status {status})"
    return ""
