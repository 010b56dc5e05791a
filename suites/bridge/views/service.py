"""Asking the service: one function an address, and every field in words where it lacks."""

from __future__ import annotations

import httpx

from pytest_rollout import Reported, reported


class Service:
    """A bridge as its clients see it (docs/bridge-api.md)."""

    def __init__(self, client: httpx.Client) -> None:
        self.client = client

    def get(self, path: str, **query: object) -> Reported:
        """What an address answers; nothing is raised before a field is read."""
        params = {name: str(value) for name, value in query.items() if value is not None}
        return reported(self.client.get(path, params=params))
