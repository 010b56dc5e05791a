"""The reference target of EROS in the process of a test, on a clock of its own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from fixtures.eros import app
from pytest_rollout.targets.reference import AsgiApp, Fault, Setting

BEGIN = datetime.fromisoformat("2026-01-05T10:00:00+00:00")


class Eros:
    """What a test asks of the target."""

    def __init__(self, runner: asyncio.Runner, application: AsgiApp, folder: Path) -> None:
        self._runner = runner
        self._application = application
        self.folder = folder
        self.begun: dict[str, str] = {}  # when phases began

    def ask(self, method: str, path: str, **request: Any) -> httpx.Response:
        """What the application answers."""

        async def asked() -> httpx.Response:
            transport = httpx.ASGITransport(app=self._application)
            async with httpx.AsyncClient(transport=transport, base_url="http://eros") as client:
                return await client.request(method, path, **request)

        return self._runner.run(asked())

    def get(self, path: str, **query: str) -> Any:
        """The JSON of an address."""
        answer = self.ask("GET", path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, expect: int = 200, **body: Any) -> Any:
        """The JSON that a POST is answered with."""
        answer = self.ask("POST", path, json=body)
        assert answer.status_code == expect, answer.text
        return answer.json()

    def operate(self, step: str, **arguments: Any) -> Any:
        """The result of a step of the operator."""
        return self.post(f"/reference/operator/{step}", **arguments)["result"]

    def flags(self, **texts: str) -> Any:
        """Set flags, named without EROS_V5_."""
        named: dict[str, Any] = {f"EROS_V5_{name}": text for name, text in texts.items()}
        return self.post("/flags", **named)

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
    with asyncio.Runner() as runner:
        try:
            yield Eros(runner, application, folder)
        finally:
            runner.run(_ended(application))


async def _ended(application: AsgiApp) -> None:
    """Let the application start, and end, as a server does."""
    messages = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]

    async def receive() -> dict[str, str]:
        return messages.pop(0)

    async def send(_: MutableMapping[str, Any]) -> None:
        pass

    await application({"type": "lifespan", "state": {}}, receive, send)


def later(text: str, **time: float) -> str:
    """A time that much later."""
    moment = datetime.fromisoformat(text) + timedelta(**time)
    return moment.isoformat().replace("+00:00", "Z")
