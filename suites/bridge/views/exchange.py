"""Some agents in a thread who post and read, with each answer as it came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import httpx

from suites.bridge.views.service import Agent, Bridge


@dataclass
class Exchange:
    """A thread, its agents, and the numbers of what was accepted."""

    thread: str
    agents: Sequence[Agent]
    accepted: list[int] = field(default_factory=list)  # the number of each message, by post
    cursors: dict[int, str] = field(default_factory=dict)

    @classmethod
    def begun(cls, bridge: Bridge, name: str, agents: int, **labels: object) -> Exchange:
        """A new thread with so many agents, who are executors."""
        crew = [bridge.agent(f"suite-{name}-{number:02}", "executor") for number in range(agents)]
        others = [agent.name for agent in crew[1:]]
        return cls(crew[0].opened(name, others, **labels), crew)

    @property
    def path(self) -> str:
        """The address of its messages."""
        return f"/v1/threads/{self.thread}/messages"

    def post(
        self, agent: int, text: str, key: str = "", request_id: str = "", **more: object
    ) -> httpx.Response:
        """What a post is answered; it wakes nobody unless told to."""
        given = {"Idempotency-Key": key, "X-Request-Id": request_id}
        headers = {name: value for name, value in given.items() if value}
        body = {"text": text, "wake": False, **more}
        return self.agents[agent].ask("POST", self.path, body, headers=headers)

    def read(self, agent: int, cursor: str = "", limit: int = 200) -> httpx.Response:
        """What a read is answered."""
        params = {"cursor": cursor, "limit": str(limit)}
        return self.agents[agent].ask("GET", self.path, params=params)

    def sequence(self, agent: int) -> list[int]:
        """The numbers of the messages after what this agent read last; none where it fails."""
        answer = self.read(agent, self.cursors.get(agent, ""))
        if not answer.is_success:
            return []
        said = answer.json()
        self.cursors[agent] = said["next_cursor"]
        return [message["seq"] for message in said["messages"]]

    def history(self, agent: int = 0) -> list[dict[str, object]]:
        """Every message, by pages from the beginning; raises where a page fails."""
        messages: list[dict[str, object]] = []
        cursor = ""
        while True:
            said = self.read(agent, cursor).raise_for_status().json()
            messages += said["messages"]
            if not said["has_more"]:
                return messages
            cursor = said["next_cursor"]
