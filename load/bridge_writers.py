"""Writers of one thread, who post one after the other, as many at a time as there are users.

    BRIDGE_SECRET=etc/issuer.secret locust -f load/bridge_writers.py -u 32 --headless --host http://…

The numbers that they are told must be new, and rise for each writer.
"""

from __future__ import annotations

import random
from itertools import count
from threading import Lock
from typing import ClassVar

import httpx
from locust import task
from locust.env import Environment

from load.bridge import AGENTS, BridgeUser
from load.mixing import Body, Headers, MixUser, new_key

_OPENING = Lock()
_WRITERS = count()


class Writer(MixUser):
    """One of those who write to the thread of all."""

    thread = ""  # of all writers of this process
    told: ClassVar[set[int]] = set()  # the numbers that they were told

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self.agent = AGENTS[next(_WRITERS) % len(AGENTS)]
        self.last = 0

    def on_start(self) -> None:
        """Open the thread of all, and have a token."""
        host = str(self.host)
        with _OPENING:
            BridgeUser.known(host, self.agent)
            if not Writer.thread:
                body = {"title": "writers", "participants": list(AGENTS[1:])}
                headers = {"Authorization": f"Bearer {BridgeUser.known(host, AGENTS[0])}"}
                url = f"{host}/v1/threads"
                answer = httpx.post(url, json=body, headers=headers, timeout=20).raise_for_status()
                Writer.thread = answer.json()["id"]

    @task
    def write(self) -> None:
        """Post, and look at the number."""

        def wrong(body: Body, _: Headers) -> str:
            seq = body["seq"]
            if seq in self.told:
                return "two messages got one number"
            rises, self.last = seq > self.last, seq
            self.told.add(seq)
            return "" if rises else "the number fell"

        body: Body = {"text": " ".join(["load"] * random.randint(1, 60)), "wake": False}
        token = BridgeUser.known(str(self.host), self.agent)
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": new_key()}
        path = f"/v1/threads/{self.thread}/messages"
        self.ask("write", "POST", path, wrong, 201, json=body, headers=headers)
