"""The reference target of the bridge in the process of a test, on a clock of its own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from fixtures.bridge import app
from pytest_rollout.targets.reference import AsgiApp, Fault, Setting

BEGIN = datetime.fromisoformat("2026-01-05T10:00:00+00:00")
ROLES = {"rev": "reviewer", "co": "coordinator", "op": "operator", "rd": "reader"}


class Bridge:
    """What a test asks of the target; agents are executors, but for those of ROLES."""

    def __init__(self, runner: asyncio.Runner, application: AsgiApp, folder: Path) -> None:
        self._runner = runner
        self._application = application
        self._tokens: dict[str, str] = {}
        self.folder = folder
        self.secret = (folder / "etc/issuer.secret").read_text(encoding="utf-8").strip()

    def ask(self, method: str, path: str, **request: Any) -> httpx.Response:
        """What the application answers."""
        return self.together([(method, path, request)])[0]

    def together(self, requests: list[tuple[str, str, dict[str, Any]]]) -> list[httpx.Response]:
        """What the application answers to requests at the same time."""

        async def asked() -> list[httpx.Response]:
            transport = httpx.ASGITransport(app=self._application)
            async with httpx.AsyncClient(transport=transport, base_url="http://bridge") as client:
                sent = (client.request(method, path, **more) for method, path, more in requests)
                return await asyncio.gather(*sent)

        return self._runner.run(asked())

    def token(self, agent: str, **wanted: Any) -> str:
        """A token, with claims as they are wanted."""
        body = {"agent": agent, "role": ROLES.get(agent, "executor"), **wanted}
        secret = {"Authorization": f"Bearer {self.secret}"}
        answer = self.ask("POST", "/issuer/tokens", json=body, headers=secret)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["token"])

    def bearer(self, agent: str) -> dict[str, str]:
        """The header of an agent."""
        if agent not in self._tokens:
            self._tokens[agent] = self.token(agent)
        return {"Authorization": f"Bearer {self._tokens[agent]}"}

    def do(
        self, agent: str, method: str, path: str, body: Any = None, key: str = "", **headers: str
    ) -> httpx.Response:
        """What an agent is answered."""
        said = {**self.bearer(agent), **headers}
        if key:
            said["Idempotency-Key"] = key
        more: dict[str, Any] = {"json": body} if body is not None else {}
        return self.ask(method, f"/v1{path}", headers=said, **more)

    def thread(self, *participants: Any, by: str = "ex", **more: Any) -> str:
        """A new thread."""
        body = {"participants": list(participants), **more}
        answer = self.do(by, "POST", "/threads", body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def post(self, agent: str, thread: str, text: str = "hello", **more: Any) -> httpx.Response:
        """The answer to a post; ``key`` is its key."""
        key = more.pop("key", "")
        return self.do(agent, "POST", f"/threads/{thread}/messages", {"text": text, **more}, key)

    def read(self, agent: str, thread: str, cursor: str = "", limit: int = 50) -> Any:
        """The JSON of a page of messages."""
        query = f"?cursor={cursor}&limit={limit}"
        return self.do(agent, "GET", f"/threads/{thread}/messages{query}").json()

    def state(self, thread: str) -> Any:
        """A thread as an operator sees it."""
        return self.do("op", "GET", f"/threads/{thread}").json()

    def events(self, thread: str) -> list[dict[str, Any]]:
        """The audit log of a thread."""
        listed = self.do("op", "GET", f"/threads/{thread}/audit?limit=200").json()["events"]
        return list(listed)

    def operate(self, step: str, **arguments: Any) -> Any:
        """The result of a step of the operator."""
        answer = self.ask("POST", f"/reference/operator/{step}", json=arguments)
        assert answer.status_code == 200, answer.text
        return answer.json()["result"]

    def wait(self, seconds: float) -> None:
        """Let time pass on the target's clock."""
        assert self.ask("POST", "/reference/clock", json={"advance_s": seconds}).status_code == 200

    def metrics(self) -> dict[str, float]:
        """The samples of the metrics, by name and labels."""
        lines = self.ask("GET", "/metrics").text.splitlines()
        samples = (line.rpartition(" ") for line in lines if not line.startswith("#"))
        return {name: float(value) for name, _, value in samples}

    def logged(self, event: str, file: str = "bridge") -> list[dict[str, Any]]:
        """The lines of a log about an event."""
        lines = (self.folder / f"logs/{file}.jsonl").read_text(encoding="utf-8").splitlines()
        return [entry for entry in map(json.loads, lines) if entry["event"] == event]


@contextmanager
def serving(folder: Path, fault: str = "", begin: datetime = BEGIN) -> Iterator[Bridge]:
    """A target with a fault, or without one."""
    setting = Setting(folder, begin, Fault.parse(fault) if fault else None)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in setting.to_environ().items():
            patch.setenv(name, value)
        application = app()
    with asyncio.Runner() as runner:
        try:
            yield Bridge(runner, application, folder)
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
