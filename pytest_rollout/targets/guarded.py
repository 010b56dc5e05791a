"""An HTTP client of a real target: it refuses to answer where something else would."""

from __future__ import annotations

import inspect
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import httpcore
import httpx

from pytest_rollout.model.errors import ReferenceTargetError
from pytest_rollout.targets.mocks import mocked
from pytest_rollout.targets.target_client import TargetClient

_ASKING = ("get", "options", "head", "post", "put", "patch", "delete", "request", "stream", "send")
_PLAYERS = ("vcr", "respx", "pytest_httpx", "unittest", "pook", "mocket", "httpretty", "responses")
_CHECKED: tuple[tuple[type, tuple[str, ...]], ...] = (
    (httpx.Client, (*_ASKING, "_send_single_request", "_transport_for_url")),
    (httpx.HTTPTransport, ("handle_request",)),
    (httpcore.ConnectionPool, ("handle_request",)),
)


class GuardedClient(TargetClient):
    """A client whose every use first makes sure that the answers are the target's own.

    ``where`` says what is asked, for messages. Raises ReferenceTargetError where HTTP is mocked:
    a method or transport was put in the place of httpx's own. What only wraps one, as an
    instrumentation does, is let through.
    """

    def __init__(self, where: str, **settings: Any) -> None:
        super().__init__(**settings)
        self._rollout_where = where

    def __getattribute__(self, name: str) -> Any:
        if name in _ASKING:
            held = object.__getattribute__(self, "__dict__")
            why = mocked() or _replaced() or _put_in(held)
            if why and "_rollout_where" in held:
                raise ReferenceTargetError(f"HTTP is mocked ({why}) while asking {held[_WHERE]}")
        return super().__getattribute__(name)


_WHERE = "_rollout_where"


def _replaced() -> str:
    """Return which function of httpx is not its own any more; or empty."""
    for place, names in _CHECKED:
        package = place.__module__.partition(".")[0]
        for name in names:
            if not _own(inspect.getattr_static(place, name), sys.modules[package]):
                return f"{package}.{place.__name__}.{name} was replaced"
    return ""


def _own(function: Any, package: ModuleType) -> bool:
    """Whether a function is a package's own, or wraps it; not where a player of answers does."""
    folder = Path(str(package.__file__)).parent
    while hasattr(function, "__wrapped__"):
        code = getattr(function, "__code__", None)
        if code is not None and any(part in _PLAYERS for part in Path(code.co_filename).parts):
            return False
        function = function.__wrapped__
    code = getattr(function, "__code__", None)
    return code is not None and Path(code.co_filename).is_relative_to(folder)


def _put_in(held: dict[str, Any]) -> str:
    """Return what was put into one client; or empty."""
    own = next((name for name in (*_ASKING, "_send_single_request") if name in held), "")
    if own:
        return f"its method {own} was replaced"
    transports = [held.get("_transport"), *held.get("_mounts", {}).values()]
    replaced = [
        transport
        for transport in transports
        if transport is not None and type(transport) is not httpx.HTTPTransport
    ]
    if replaced:
        return f"a {type(replaced[0]).__name__} was put into its client"
    inner = [
        transport
        for transport in transports
        if transport is not None and "handle_request" in vars(transport)
    ]
    return "a transport of its client was changed" if inner else ""
