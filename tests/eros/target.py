"""The reference target of EROS in the process of a test, on a clock of its own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient

from fixtures.eros import app
from pytest_rollout.targets.reference import Fault, Setting

BEGIN = datetime.fromisoformat("2026-01-05T10:00:00+00:00")


class Eros:
    """What a test asks of the target."""

    def __init__(self, client: TestClient, folder: Path) -> None:
        self.client = client
        self.folder = folder
        self.begun: dict[str, str] = {}  # when phases began

    def get(self, path: str, **query: str) -> Any:
        """The JSON of an address."""
        answer = self.client.get(path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, expect: int = 200, **body: Any) -> Any:
        """The JSON that a POST is answered with."""
        answer: httpx.Response = self.client.post(path, json=body)
        assert answer.status_code == expect, answer.text
        return answer.json()

    def operate(self, step: str, **arguments: Any) -> Any:
        """The result of a step of the operator."""
        return self.post(f"/reference/operator/{step}", **arguments)["result"]

    def flags(self, **texts: str) -> Any:
        """Set flags, named without EROS_V5_."""
        return self.post("/flags", **{f"EROS_V5_{name}": text for name, text in texts.items()})

    def runs(self, **query: str) -> list[dict[str, Any]]:
        """The runs of the journal."""
        found: list[dict[str, Any]] = self.get("/runs", **query)["runs"]
        return found

    def serve(self, count: int, **told: Any) -> list[dict[str, Any]]:
        """Have alexia's next runs of v5 come out as told; the answers."""
        entry = {"creator": "alexia", "v5": told}
        answers: list[dict[str, Any]] = self.operate("runs", runs=[entry] * count)["answers"]
        return answers

    def inbox(self) -> list[dict[str, Any]]:
        """What was received."""
        lines = (self.folder / "inbox.jsonl").read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines]

    def logged(self, logger: str, event: str) -> list[dict[str, Any]]:
        """What a logger wrote."""
        path = self.folder / f"logs/eros.{logger}.jsonl"
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        return [entry for entry in map(json.loads, lines) if entry["event"] == event]


@contextmanager
def serving(folder: Path, fault: str = "", begin: datetime = BEGIN) -> Iterator[Eros]:
    """A target with a fault, or without one."""
    setting = Setting(folder, begin, Fault.parse(fault) if fault else None)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in setting.to_environ().items():
            patch.setenv(name, value)
        application = app()
    with TestClient(application) as client:  # type: ignore[arg-type]
        yield Eros(client, folder)


def later(text: str, **time: float) -> str:
    """A time that much later."""
    moment = datetime.fromisoformat(text) + timedelta(**time)
    return moment.isoformat().replace("+00:00", "Z")
