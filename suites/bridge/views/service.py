"""Asking the bridge: agents with tokens of their own, and every field in words where it lacks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx

from pytest_rollout import Reported, RolloutError, Stage, reported

LIFETIME_S = 12 * 3600  # of a token that the suite works with
PAGE = 200
MOST_PAGES = 400
SECRET_WORD = "tungsten-otter"  # stands in a thread that strangers must not learn of


def stamp(moment: datetime) -> str:
    """A moment as a query takes it."""
    return moment.isoformat().replace("+00:00", "Z")


@dataclass(slots=True)
class Agent:
    """Somebody with a token, who speaks the API (docs/reference/plans/bridge-api.md)."""

    client: httpx.Client
    name: str
    role: str
    token: str

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        key: str | None = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """The response to a request, whatever its status."""
        sent = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        if key is not None:
            sent["Idempotency-Key"] = key
        more: dict[str, Any] = {} if body is None else {"json": body}
        return self.client.request(
            method, path, params=dict(params or {}), headers={**sent, **(headers or {})}, **more
        )

    def get(self, path: str, **query: object) -> Reported:
        """What an address answers; nothing is raised before a field is read."""
        params = {
            name: stamp(value) if isinstance(value, datetime) else str(value)
            for name, value in query.items()
            if value is not None
        }
        return reported(self.ask("GET", path, params=params))

    def post(self, path: str, body: object, key: str | None = None) -> Reported:
        """What an address answers to a body of JSON."""
        return reported(self.ask("POST", path, body, key=key))

    def opened(self, title: str = "a trial", members: Iterable[object] = (), **more: object) -> str:
        """The id of a new thread with these members."""
        body = {"title": title, "participants": list(members), **more}
        return self.post("/v1/threads", body).text("id")

    def thread(self, thread: str) -> Reported:
        """A thread as it stands."""
        return self.get(f"/v1/threads/{thread}")

    def members(self, thread: str) -> list[str]:
        """Who is in a thread, in the order of joining."""
        return [member.text("agent") for member in self.thread(thread).each("participants")]

    def add(self, thread: str, agent: str, **more: object) -> httpx.Response:
        """The response to adding somebody."""
        return self.ask("POST", f"/v1/threads/{thread}/participants", {"agent": agent, **more})

    def remove(self, thread: str, agent: str) -> httpx.Response:
        """The response to removing somebody."""
        return self.ask("DELETE", f"/v1/threads/{thread}/participants/{agent}")

    def send(
        self, thread: str, text: str, key: str | None = None, **fields: object
    ) -> httpx.Response:
        """The response to a message."""
        return self.ask("POST", f"/v1/threads/{thread}/messages", {"text": text, **fields}, key=key)

    def posted(self, thread: str, text: str, key: str | None = None, **fields: object) -> Reported:
        """A message that was accepted."""
        return reported(self.send(thread, text, key, **fields))

    def page(self, thread: str, cursor: str = "", limit: int | None = None) -> Reported:
        """A page of messages."""
        return self.get(f"/v1/threads/{thread}/messages", cursor=cursor or None, limit=limit)

    def read(self, thread: str, limit: int = PAGE) -> list[Reported]:
        """All messages of a thread that it may read, from the beginning."""
        return self.all(f"/v1/threads/{thread}/messages", "messages", limit)

    def audit(self, thread: str) -> list[Reported]:
        """All audit events of a thread."""
        return self.all(f"/v1/threads/{thread}/audit", "events")

    def all(
        self, path: str, name: str, limit: int | None = PAGE, **query: object
    ) -> list[Reported]:
        """What stands on all pages of a list."""
        rows: list[Reported] = []
        cursor = ""
        for _ in range(MOST_PAGES):
            said = self.get(path, cursor=cursor or None, limit=limit, **query)
            rows += said.each(name)
            if not said.each(name) or said.get("has_more") is False:
                return rows
            before, cursor = cursor, said.text("next_cursor")
            if cursor == before:
                return rows
        raise RolloutError(f"GET {path} has no end after {MOST_PAGES} pages of {limit}")

    def change(self, thread: str, state: str, reason: str = "a trial") -> httpx.Response:
        """The response to a change of state."""
        body = {"state": state, "reason": reason}
        return self.ask("POST", f"/v1/threads/{thread}/status", body)

    def triggers(self, thread: str) -> tuple[Reported, ...]:
        """The triggers of a thread."""
        return self.get(f"/v1/threads/{thread}/triggers").each("triggers")


@dataclass(slots=True)
class Bridge:
    """A bridge, and the issuer that gives tokens for it."""

    client: httpx.Client
    secret: str
    _known: dict[tuple[str, str], Agent] = field(default_factory=dict)

    @classmethod
    def of(cls, phase: Stage) -> Bridge:
        """The bridge that a phase is about; raises RolloutError where there is no secret."""
        path = phase.file("secret")
        if not path.is_file():
            raise RolloutError(f"there is no secret of the issuer at {path.name}")
        return cls(phase.target("bridge").client, path.read_text(encoding="utf-8").strip())

    def token(self, agent: str, role: str = "executor", **more: object) -> str:
        """A token of the issuer; ``more`` as it takes it (ttl_s, workspace, claims, drop, sub)."""
        body = {"agent": agent, "role": role, "ttl_s": LIFETIME_S, **more}
        headers = {"Authorization": f"Bearer {self.secret}"}
        return reported(self.client.post("/issuer/tokens", json=body, headers=headers)).text(
            "token"
        )

    def agent(self, name: str, role: str = "executor") -> Agent:
        """An agent with a token of its own, asked for once."""
        place = (name, role)
        if place not in self._known:
            self._known[place] = Agent(self.client, name, role, self.token(name, role))
        return self._known[place]

    def with_token(self, token: str, name: str = "suite-someone") -> Agent:
        """Somebody who comes with any token; an empty one is none."""
        return Agent(self.client, name, "", token)

    @property
    def operator(self) -> Agent:
        """The suite as an operator, who may read all threads."""
        return self.agent("suite-operator", "operator")

    @property
    def workspace(self) -> str:
        """The one workspace that is served."""
        return reported(self.client.get("/version")).text("workspace")

    def metric(self, name: str, **labels: str) -> float:
        """The sum of a metric's samples that carry these labels, 0 where there is none."""
        total = 0.0
        for line in self.client.get("/metrics").text.splitlines():
            if line.startswith("#") or not line.strip():
                continue
            series, _, value = line.rpartition(" ")
            if series.partition("{")[0] != name:
                continue
            if all(f'{label}="{wanted}"' in series for label, wanted in labels.items()):
                total += float(value)
        return total


def private(bridge: Bridge) -> tuple[Agent, str]:
    """Somebody's thread with a word in it that nobody else may see."""
    ann = bridge.agent("suite-ann")
    thread = ann.opened(SECRET_WORD, ["suite-bob"])
    ann.posted(thread, f"{SECRET_WORD} inside")
    return ann, thread
