"""Running the programs around PAS as people and cron do."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from pytest_rollout import NotReportedError, Reported, RolloutError

_WITHIN_S = 30.0
_PATH = "/usr/local/bin:/usr/bin:/bin"


@dataclass(frozen=True, slots=True)
class Done:
    """What came of one call; ``status`` is None where it had to be ended."""

    what: str
    status: int | None
    text: str
    errors: str
    seconds: float

    def demand(self) -> Done:
        """Return this; raises RolloutError where the program failed."""
        if self.status != 0:
            raise RolloutError(self.in_words())
        return self

    def in_words(self) -> str:
        """How it ended and what it said."""
        said = " ".join((self.errors or self.text).split()) or "nothing"
        how = "was ended" if self.status is None else f"ended with {self.status}"
        return f"{self.what} {how} after {self.seconds:.1f} s and said {said:.200}"

    def said(self) -> Reported:
        """The object that it printed."""
        self.demand()
        try:
            printed = json.loads(self.text)
        except ValueError:
            printed = None
        if not isinstance(printed, dict):
            shown = " ".join(self.text.split())[:60]
            raise NotReportedError(f"{self.what} prints no object but {shown!r}")
        return Reported(printed, self.what)


def bare(home: Path, **more: str) -> dict[str, str]:
    """An environment with a home of its own and little else."""
    return {"PATH": os.environ.get("PATH", _PATH), "HOME": str(home), "LANG": "C.UTF-8", **more}


def call(
    what: str,
    *words: str | Path,
    environ: Mapping[str, str],
    folder: Path | None = None,
    given: str = "",
    within: float = _WITHIN_S,
) -> Done:
    """Call a program and wait for its end; all that it started is ended with it where it is late.

    Where it is not there, its status is 127 as a shell says it.
    """
    began = time.monotonic()
    try:
        process = subprocess.Popen(
            [str(word) for word in words],
            env=dict(environ),
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
    except OSError as problem:
        return Done(what, 127, "", str(problem), 0.0)
    try:
        text, errors = process.communicate(given, timeout=within)
        status: int | None = process.returncode
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        text, errors = process.communicate()
        status = None
    return Done(what, status, text, errors, time.monotonic() - began)


def closed_address() -> str:
    """An address on loopback at which nobody listens."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


def accepts(address: str) -> bool:
    """Whether a connection to the host and port of an address is accepted."""
    host, _, port = address.partition("//")[2].partition("/")[0].rpartition(":")
    try:
        with closing(socket.create_connection((host, int(port)), timeout=2)):
            return True
    except OSError:
        return False
