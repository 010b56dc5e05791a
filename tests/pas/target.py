"""The reference target of PAS served for a test, on a clock that the test moves."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from pytest_rollout.targets.reference import Fault, Setting
from tests.plms.test_prod import free_port, wait_for

ROOT = Path(__file__).parents[2]
BEGIN = datetime.fromisoformat("2025-12-08T15:00:00+00:00")


@dataclass(frozen=True, slots=True)
class Served:
    """A target that answers: its client, and the folder of its files."""

    client: httpx.Client
    folder: Path

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        answer = self.client.post("/reference/clock", json={"advance_s": seconds})
        answer.raise_for_status()

    def operate(self, step: str, **arguments: Any) -> Any:
        """The result of a step of the operator."""
        answer = self.client.post(f"/reference/operator/{step}", json=arguments)
        return answer.raise_for_status().json()["result"]

    def address(self, name: str) -> str:
        """Another address of the target, by the name of its file."""
        return (self.folder / f"etc/{name}.url").read_text(encoding="utf-8").strip()


@contextmanager
def serving(folder: Path, fault: str = "", begin: datetime = BEGIN) -> Iterator[Served]:
    """A target with a fault, or without one, in a process of its own."""
    port = free_port()
    setting = Setting(folder, begin, Fault.parse(fault) if fault else None)
    environ = {**os.environ, "PYTHONPATH": str(ROOT), **setting.to_environ()}
    command = [sys.executable, "-m", "uvicorn", "--factory", "fixtures.pas:app"]
    with (
        folder.joinpath("served.log").open("w") as log,
        subprocess.Popen(
            [*command, "--port", str(port)], cwd=folder, env=environ, stdout=log, stderr=log
        ) as process,
    ):
        url = f"http://127.0.0.1:{port}"
        try:
            wait_for(url)
            with httpx.Client(base_url=url, timeout=20) as client:
                yield Served(client, folder)
        finally:
            process.terminate()
