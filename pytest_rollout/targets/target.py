"""A target as suites use it: its address, an HTTP client, its clock, its operator."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.errors import ReferenceTargetError, RolloutError
from pytest_rollout.model.requests import ReadingRequest
from pytest_rollout.targets.clock import Clock, SteppedClock, WallClock
from pytest_rollout.targets.reference import IDENTITY_HEADER

if TYPE_CHECKING:
    import httpx

    from pytest_rollout.targets.target_client import Permit

_TIMEOUT_S = 10.0
_STEP_S = 60.0  # a step of the operator may run programs
_IDLE_S = 2.0  # servers close idle connections, some after 5 s, when a request may be on its way


@dataclass(frozen=True, slots=True)
class Action:
    """Something that a scripted operator did."""

    at: datetime
    kind: str  # change or action
    what: str


class LiveTarget:
    """A target that answers HTTP, embedded or real."""

    def __init__(
        self,
        name: str,
        url: str,
        environment: str,
        folder: Path | None = None,
        *,
        permit: Permit | None = None,
        reads: tuple[ReadingRequest, ...] = (),
        heard: Callable[[], None] = lambda: None,
    ) -> None:
        self.name = name
        self.url = url.rstrip("/")
        self.environment = environment
        self.folder = folder  # of a target that we serve
        self._permit = permit  # None: every request may change it, as a step of a rollback
        self._reads = reads
        self._heard = heard  # of each request

    @property
    def embedded(self) -> bool:
        """Whether we serve it."""
        return self.folder is not None

    @cached_property
    def client(self) -> httpx.Client:
        """An HTTP client of the target; refuses reference targets outside `embedded`.

        A request that may change something is sent only where that was declared and is allowed.
        """
        import httpx  # tens of milliseconds, for runs that ask a target

        from pytest_rollout.targets.bounded import bounded
        from pytest_rollout.targets.target_client import TargetClient

        settings: dict[str, Any] = {
            "base_url": self.url,
            "timeout": _TIMEOUT_S,
            "limits": httpx.Limits(max_connections=100, keepalive_expiry=_IDLE_S),
            "permit": self._permit,
            "reads": self._reads,
        }
        hooks: dict[str, list[Any]] = {"request": [lambda request: self._heard()]}
        if self.embedded:
            hooks["response"] = [bounded]
            client = TargetClient(console=True, event_hooks=hooks, **settings)
        else:
            from pytest_rollout.targets.guarded import GuardedClient

            where = f"{self.url}, which is worth nothing in {self.environment}"
            hooks["response"] = [bounded, self._refuse_references]
            client = GuardedClient(where, event_hooks=hooks, **settings)
        client.headers["accept-encoding"] = "gzip, deflate"  # whose size can be bounded
        return client

    @cached_property
    def clock(self) -> Clock:
        """The target's clock: stepped where it has one, else the wall's.

        Where an embedded target fails for it, nobody knows which, and hours are not waited for.
        """
        if not self.embedded:
            return WallClock()
        asked = self.client.get("/reference/clock")
        if asked.is_success:
            return SteppedClock(self.client)
        doubt = f"{asked.url} answered {asked.status_code}"
        return WallClock(doubt if asked.is_server_error else "")

    def operate(self, step: str, **arguments: object) -> tuple[Mapping[str, Any], list[Action]]:
        """Have the scripted operator of a reference target do a step of the plan."""
        path = f"/reference/operator/{step}"
        response = self.client.post(path, json=arguments, timeout=_STEP_S)
        response.raise_for_status()
        try:
            data = response.json()
            actions = [
                Action(datetime.fromisoformat(item["at"]), item["kind"], item["what"])
                for item in data["actions"]
            ]
            return data["result"], actions
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise RolloutError(f"{self.name}: step {step} answered no actions: {error}") from error

    def close(self) -> None:
        """Close the client, if one was made."""
        if "client" in self.__dict__:
            self.client.close()

    def _refuse_references(self, response: httpx.Response) -> None:
        name = response.headers.get(IDENTITY_HEADER)
        if name is not None:
            raise ReferenceTargetError(
                f"{self.url} answers as a reference target ({name}), "
                f"which is worth nothing in {self.environment}"
            )
