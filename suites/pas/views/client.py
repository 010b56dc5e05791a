"""The terminal client as people run it: a process with a home of its own."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_rollout import NotReportedError, Reported

_TIMEOUT_S = 30.0
_KEPT = ("PATH", "LANG", "LC_ALL", "SYSTEMROOT")


@dataclass(frozen=True, slots=True)
class Ran:
    """A program that ended."""

    words: str
    status: int
    out: str
    err: str

    @property
    def said(self) -> str:
        """The status and the end of what it printed, for a reason."""
        printed = (self.err or self.out).strip()[-300:]
        return f"{self.words} ended with {self.status}: {printed or 'nothing was printed'}"

    @property
    def told(self) -> Reported:
        """The object that it printed; raises NotReportedError where that is none."""
        try:
            printed = json.loads(self.out)
        except ValueError:
            printed = None
        if not isinstance(printed, dict):
            raise NotReportedError(
                f"{self.words} printed no JSON object: {self.out.strip()[:200]!r}"
            )
        return Reported(printed, self.words)

    def demand(self) -> Ran:
        """Itself; raises AssertionError where it did not end with 0."""
        assert self.status == 0, self.said
        return self


def environ(home: Path, **more: str) -> dict[str, str]:
    """The environment of a program: little of ours, and a home of its own."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return {**kept, "HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1", **more}


def run(
    command: Sequence[str], env: Mapping[str, str], cwd: Path, words: str = "", timeout: float = 0
) -> Ran:
    """Run a program to its end, without a terminal; the status is -1 where it never ended."""
    said = words or " ".join(command)
    try:
        done = subprocess.run(
            command, env=dict(env), cwd=cwd, capture_output=True, text=True, check=False,
            stdin=subprocess.DEVNULL, timeout=timeout or _TIMEOUT_S,
        )  # fmt: skip
    except subprocess.TimeoutExpired as late:
        return Ran(said, -1, _text(late.stdout), f"did not end within {late.timeout:.0f} s")
    return Ran(said, done.returncode, done.stdout, done.stderr)


def _text(printed: str | bytes | None) -> str:
    return printed.decode(errors="replace") if isinstance(printed, bytes) else printed or ""


@dataclass(frozen=True, slots=True)
class Vp:
    """The client in a home, told where the services are."""

    program: Path
    python: Path
    home: Path
    cwd: Path  # where people stand when they type
    env: Mapping[str, str]

    def run(self, *words: str, **env: str) -> Ran:
        """Type a command."""
        typed = "vp " + " ".join(words)
        command = [str(self.python), str(self.program), *words]
        return run(command, {**environ(self.home), **self.env, **env}, self.cwd, typed)

    def json(self, *words: str) -> Reported:
        """What a command says with --json; raises AssertionError where it fails."""
        return self.run(*words, "--json").demand().told

    @property
    def state_file(self) -> Path:
        """Where the state is kept."""
        return self.home / ".vp" / "state.json"

    def state(self) -> Reported:
        """The state; raises NotReportedError where there is none that can be read."""
        try:
            state: Any = json.loads(self.state_file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise NotReportedError(f"~/.vp/state.json cannot be read: {error}") from error
        if not isinstance(state, dict):
            raise NotReportedError(f"~/.vp/state.json holds {state!r:.60}, not an object")
        return Reported(state, "~/.vp/state.json")


def python_of(checkout: Path) -> Path:
    """The Python of a checkout."""
    return checkout / ".venv" / "bin" / "python"


def free_port() -> int:
    """A loopback port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    return port


def listens(port: int) -> bool:
    """Whether somebody takes connections on a loopback port."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0
