"""Asking a target over HTTP: bounded in time and size, redirects not followed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from pytest_rollout.checks.answer import MOST_BYTES, Reply, kept
from pytest_rollout.model.check import Check
from pytest_rollout.model.errors import RolloutError
from pytest_rollout.targets.address import filled

if TYPE_CHECKING:
    import httpx

T = TypeVar("T")


def ask(check: Check, client: httpx.Client) -> Reply:
    """What the target answers; raises httpx.TransportError, or RolloutError after its time."""
    body = {"json": jsonable(check.send)} if check.send is not None else {}
    return fetch(check, client, check.text, **body)


def fetch(check: Check, client: httpx.Client, path: str, **rest: Any) -> Reply:
    """The answer to a request with the check's method, headers and time limit."""
    limit_s = check.timeout_us / 1_000_000
    headers = {name: filled(text, check.on[0]) for name, text in check.headers.items()}
    deadline = time.monotonic() + limit_s

    def work() -> Reply:
        with client.stream(
            check.method, path, headers=headers, timeout=limit_s, follow_redirects=False, **rest
        ) as response:
            data = bytearray()
            for chunk in response.iter_bytes(65_536):
                data += chunk
                if len(data) > MOST_BYTES or time.monotonic() > deadline:
                    break
            encoding = response.charset_encoding or "utf-8"
            return Reply(response.status_code, {"body": kept(bytes(data), encoding)})

    return within(limit_s, work)


def within(limit_s: float, work: Callable[[], T]) -> T:
    """The result of some work, which is abandoned after its time.

    A library's own limits are for each read, and a server that drips keeps them waiting.
    """
    import httpx  # tens of milliseconds, for runs that ask a target

    result: list[T] = []
    raised: list[BaseException] = []

    def run() -> None:
        try:
            result.append(work())
        except BaseException as error:  # it is raised where the work is waited for
            raised.append(error)

    thread = threading.Thread(target=run, daemon=True)
    started = time.monotonic()
    thread.start()
    thread.join(limit_s)
    late = thread.is_alive() or time.monotonic() - started > limit_s
    if late or any(isinstance(error, httpx.TimeoutException) for error in raised):
        raise RolloutError(f"no whole answer within {limit_s:g} s")
    if raised:
        raise raised[0]
    return result[0]


def jsonable(value: object) -> object:
    """A value of the plan as the json module writes it."""
    if isinstance(value, Mapping):
        return {name: jsonable(item) for name, item in value.items()}
    if isinstance(value, tuple):
        return [jsonable(item) for item in value]
    return value if value is None or isinstance(value, (bool, int, str)) else float(str(value))
