"""PLMS whose answers are other ones: a field is absent, odd, or has another name.

`PLMS_ANSWERS` is a JSON list of changes, as `{"at": "/portfolio/status", "field": "lanes.*.name"}`
with `"put": VALUE`, `"move": "load.now"` or neither, which takes the field away; or with `whole`
for another answer. `at` is how an address ends.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any

from fixtures.plms import app as plms
from fixtures.plms import grafana as grafana
from pytest_rollout.targets.reference import AsgiApp, Receive, Scope, Send

VARIABLE = "PLMS_ANSWERS"


def app() -> AsgiApp:
    """The application with the changes that the environment asks for."""
    changes = json.loads(os.environ.get(VARIABLE, "[]"))
    inner = plms()

    async def changed(scope: Scope, receive: Receive, send: Send) -> None:
        path = str(scope.get("path", ""))
        mine = [change for change in changes if path.endswith(change["at"])]
        if mine:
            send = _changing(send, mine)
        await inner(scope, receive, send)

    return changed


def _changing(send: Send, changes: list[dict[str, Any]]) -> Send:
    held: list[MutableMapping[str, Any]] = []

    async def sending(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            held.append(message)
            return
        body = message["body"]
        assert not message.get("more_body"), "the answer comes in one piece"
        for change in changes:
            body = _with(body, change)
        (start,) = held
        lengths = [b"content-length"]
        kept = [pair for pair in start["headers"] if pair[0].lower() not in lengths]
        start["headers"] = [*kept, (b"content-length", str(len(body)).encode())]
        await send(start)
        await send({**message, "body": body})

    return sending


def _with(body: bytes, change: Mapping[str, Any]) -> bytes:
    if "whole" in change:
        return str(change["whole"]).encode()
    data = json.loads(body)
    *outer, name = change["field"].split(".")
    for holder in _holders(data, outer):
        if name not in holder:
            continue
        value = holder.pop(name)
        if "put" in change:
            holder[name] = change["put"]
        elif "move" in change:
            _move(holder, change["move"].split("."), value, change.get("times", 1))
    return json.dumps(data).encode()


def _holders(data: Any, outer: list[str]) -> Iterator[dict[str, Any]]:
    if not outer:
        if isinstance(data, dict):
            yield data
        return
    first, rest = outer[0], outer[1:]
    inner = data if first == "*" else [data.get(first)] if isinstance(data, dict) else []
    for one in inner:
        yield from _holders(one, rest)


def _move(holder: dict[str, Any], to: list[str], value: Any, times: float) -> None:
    for name in to[:-1]:
        holder = holder.setdefault(name, {})
    holder[to[-1]] = value * times if times != 1 and value is not None else value
