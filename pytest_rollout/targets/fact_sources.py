"""Asking where a fact is read: a page of a target, a command, or a variable."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.errors import RolloutError
from pytest_rollout.model.plan import FactSource
from pytest_rollout.targets.address import filled, variables
from pytest_rollout.targets.process import run_bounded
from pytest_rollout.targets.reference import IDENTITY_HEADER
from pytest_rollout.targets.trouble import last_line, trouble

if TYPE_CHECKING:
    import httpx

_TIMEOUT_S = 10.0
_COMMAND_S = 30.0
_MAX_BYTES = 1_000_000
_LEAST_SECRET = 6  # characters; what is shorter stands in any text

Where = Callable[[str], str]  # the URL of a target by its name; raises RolloutError


@dataclass(frozen=True, slots=True)
class Answer:
    """What was said: by whom, for messages, and the text."""

    who: str
    text: str
    page: bool = False  # whether it says that it is HTML
    reference: str | None = None  # the name of the reference target that answered


@dataclass(frozen=True, slots=True)
class Sent:
    """The headers of a request, and which of their values nobody may see."""

    headers: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)  # a value to how it is written

    @classmethod
    def of(cls, source: FactSource) -> Sent:
        """Fill the variables in; raises RolloutError where one is unset or no header's value."""
        headers, secrets = {}, {}
        for name, value in source.headers.items():
            headers[name] = filled(value, source.target)
            if not (headers[name].isascii() and headers[name].isprintable()):
                raise RolloutError(
                    f"target {source.target}: the value of header {name} holds a line break or "
                    f"another character that no header has ({value})"
                )
            for variable in variables(value):
                secrets[os.environ[variable]] = f"${{{variable}}}"
        worth = {value: shown for value, shown in secrets.items() if len(value) >= _LEAST_SECRET}
        return cls(headers, worth)

    def hidden(self, text: str) -> str:
        """Return a text without the values of variables."""
        for value in sorted(self.secrets, key=len, reverse=True):
            text = text.replace(value, self.secrets[value])
        return text


def ask(source: FactSource, where: Where, folder: Path) -> Answer:
    """Return what a source says now; commands run in ``folder``.

    Raises RolloutError in words, without the values of the headers that are sent.
    """
    if source.command:
        return _printed(source, folder)
    if source.variable:
        value = os.environ.get(source.variable, "")
        if not value.strip():
            raise RolloutError(f"the environment variable {source.variable} is not set")
        return Answer(f"the variable {source.variable}", value)
    sent = Sent.of(source)
    try:
        answer = _asked(source, where(source.target), sent)
    except Exception as error:  # as a host that no resolver takes
        raise RolloutError(sent.hidden(trouble(error))) from None
    if sent.hidden(answer.text) != answer.text:
        why = "holds the value of a header that was sent, which is never stored"
        raise RolloutError(f"{sent.hidden(answer.who)} {why}")
    return replace(answer, who=sent.hidden(answer.who))


def _asked(source: FactSource, url: str, sent: Sent) -> Answer:
    import httpx  # tens of milliseconds, for runs that ask a target

    secure = not url.lower().startswith("http:")  # certificates take long to load
    with httpx.Client(base_url=url, timeout=_TIMEOUT_S, verify=secure) as client:
        response = _get(client, source.path, sent.headers)
    who = str(response.url.copy_with(userinfo=b"", query=None))
    reference = response.headers.get(IDENTITY_HEADER) or None
    if source.header:
        return Answer(who, _of_header(response, source.header, who), reference=reference)
    page = "html" in response.headers.get("content-type", "")
    return Answer(who, response.text, page, reference)


def _of_header(response: httpx.Response, name: str, who: str) -> str:
    values = set(response.headers.get_list(name))
    if not values:
        there = ", ".join(response.headers) or "none"
        raise RolloutError(f"{who} answers without the header {name} (there are: {there})")
    if len(values) > 1:
        raise RolloutError(f"{who} answers the header {name} {len(values)} times, and not the same")
    return values.pop()


def _get(client: httpx.Client, path: str, headers: Mapping[str, str]) -> httpx.Response:
    """An answer, whole and read in time: what drips or never ends is an error."""
    import httpx

    from pytest_rollout.targets.bounded import given_up_after

    deadline = time.monotonic() + _TIMEOUT_S
    size = 0
    plain = {**headers, "accept-encoding": "identity", "connection": "close"}
    with (
        given_up_after(_TIMEOUT_S) as extensions,
        client.stream("GET", path, headers=plain, extensions=extensions) as response,
    ):
        response.raise_for_status()
        if response.headers.get("content-encoding", "identity") != "identity":
            raise RolloutError(f"{response.url} answers packed, which was not asked for")
        chunks = []
        for chunk in response.iter_raw():
            size += len(chunk)
            if size > _MAX_BYTES or time.monotonic() >= deadline:
                break
            chunks.append(chunk)
        # Also where it ended: being cut off may look like an end.
        if size > _MAX_BYTES or time.monotonic() >= deadline:
            limit = f"{_MAX_BYTES} bytes or {_TIMEOUT_S:g} s"
            raise RolloutError(f"{response.url} answers more than {limit} can hold")
    kept = [(k, v) for k, v in response.headers.multi_items() if k != "transfer-encoding"]
    return httpx.Response(200, headers=kept, content=b"".join(chunks), request=response.request)


def _printed(source: FactSource, folder: Path) -> Answer:
    """What the command of a source prints."""
    who = f"the command `{' '.join(source.command):.80}`"
    names = {name for word in source.command for name in variables(word)}
    unset = sorted(name for name in names if not os.environ.get(name))
    if unset:
        raise RolloutError(f"{who}: the environment variable {unset[0]} is not set")
    words = [filled(word, who) for word in source.command]
    try:
        ended = run_bounded(words, folder, os.environ, _COMMAND_S)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise RolloutError(f"{who} cannot start: {why}") from None
    if ended.trouble:
        raise RolloutError(f"{who}: {ended.trouble}")
    lines = ended.err.decode("utf-8", "replace").strip().splitlines()
    if ended.status:
        why = last_line(lines, "it said nothing")
        raise RolloutError(f"{who} ended with exit status {ended.status}: {why}")
    if len(ended.out) > _MAX_BYTES:
        raise RolloutError(f"{who} prints more than {_MAX_BYTES} bytes")
    return Answer(who, ended.out.decode("utf-8", "replace"))
