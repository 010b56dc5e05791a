"""Every operation that the bridge says it has, with a request of the right form for each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import httpx

from pytest_rollout import reported
from suites.bridge.views.said import not_done
from suites.bridge.views.service import Agent, Bridge

BODIES: Mapping[str, object] = {  # of a request that is of the right form, by the end of its path
    "/v1/threads": {"title": "probe"},
    "/participants": {"agent": "suite-probe"},
    "/messages": {"text": "probe"},
    "/recipients": {"from": "suite-ann"},
    "/read-mark": {"seq": 0},
    "/status": {"state": "blocked", "reason": "probe"},
    "/override-close": {"reason": "human_override: probe"},
    "/close": {"reason": "probe"},
    "/policy": {"wake_mode": "hybrid", "reason": "probe"},
    "/override": {"reason": "probe"},
    "/handle": {"note": "probe"},
    "/assign": {"agent": "suite-ann", "task": "probe"},
    "/handover": {"agent": "suite-ann"},
    "/retention": {"messages_after_days": None, "action": "archive"},
    "/filters": {"rules": []},
    "/sweep": {},
}


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation as OpenAPI names it."""

    name: str
    method: str
    path: str  # with parts in braces

    @property
    def only_reads(self) -> bool:
        """Whether its method says that it only reads."""
        return self.method == "GET"

    @property
    def streams(self) -> bool:
        """Whether its answer does not end."""
        return self.path.endswith("/stream")

    def at(self, thread: str) -> str:
        """Its address, with a thread filled in, and unknown names for the other parts."""
        path = self.path
        while "{" in path:
            before, _, rest = path.partition("{")
            part, _, after = rest.partition("}")
            is_thread = before.endswith("/threads/")
            path = before + (thread if is_thread else f"suite-no-{part.replace('_', '-')}") + after
        return path

    @property
    def body(self) -> object:
        """A body of the right form; None where it takes none."""
        if self.method in ("GET", "DELETE"):
            return None
        return next((body for end, body in BODIES.items() if self.path.endswith(end)), {})

    def ask(
        self, agent: Agent, thread: str, params: Mapping[str, str] | None = None
    ) -> httpx.Response:
        """The response to it about a thread."""
        return agent.ask(self.method, self.at(thread), self.body, params=params)


def operations(bridge: Bridge) -> list[Operation]:
    """Every operation below /v1; raises NoValueError where there are fewer than eight."""
    said = reported(bridge.client.get("/openapi.json")).inner("paths")
    listed = [
        Operation(str(told.get("operationId")), method.upper(), path)
        for path, methods in said.items()
        if path.startswith("/v1/")
        for method, told in methods.items()
        if method in ("get", "post", "put", "delete", "patch")
    ]
    if len(listed) < 8:
        not_done(f"OpenAPI names {len(listed)} operations", "let it name all of /v1")
    return listed


def asked_before_it_is_read(operation: Operation) -> bool:
    """Whether an answer to it can be waited for."""
    return not operation.streams
