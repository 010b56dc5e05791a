"""A mix for the bridge: messages and their replays, readers with cursors, wake-ups.

    BRIDGE_SECRET=etc/issuer.secret locust -f load/bridge.py --headless --host http://127.0.0.1:6300

What it asks is what docs/reference/plans/bridge-api.md says. Its agents get their tokens from
the issuer, outside of the load; there are so many that none of them posts faster than the rate
guard allows.
"""

from __future__ import annotations

import json
import os
import random
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import ClassVar

from locust import task

from load.mixing import Body, Headers, Kept, MixUser, new_key

AGENTS = tuple(f"load-{number:02}" for number in range(1, 41))
_PAGE = 50
_TIMEOUT_S = 10
_LIFETIME_S = 12 * 3600
_ASKING = Lock()
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True, slots=True)
class Thread:
    """A thread, and who was in it from the beginning."""

    id: str
    members: tuple[str, ...]


@dataclass(slots=True)
class Reader:
    """Who reads a thread: how far, by the cursor and by the number of the last message."""

    thread: Thread
    cursor: str = ""
    seq: int = 0


@dataclass(frozen=True, slots=True)
class Posted:
    """A message that was accepted."""

    thread: Thread
    sender: str
    key: str
    body: Body
    id: str
    seq: int


class BridgeUser(MixUser):
    """Agents that write to each other, and wake each other."""

    threads: Kept[Thread] = Kept(40)
    readers: Kept[Reader] = Kept()
    posted: Kept[Posted] = Kept()
    tokens: ClassVar[dict[str, str]] = {}  # asked for once each, outside of the load

    @task(6)
    def open(self) -> None:
        """Open a thread."""
        members = tuple(random.sample(AGENTS, 3))
        body = {"title": "load", "participants": list(members[1:])}
        headers = self._as(members[0], new_key())
        answer = self.ask("open", "POST", "/v1/threads", _no_id, 201, json=body, headers=headers)
        if answer is not None:
            thread = Thread(answer["id"], members)
            self.threads.add(thread)
            self.readers.add(Reader(thread))

    @task(24)
    def post(self) -> None:
        """Post a message to all, which wakes nobody."""
        self._posted("post", {"wake": False})

    @task(8)
    def wake(self) -> None:
        """Post a message that wakes its readers."""
        self._posted("wake", {})

    @task(8)
    def replay(self) -> None:
        """Post a message again with its key, as a client does whose answer got lost."""
        made = self.posted.any()
        if made is None:
            self.post()
            return

        def wrong(body: Body, headers: Headers) -> str:
            same = body["id"] == made.id and body["seq"] == made.seq
            if same and headers.get("Idempotent-Replay", "").lower() != "true":
                return "a replay does not say that it is one"
            return "" if same else "a key that was used gives another message"

        path, headers = f"/v1/threads/{made.thread.id}/messages", self._as(made.sender, made.key)
        self.ask("replay", "POST", path, wrong, 201, json=made.body, headers=headers)

    @task(34)
    def read(self) -> None:
        """Read on from a cursor: no message is missing, none comes twice."""
        reader = self.readers.take()
        if reader is None:
            self.open()
            return

        def wrong(body: Body, _: Headers) -> str:
            seqs = [message["seq"] for message in body["messages"]]
            if seqs != list(range(reader.seq + 1, reader.seq + 1 + len(seqs))):
                return "messages are missing, or come twice"
            if not seqs and reader.cursor and body["next_cursor"] != reader.cursor:
                return "the cursor moved over nothing"
            reader.seq, reader.cursor = reader.seq + len(seqs), body["next_cursor"]
            return ""

        path = f"/v1/threads/{reader.thread.id}/messages?cursor={reader.cursor}&limit={_PAGE}"
        self.ask("read", "GET", path, wrong, headers=self._as(reader.thread.members[1]))
        self.readers.add(reader)

    @task(10)
    def triggers(self) -> None:
        """Look at what woke whom: nobody is woken twice by a message."""
        thread = self.threads.any()
        if thread is None:
            self.open()
            return

        def wrong(body: Body, _: Headers) -> str:
            woken = [(row["message_id"], row["recipient"]) for row in body["triggers"]]
            return "" if len(set(woken)) == len(woken) else "a message woke somebody twice"

        headers = self._as(thread.members[0])
        self.ask("triggers", "GET", f"/v1/threads/{thread.id}/triggers", wrong, headers=headers)

    @task(4)
    def join(self) -> None:
        """Add the last one of a thread once more, who then is there once."""
        thread = self.threads.any()
        if thread is None:
            self.open()
            return
        name = thread.members[-1]

        def wrong(body: Body, _: Headers) -> str:
            members = [member["agent"] for member in body["participants"]]
            return "" if members.count(name) == 1 else "who joined is not there once"

        path, headers = f"/v1/threads/{thread.id}/participants", self._as(thread.members[0])
        self.ask("join", "POST", path, wrong, json={"agent": name}, headers=headers)

    @task(6)
    def health(self) -> None:
        """Probe the service, as a balancer does."""
        self.ask("health", "GET", "/health")

    def _posted(self, name: str, more: Body) -> None:
        thread, key = self.threads.any(), new_key()
        if thread is None:
            self.open()
            return
        words = " ".join(["load"] * random.randint(1, 60))
        sender, body = random.choice(thread.members), {"schema_version": 1, "text": words, **more}
        path, headers = f"/v1/threads/{thread.id}/messages", self._as(sender, key)
        answer = self.ask(name, "POST", path, _no_id, 201, json=body, headers=headers)
        if answer is not None:
            self.posted.add(Posted(thread, sender, key, body, answer["id"], answer["seq"]))

    def _as(self, agent: str, key: str = "") -> dict[str, str]:
        """The headers of an agent's request, with a key where it changes something."""
        keyed = {"Idempotency-Key": key} if key else {}
        return {"Authorization": f"Bearer {self.known(str(self.host), agent)}", **keyed}

    @classmethod
    def known(cls, host: str, agent: str) -> str:
        """The token of an agent, asked for once."""
        if agent not in cls.tokens:
            cls.tokens[agent] = _token(host, agent)
        return cls.tokens[agent]

    def on_start(self) -> None:
        """Ask for all tokens, before the first arrival."""
        with _ASKING:
            for agent in AGENTS:
                self.known(str(self.host), agent)


def _token(host: str, agent: str) -> str:
    """A token of the issuer; ``BRIDGE_SECRET`` is the file with the secret."""
    secret = Path(os.environ["BRIDGE_SECRET"]).read_text(encoding="utf-8").strip()
    body = {"agent": agent, "role": "executor", "ttl_s": _LIFETIME_S}
    request = urllib.request.Request(
        f"{host.rstrip('/')}/issuer/tokens",
        json.dumps(body).encode(),
        {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"},
    )
    with _DIRECT.open(request, timeout=_TIMEOUT_S) as answer:
        return str(json.load(answer)["token"])


def _no_id(body: Body, headers: Headers) -> str:
    if headers.get("Idempotent-Replay", "").lower() == "true":
        return "a new key is answered as a replay"
    return "" if body["id"] else "the answer has no id"
