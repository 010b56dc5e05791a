"""The target of PAS, started as a rehearsal starts it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from pytest_rollout.targets.launch import launch
from pytest_rollout.targets.reference import Fault, Setting

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Pas:
    """A running target."""

    folder: Path
    stub: httpx.Client
    full: httpx.Client
    plms: httpx.Client

    def passes(self, seconds: float) -> None:
        """Let time pass."""
        self.stub.post("/reference/clock", json={"advance_s": seconds}).raise_for_status()

    def operate(self, step: str, **arguments: Any) -> dict[str, Any]:
        """Have the operator do a step; what came of it."""
        done = self.stub.post(f"/reference/operator/{step}", json=arguments)
        done.raise_for_status()
        result: dict[str, Any] = done.json()["result"]
        return result


@contextmanager
def serving(
    folder: Path, begin: str = "2025-12-08T14:00:00+00:00", fault: str = ""
) -> Iterator[Pas]:
    """A target from a moment on; it ends with the block."""
    planted = Fault.parse(fault) if fault else None
    served = launch(
        "fixtures.pas:app", Setting(folder, datetime.fromisoformat(begin), planted), ROOT
    )
    try:
        written = [
            (folder / f"etc/{name}.url").read_text("utf-8").strip() for name in ("full", "plms")
        ]
        clients = [httpx.Client(base_url=url, timeout=20) for url in (served.url, *written)]
        yield Pas(folder, *clients)
        for client in clients:
            client.close()
    finally:
        served.stop()
