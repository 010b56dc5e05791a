"""Whether callers meet a disturbance now, for each case of a runbook."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

import httpx

from pytest_rollout import RolloutError, Stage
from suites.bridge.views.exchange import Exchange
from suites.bridge.views.service import Bridge

_SOON_S = 0.5  # a post that takes longer waits for a lock
FLOOD = 10  # more escalations than that


@dataclass
class Effects:
    """Callers of the suite, who try what the disturbances disturb."""

    phase: Stage
    bridge: Bridge
    exchange: Exchange
    since: datetime
    posted: int = 0

    @classmethod
    def of(cls, phase: Stage) -> Effects:
        """Callers with a thread of their own, before anything is disturbed."""
        bridge = Bridge.of(phase)
        exchange = Exchange.begun(bridge, "drills", 2)
        for name, role in (("drills-rev", "reviewer"), ("drills-boss", "coordinator")):
            bridge.agent(name, role)
            exchange.agents[0].add(exchange.thread, name)
        bridge.operator.thread(exchange.thread)  # so that everybody has a token by now
        return cls(phase, bridge, exchange, phase.target("bridge").clock.now())

    def mark(self) -> None:
        """What happened before this moment does not count."""
        clock = self.phase.target("bridge").clock
        clock.advance(1)
        self.since = clock.now()

    def met(self, case: str) -> bool:
        """Whether a caller meets it now."""
        ways: Mapping[str, Callable[[], bool]] = {
            "service-unavailable": self._unavailable,
            "storage-contention": self._contended,
            "delivery-delay": self._delayed,
            "authz-misconfiguration": self._denied,
            "token-issuer-outage": self._no_tokens,
            "escalation-flood": self._flooded,
            "wake-trigger-failure": lambda: self._triggers("failed", "fallback_spawned"),
            "unmanaged-runtime": lambda: self._triggers("unmanaged"),
            "collision-timeout": lambda: self._triggers("human-input", polling=True),
        }
        return ways[case]()

    def _unavailable(self) -> bool:
        return self.bridge.operator.ask("GET", "/v1/threads").status_code >= 500

    def _contended(self) -> bool:
        agent = self.exchange.agents[0]
        headers = {"Authorization": f"Bearer {agent.token}"}
        body = {"text": "is there a lock?", "wake": False}
        try:
            answer = agent.client.post(
                self.exchange.path, json=body, headers=headers, timeout=_SOON_S
            )
        except httpx.TimeoutException:
            return True
        return answer.status_code >= 500

    def _delayed(self) -> bool:
        """Whether another agent cannot read a message once its post was answered."""
        self.exchange.sequence(1)
        self.posted += 1
        answer = self.exchange.post(0, f"is it late? {self.posted}")
        if not answer.is_success:
            return False
        return answer.json()["seq"] not in self.exchange.sequence(1)

    def _denied(self) -> bool:
        """Whether somebody is denied what the role may do."""
        thread, path = f"/v1/threads/{self.exchange.thread}", self.exchange.path
        crew = [
            self.exchange.agents[0],
            self.bridge.agent("drills-rev", "reviewer"),
            self.bridge.agent("drills-boss", "coordinator"),
        ]
        statuses = []
        for agent in crew:
            statuses += [
                agent.ask("GET", thread).status_code,
                agent.ask("GET", path).status_code,
                agent.ask("POST", path, {"text": "may I?", "wake": False}).status_code,
                agent.ask("POST", "/v1/threads", {"title": "may I?"}).status_code,
                agent.ask("GET", f"{thread}/audit").status_code,
            ]
        return 403 in statuses

    def _no_tokens(self) -> bool:
        try:
            self.bridge.token("drills-new")
        except RolloutError:
            return True
        return False

    def _flooded(self) -> bool:
        since = self.since
        told = self.bridge.operator.get("/v1/escalations", since=since).each("escalations")
        return sum(escalation.moment("at") >= since for escalation in told) > FLOOD

    def _triggers(self, *words: str, polling: bool = False) -> bool:
        """Whether a trigger since the mark ended in one of these ways."""
        told = self.bridge.operator.get("/v1/triggers", since=self.since).each("triggers")
        return any(
            (trigger.get("result") in words or trigger.get("reason") in words)
            and (not polling or trigger.get("path") == "polling")
            for trigger in told
            if trigger.moment("posted_at") >= self.since
        )
