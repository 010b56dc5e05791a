"""The scripted operator of a reference target: steps by name, and what was done when."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from inspect import isawaitable
from typing import TYPE_CHECKING, Any

from pytest_rollout.targets.clock import Clock
from pytest_rollout.targets.reference import AsgiApp, Receive, Scope, Send

if TYPE_CHECKING:
    import httpx

Json = dict[str, Any]
Step = Callable[[Mapping[str, Any]], Awaitable[Json | None] | Json | None]


async def _nobody(scope: Scope, receive: Receive, send: Send) -> None:
    raise RuntimeError("the target is not served yet")


class Operator:
    """Does steps of the plan, at the target's time, and notes what was done when.

    ``app`` is the target's own interface, for steps that ask it as people would.
    """

    def __init__(self, clock: Clock, app: AsgiApp = _nobody) -> None:
        self.app = app
        self._clock = clock
        self._done: list[Json] = []
        self._steps: dict[str, Step] = {}

    def learn(self, name: str, step: Step) -> None:
        """Take on a step: a function of the step's arguments, that returns its result.

        It raises ValueError where an argument is missing or of the wrong kind.
        """
        self._steps[name] = step

    def knows(self, step: str) -> bool:
        """Return whether there is a step of that name."""
        return step in self._steps

    async def perform(self, step: str, arguments: Mapping[str, Any]) -> Json:
        """Do a step: what was done since the last one, and what came of it."""
        result = self._steps[step](arguments)
        if isawaitable(result):
            result = await result
        done, self._done = self._done, []
        return {"actions": done, "result": result or {}}

    def note(self, kind: str, text: str) -> None:
        """Note a change or an action, at the time that the clock shows."""
        self._done.append({"at": self._clock.now().isoformat(), "kind": kind, "what": text})

    async def ask(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, body: Any = None
    ) -> httpx.Response:
        """Ask the target's own interface; raises RuntimeError where it is not served yet."""
        import httpx

        transport = httpx.ASGITransport(app=self.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://target") as client:
            return await client.request(method, path, headers=headers, json=body)
