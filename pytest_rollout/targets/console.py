"""The console of a reference target: its clock and its operator, under /reference."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from pytest_rollout.model.errors import RolloutError
from pytest_rollout.targets.operator import Operator
from pytest_rollout.targets.reference import AsgiApp, Receive, Scope, Send
from pytest_rollout.targets.reference_clock import ReferenceClock

_CLOCK = "/reference/clock"
_STEPS = "/reference/operator/"


class _RefusedError(Exception):
    """Why a request is not carried out, with the HTTP status that says so."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


def with_console(app: AsgiApp, clock: ReferenceClock, operator: Operator) -> AsgiApp:
    """Return an application that also answers for the clock and for the operator."""

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        clock.catch_up()
        path = scope["path"]
        if path == _CLOCK or path.startswith(_STEPS):
            status, body = await _answer(scope["method"], path, receive, clock, operator)
            await _send_json(send, status, body)
        else:
            await app(scope, receive, send)

    return wrapped


async def _answer(
    method: str, path: str, receive: Receive, clock: ReferenceClock, operator: Operator
) -> tuple[int, Mapping[str, Any]]:
    try:
        if path == _CLOCK:
            if method == "POST":
                _move(clock, await _json_object(receive))
            elif method != "GET":
                raise _RefusedError(405, "the clock is read by GET and moved by POST")
            return 200, {"now": _iso(clock.now())}
        if method != "POST":
            raise _RefusedError(405, "a step is asked for by POST")
        step = path.removeprefix(_STEPS)
        if not operator.knows(step):
            raise _RefusedError(404, f"the operator knows no step {step}")
        return 200, await operator.perform(step, await _json_object(receive))
    except _RefusedError as refused:
        return refused.status, {"detail": str(refused)}
    except (ValueError, OverflowError) as problem:
        return 400, {"detail": str(problem)}
    except RolloutError as problem:  # as a program that the step needs
        return 501, {"detail": str(problem)}


def _move(clock: ReferenceClock, body: Mapping[str, Any]) -> None:
    match body:
        case {"advance_s": int() | float() as seconds} if _is_step(body, seconds):
            clock.advance(seconds)
        case {"to": str(text)} if len(body) == 1:
            moment = datetime.fromisoformat(text)
            if moment.utcoffset() is not None and moment < clock.now():
                raise _RefusedError(400, f"the clock is at {_iso(clock.now())} and never goes back")
            clock.to(moment)
        case _:
            raise _RefusedError(400, "the body must say advance_s (seconds) or to (ISO 8601)")


def _is_step(body: Mapping[str, Any], seconds: float) -> bool:
    return len(body) == 1 and not isinstance(seconds, bool) and seconds >= 0


async def _json_object(receive: Receive) -> dict[str, Any]:
    content, more = b"", True
    while more:
        message = await receive()
        content += message.get("body", b"")
        more = message.get("more_body", False)
    try:
        body = json.loads(content)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise _RefusedError(400, "the body must be a JSON object")
    return body


async def _send_json(send: Send, status: int, body: Mapping[str, Any]) -> None:
    content = json.dumps(body).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(content))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()
