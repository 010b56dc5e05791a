"""Asking a service: an answer with its status, every field in words where it lacks."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import httpx

from pytest_rollout import Reported, reported


def stamp(moment: datetime) -> str:
    """A moment as a query takes it."""
    return moment.isoformat().replace("+00:00", "Z")


class Service:
    """A service as its clients see it (docs/reference/plans/pas-api.md)."""

    def __init__(self, client: httpx.Client) -> None:
        self.client = client

    def get(self, path: str, **query: object) -> Reported:
        """What an address answers; nothing is raised before a field is read."""
        return reported(self.client.get(path, params=asked(query)))

    def post(self, path: str, body: Mapping[str, object], *, any_status: bool = False) -> Reported:
        """What an address answers to a body of JSON."""
        return reported(self.client.post(path, json=dict(body)), any_status=any_status)


def asked(query: Mapping[str, object]) -> dict[str, str]:
    """A query without what is not asked, times as services take them."""
    return {
        name: stamp(value) if isinstance(value, datetime) else str(value)
        for name, value in query.items()
        if value is not None
    }
