"""Writers of one thread, who post one after the other, as many at a time as there are users.

    BRIDGE_SECRET=/path/to/issuer.secret locust -f load/bridge_writers.py -u 32 --headless --host http://…

The numbers that they are told must be new, and rise for each writer.
"""

from __future__ import annotations

import random
from itertools import count
from threading import Lock

import httpx
from locust import task
from locust.env import Environment

from load.bridge import AGENTS, AgentUser
from load.mixing import Body, Headers, new_key

_OPENING = Lock()
_WRITERS = count()


class Writer(AgentUser):
    """One of those who write to the thread of all."""

    thread = ""
    told: set[int] = set()  # noqa: RUF012 - numbers of this process's writers, all together

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self.agent = AGENTS[next(_WRITERS) % len(AGENTS)]
        self.last = 0

    def on_start(self) -> None:
        """Get the tokens, and open the thread of all."""
        super().on_start()
        with _OPENING:
            if not Writer.thread:
                body = {"title": "writers", "participants": list(AGENTS[1:])}
                url = f"{self.host}/v1/threads"
                headers = self.as_(AGENTS[0], new_key())
                said = httpx.post(url, json=body, headers=headers, timeout=20).raise_for_status()
                Writer.thread = said.json()["id"]

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
        path, headers = f"/v1/threads/{self.thread}/messages", self.as_(self.agent, new_key())
        self.ask("write", "POST", path, wrong, 201, json=body, headers=headers)
