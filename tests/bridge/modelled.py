"""A bridge that is served for a test, and a thread of it as a model has it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import httpx

from pytest_rollout.targets.launch import launch
from pytest_rollout.targets.reference import Fault, Setting

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 1, 5, 10, tzinfo=UTC)
EDGES = {"active": ("blocked", "closed"), "blocked": ("active", "closed"), "closed": ()}


@dataclass(frozen=True)
class Site:
    """A bridge that is served, and the tokens of agents."""

    client: httpx.Client
    secret: str
    tokens: dict[str, str] = field(default_factory=dict)

    def ask(
        self, agent: str, method: str, path: str, body: object = None, key: str = ""
    ) -> httpx.Response:
        """What an agent is answered; a coordinator, who may do most things."""
        if agent not in self.tokens:
            asked = {"agent": agent, "role": "coordinator", "ttl_s": 36_000}
            headers = {"Authorization": f"Bearer {self.secret}"}
            answer = self.client.post("/issuer/tokens", json=asked, headers=headers)
            self.tokens[agent] = answer.raise_for_status().json()["token"]
        headers = {"Authorization": f"Bearer {self.tokens[agent]}"}
        headers |= {"Idempotency-Key": key} if key else {}
        return self.client.request(method, path, json=body, headers=headers)


class served:  # noqa: N801 - reads as a sentence in `with`
    """A bridge in a folder, perhaps with a fault."""

    def __init__(self, folder: Path, fault: str = "") -> None:
        setting = Setting(folder / "target", NOW, Fault.parse(fault) if fault else None)
        self._target = launch("fixtures.bridge:app", setting, ROOT)
        self._secret = folder / "target/etc/issuer.secret"

    def __enter__(self) -> Site:
        limits = httpx.Limits(max_connections=40)
        client = httpx.Client(base_url=self._target.url, timeout=20, limits=limits)
        return Site(client, self._secret.read_text(encoding="utf-8").strip())

    def __exit__(self, *_: object) -> None:
        self._target.stop()


@dataclass
class Sent:
    """A message that was accepted, and how it was asked for."""

    sender: str
    text: str
    to: tuple[str, ...] | None
    key: str
    id: str
    seq: int


@dataclass
class Model:
    """A thread as it must be."""

    id: str
    members: list[str]
    state: str = "active"
    sent: list[Sent] = field(default_factory=list)
    cursors: dict[str, str] = field(default_factory=dict)
    seen: dict[str, list[int]] = field(default_factory=dict)

    def visible(self, agent: str) -> list[int]:
        """The numbers of what an agent may read."""
        return [
            one.seq
            for one in sorted(self.sent, key=lambda one: one.seq)
            if one.to is None or agent in (one.sender, *one.to)
        ]
