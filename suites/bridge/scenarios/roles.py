"""Each cell of the table of roles, tried in threads of each state."""

from __future__ import annotations

from dataclasses import dataclass, field

import httpx

from pytest_rollout import Stage, scenario
from suites.bridge.views import oracle
from suites.bridge.views.errors import code
from suites.bridge.views.service import Agent, Bridge

SAID = {"PERMISSION_DENIED": "deny", "FAILED_PRECONDITION": "conflict"}


@dataclass(slots=True)
class Trial:
    """Threads in each state, in which somebody of each role is a member."""

    bridge: Bridge
    threads: dict[str, str] = field(default_factory=dict)
    spares: int = 0

    def agent(self, role: str) -> Agent:
        """Somebody of a role."""
        return self.bridge.agent(f"suite-role-{role}", role)

    def thread(self, state: str) -> str:
        """A thread in a state; a new one where the last one has left it."""
        operator = self.bridge.operator
        known = self.threads.get(state)
        if known:
            return known
        members = [{"agent": f"suite-role-{role}", "role": role} for role in oracle.ROLES]
        thread = operator.opened("roles", members)
        operator.posted(thread, "something to read")
        if state != "active":
            operator.change(thread, state)
        self.threads[state] = thread
        return thread

    def spare(self) -> str:
        """A name that nobody has yet."""
        self.spares += 1
        return f"suite-spare-{self.spares}"

    def ask(self, operation: str, state: str, role: str) -> str:
        """What becomes of an operation: allow, deny, conflict, or what else is answered."""
        answer = self._asked(operation, state, self.agent(role))
        if answer.is_success and operation.startswith(("to ", "override")):
            self.threads.pop(state, None)  # it has left that state
        return "allow" if answer.is_success else SAID.get(code(answer), code(answer))

    def _asked(self, operation: str, state: str, agent: Agent) -> httpx.Response:
        plain: dict[str, tuple[str, str, object]] = {
            "create_thread": ("POST", "/v1/threads", {}),
            "list_threads": ("GET", "/v1/threads", None),
            "get_policy": ("GET", "/v1/policy", None),
            "read_workspace_audit": ("GET", "/v1/audit", None),
        }
        if operation in plain:
            return agent.ask(*plain[operation])
        thread = self.thread(state)
        here = f"/v1/threads/{thread}"
        if operation == "remove_participant":
            return self._removed(thread, state, agent)
        if operation.startswith("to "):
            return agent.change(thread, operation[3:])
        method, path, body = {
            "get_thread": ("GET", "", None),
            "read_messages": ("GET", "/messages", None),
            "preview_recipients": ("POST", "/recipients", {"from": "suite-role-reviewer"}),
            "mark_read": ("POST", "/read-mark", self._mark(agent)),
            "read_audit": ("GET", "/audit", None),
            "add_participant": ("POST", "/participants", {"agent": self.spare()}),
            "post_message": ("POST", "/messages", {"text": "by a role"}),
            "override_close": ("POST", "/override-close", {"reason": "human_override: a trial"}),
        }[operation]
        return agent.ask(method, here + path, body)

    @staticmethod
    def _mark(agent: Agent) -> dict[str, object]:
        return {"seq": 1, "agent": agent.name} if agent.role == "operator" else {"seq": 1}

    def _removed(self, thread: str, state: str, agent: Agent) -> httpx.Response:
        """Remove a spare member, who was added while the state allowed that."""
        spare = self.spare()
        if state == "closed":
            spare = "suite-role-reviewer"  # nobody can be added any more
        else:
            self.bridge.operator.add(thread, spare)
        return agent.remove(thread, spare)


@scenario(effect="change")
def policy_cells(phase: Stage) -> dict[tuple[str, str, str], str]:
    """Of each operation, state and role, what became of the attempt."""
    trial = Trial(Bridge.of(phase))
    return {cell: trial.ask(*cell) for cell in oracle.cells()}
