"""A mix for Bridge: messages and their replays, readers with cursors, wake-ups.

    locust -f load/bridge.py --headless --host http://127.0.0.1:6300

Until its target exists it is tried on a stand-in, `fixtures.standins.bridge:app`.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from locust import task

from load.mixing import Body, Headers, Kept, MixUser, new_key

AGENTS = ("architect", "executioner", "reviewer", "scribe", "operator")
_PAGE = 50


@dataclass(slots=True)
class Reader:
    """Who reads a thread: how far, by the cursor and by the number of the last message."""

    thread: str
    cursor: str = ""
    seq: int = 0


@dataclass(frozen=True, slots=True)
class Posted:
    """A message that was accepted."""

    thread: str
    key: str
    body: Body
    id: str
    seq: int


class BridgeUser(MixUser):
    """Agents that write to each other, and supervisors that wake them."""

    threads: Kept[str] = Kept(40)
    readers: Kept[Reader] = Kept()
    posted: Kept[Posted] = Kept()

    @task(6)
    def open(self) -> None:
        """Open a thread."""
        body = {"title": "load", "participants": random.sample(AGENTS, 2)}
        headers = {"Idempotency-Key": new_key()}
        said = self.ask("open", "POST", "/v1/threads", _no_id, 201, json=body, headers=headers)
        if said is not None:
            self.threads.add(said["id"])
            self.readers.add(Reader(said["id"]))

    @task(24)
    def post(self) -> None:
        """Post a message."""
        self._posted("post", {})

    @task(8)
    def wake(self) -> None:
        """Post a message that wakes its reader."""
        self._posted("wake", {"wake": random.choice(AGENTS)})

    @task(8)
    def replay(self) -> None:
        """Post a message again with its key, as a client does whose answer got lost."""
        made = self.posted.any()
        if made is None:
            self._posted("post", {})
            return

        def wrong(body: Body, _: Headers) -> str:
            same = body["id"] == made.id and body["seq"] == made.seq
            return "" if same else "a key that was used gives another message"

        path, headers = f"/v1/threads/{made.thread}/messages", {"Idempotency-Key": made.key}
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
        self.ask("read", "GET", path, wrong)
        self.readers.add(reader)

    @task(10)
    def triggers(self) -> None:
        """Look at what woke whom: no message twice."""
        thread = self.threads.any()
        if thread is None:
            self.open()
            return

        def wrong(body: Body, _: Headers) -> str:
            messages = [trigger["message"] for trigger in body["triggers"]]
            return "" if len(set(messages)) == len(messages) else "a message woke twice"

        self.ask("triggers", "GET", f"/v1/threads/{thread}/triggers", wrong)

    @task(4)
    def join(self) -> None:
        """Join a thread, perhaps once more."""
        thread, name = self.threads.any(), random.choice(AGENTS)
        if thread is None:
            self.open()
            return

        def wrong(body: Body, _: Headers) -> str:
            return "" if body["participants"].count(name) == 1 else "who joined is not there once"

        path = f"/v1/threads/{thread}/participants"
        self.ask("join", "POST", path, wrong, json={"participant": name})

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
        body = {"schema_version": 1, "from": random.choice(AGENTS), "text": words, **more}
        path, headers = f"/v1/threads/{thread}/messages", {"Idempotency-Key": key}
        said = self.ask(name, "POST", path, _no_id, 201, json=body, headers=headers)
        if said is not None:
            self.posted.add(Posted(thread, key, body, said["id"], said["seq"]))


def _no_id(body: Body, headers: Headers) -> str:
    if headers.get("Idempotent-Replay", "").lower() == "true":
        return "a new key is answered as a replay"
    return "" if body["id"] else "the answer has no id"
