"""A mix for the bridge: messages and their replays, readers with cursors, members, triggers.

    BRIDGE_SECRET=/path/to/issuer.secret locust -f load/bridge.py --headless --host http://127.0.0.1:6300

`BRIDGE_SECRET` is the file with which the issuer gives tokens (docs/bridge-api.md). Forty agents post, so
that the guard against one who posts too much stays quiet. Nobody is woken.
"""

from __future__ import annotations

import os
import random
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import ClassVar

import httpx
from locust import task
from locust.env import Environment

from load.mixing import Body, Headers, Kept, MixUser, new_key

AGENTS = tuple(f"load-{number:02}" for number in range(40))
_PAGE = 50
_TOKEN_S = 7 * 24 * 3600


@dataclass(slots=True)
class Reader:
    """Who reads a thread: how far, by the cursor and by the number of the last message."""

    thread: str
    agent: str
    cursor: str = ""
    seq: int = 0


@dataclass(frozen=True, slots=True)
class Thread:
    """A thread and its members."""

    id: str
    members: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Posted:
    """A message that was accepted."""

    thread: str
    agent: str
    key: str
    body: Body
    id: str
    seq: int


class Tokens:
    """A token for each agent, asked of the issuer before the load begins."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._tokens: dict[str, str] = {}

    def get(self, host: str) -> dict[str, str]:
        """The tokens; whoever asks first fetches them."""
        with self._lock:
            if not self._tokens:
                secret = Path(os.environ["BRIDGE_SECRET"]).read_text(encoding="utf-8").strip()
                headers = {"Authorization": f"Bearer {secret}"}
                with httpx.Client(base_url=host, headers=headers, timeout=20) as client:
                    for agent in AGENTS:
                        body = {"agent": agent, "role": "executor", "ttl_s": _TOKEN_S}
                        said = client.post("/issuer/tokens", json=body).raise_for_status()
                        self._tokens[agent] = said.json()["token"]
        return self._tokens


class AgentUser(MixUser):
    """A user with the tokens of all agents."""

    abstract = True
    known: ClassVar[Tokens] = Tokens()

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self.tokens: dict[str, str] = {}

    def on_start(self) -> None:
        """Get the tokens, before the first arrival."""
        self.tokens = self.known.get(str(self.host))

    def as_(self, agent: str, key: str = "") -> dict[str, str]:
        """The headers of a request by an agent."""
        headers = {"Authorization": f"Bearer {self.tokens[agent]}"}
        return {**headers, "Idempotency-Key": key} if key else headers


class BridgeUser(AgentUser):
    """Agents that write to each other and read what came."""

    threads: Kept[Thread] = Kept(40)
    readers: Kept[Reader] = Kept()
    posted: Kept[Posted] = Kept()

    @task(6)
    def open(self) -> None:
        """Open a thread."""
        first, second = random.sample(AGENTS, 2)
        body: Body = {"title": "load", "participants": [second]}
        headers = self.as_(first, new_key())
        said = self.ask("open", "POST", "/v1/threads", _fresh, 201, json=body, headers=headers)
        if said is not None:
            self.threads.add(Thread(said["id"], (first, second)))
            self.readers.add(Reader(said["id"], second))

    @task(30)
    def post(self) -> None:
        """Post a message."""
        thread, key = self.threads.any(), new_key()
        if thread is None:
            self.open()
            return
        words = " ".join(["load"] * random.randint(1, 60))
        agent, body = random.choice(thread.members), {"text": words, "wake": False}
        path, headers = f"/v1/threads/{thread.id}/messages", self.as_(agent, key)
        said = self.ask("post", "POST", path, _fresh, 201, json=body, headers=headers)
        if said is not None:
            self.posted.add(Posted(thread.id, agent, key, body, said["id"], said["seq"]))

    @task(8)
    def replay(self) -> None:
        """Post a message again with its key, as a client does whose answer got lost."""
        made = self.posted.any()
        if made is None:
            self.post()
            return

        def wrong(body: Body, _: Headers) -> str:
            same = body["id"] == made.id and body["seq"] == made.seq
            return "" if same else "a key that was used gives another message"

        path, headers = f"/v1/threads/{made.thread}/messages", self.as_(made.agent, made.key)
        self.ask("replay", "POST", path, wrong, 201, json=made.body, headers=headers)

    @task(34)
    def read(self) -> None:
        """Read on from a cursor: no message is missing, none comes twice."""
        reader = self.readers.take()
        if reader is None:
            self.open()
            return

        def wrong(body: Body, _: Headers) -> str:
            seen = [message["seq"] for message in body["messages"]]
            if seen != list(range(reader.seq + 1, reader.seq + 1 + len(seen))):
                return "messages are missing, or come twice"
            if not seen and reader.cursor and body["next_cursor"] != reader.cursor:
                return "the cursor moved over nothing"
            reader.seq, reader.cursor = reader.seq + len(seen), body["next_cursor"]
            return ""

        path = f"/v1/threads/{reader.thread}/messages?cursor={reader.cursor}&limit={_PAGE}"
        self.ask("read", "GET", path, wrong, headers=self.as_(reader.agent))
        self.readers.add(reader)

    @task(8)
    def thread(self) -> None:
        """Look at a thread: its members are there, and its count is the number of the last one."""
        thread = self.threads.any()
        if thread is None:
            self.open()
            return

        def wrong(body: Body, _: Headers) -> str:
            agents = [participant["agent"] for participant in body["participants"]]
            if body["messages"] != body["last_seq"]:
                return "it has another count of messages than numbers"
            return "" if set(thread.members) <= set(agents) else "a member is not there"

        headers = self.as_(thread.members[0])
        self.ask("thread", "GET", f"/v1/threads/{thread.id}", wrong, headers=headers)

    @task(4)
    def join(self) -> None:
        """Have an agent join a thread that it is in already: nothing changes."""
        thread = self.threads.any()
        if thread is None:
            self.open()
            return
        first, second = thread.members

        def wrong(body: Body, _: Headers) -> str:
            agents = [participant["agent"] for participant in body["participants"]]
            return "" if agents.count(second) == 1 else "who joined is not there once"

        path, headers = f"/v1/threads/{thread.id}/participants", self.as_(first)
        self.ask("join", "POST", path, wrong, json={"agent": second}, headers=headers)

    @task(4)
    def ready(self) -> None:
        """Probe the service, as a balancer does."""
        self.ask("ready", "GET", "/ready")


def _fresh(body: Body, headers: Headers) -> str:
    if headers.get("Idempotent-Replay", "").lower() == "true":
        return "a new key is answered as a replay"
    return "" if body["id"] else "the answer has no id"


