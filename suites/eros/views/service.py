"""Asking the service: one function an address, and every field in words where it lacks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cached_property
from typing import Any

import httpx

from pytest_rollout import Reported, reported


def stamp(moment: datetime) -> str:
    """A moment as a query takes it."""
    return moment.isoformat().replace("+00:00", "Z")


class Service:
    """An EROS as its clients see it (docs/reference/plans/eros-api.md)."""

    def __init__(self, client: httpx.Client) -> None:
        self.client = client

    def get(self, path: str, **query: object) -> Reported:
        """What an address answers; nothing is raised before a field is read."""
        params = {
            name: stamp(value) if isinstance(value, datetime) else str(value)
            for name, value in query.items()
            if value is not None
        }
        return reported(self.client.get(path, params=params))

    def post(self, path: str, body: Mapping[str, object], *, any_status: bool = False) -> Reported:
        """What an address answers to a body of JSON."""
        return reported(self.client.post(path, json=dict(body)), any_status=any_status)

    @cached_property
    def roster(self) -> tuple[Reported, ...]:
        """The creators that are registered, as they were when first asked for."""
        return self.get("/creators").each("creators")

    @property
    def names(self) -> list[str]:
        """The names on the roster."""
        return [creator.text("name") for creator in self.roster]

    def decide(
        self, creators: Iterable[str], flags: Mapping[str, str] | None = None
    ) -> tuple[Reported, tuple[Reported, ...]]:
        """What the router would do: the whole answer, and the decision for each creator."""
        body: dict[str, Any] = {"creators": list(creators)}
        if flags is not None:
            body["flags"] = dict(flags)
        answer = self.post("/decide", body)
        return answer, answer.each("decisions")

    def set_flags(self, **flags: str | None) -> Reported:
        """Set flags as an environment does; the rest stays."""
        named = {f"EROS_V5_{name.upper()}": value for name, value in flags.items()}
        return self.post("/flags", {**named, "by": "the suite", "reason": "a trial"})

    def generate(self, creator: str, request_id: str | None = None) -> httpx.Response:
        """The response to a request for a schedule, whatever its status."""
        asked = {"request_id": request_id} if request_id else {}
        return self.client.post("/generate", json={"creator": creator, **asked})


def unrefused(response: httpx.Response, status: int) -> str:
    """What is wrong with a refusal; empty: it has its status, and says why."""
    if response.status_code != status:
        return f"answered with {response.status_code}, not {status}"
    said = reported(response, any_status=True).get("error")
    return "" if isinstance(said, str) and len(said.split()) > 1 else "refused without a word why"
