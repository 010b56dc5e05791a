"""What a reference target needs: the setting its harness gives it, and its identity.

A reference target is an ordinary ASGI application. The harness starts it as a
subprocess with a :class:`Setting` in one environment variable; started by hand without
one it serves from the working directory, on the wall clock, without a fault.
"""

from __future__ import annotations

import json
import os
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.fault import Fault as Fault  # part of the contract

SETTING_VARIABLE = "ROLLOUT_TARGET"
IDENTITY_HEADER = "rollout-reference-target"

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Setting:
    """Where a reference target keeps its files, when its clock starts, what ails it."""

    folder: Path
    now: datetime
    fault: Fault | None = None

    @classmethod
    def from_environ(cls, environ: Mapping[str, str] | None = None) -> Setting:
        """The setting that the harness passed, or the one for a start by hand.

        Without ``environ`` it is read from this process's; as a default help() would show that.
        """
        text = (os.environ if environ is None else environ).get(SETTING_VARIABLE)
        if text is None:
            return cls(Path.cwd(), datetime.now(UTC))
        data = json.loads(text)
        fault = data.get("fault")
        return cls(
            folder=Path(data["folder"]),
            now=datetime.fromisoformat(data["now"]),
            fault=Fault.parse(fault) if fault else None,
        )

    def to_environ(self) -> dict[str, str]:
        """The environment variable that :meth:`from_environ` reads."""
        data = {"folder": str(self.folder), "now": self.now.isoformat()}
        if self.fault is not None:
            data["fault"] = str(self.fault)
        return {SETTING_VARIABLE: json.dumps(data)}


def identified(app: AsgiApp, name: str) -> AsgiApp:
    """Wrap an application so that every answer says: this is a reference target.

    ``name`` is what the identity header carries. Evidence from a target that identifies
    itself never satisfies a gate of another environment.
    """
    header = (IDENTITY_HEADER.encode(), name.encode())

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_identified(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), header]
            await send(message)

        await app(scope, receive, send_identified)

    return wrapped
