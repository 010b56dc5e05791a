"""The target of the pipeline as somebody starts it, on a port of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.plms.rehearsal import ROOT
from tests.plms.test_prod import free_port

_PATIENCE_S = 120.0  # it lives through weeks before it answers


@contextmanager
def served(folder: Path, **variables: str) -> Iterator[str]:
    """Its address while the context lasts; ``folder`` is where it keeps its files."""
    port = free_port()
    environ = {**os.environ, "PYTHONPATH": str(ROOT), **variables}
    command = [sys.executable, "-m", "uvicorn", "--factory", "fixtures.pipeline:app"]
    command += ["--port", str(port), "--log-level", "critical"]
    with subprocess.Popen(command, cwd=folder, env=environ) as process:
        try:
            _wait(f"http://127.0.0.1:{port}", process)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + _PATIENCE_S
    while time.monotonic() < until and process.poll() is None:
        try:
            httpx.get(f"{url}/rate_limit", timeout=_PATIENCE_S).raise_for_status()
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError(f"nothing answers at {url}")
