"""One line for an error, without the libraries that may have raised it."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_rollout.redact import cap, hide

_MAX = 300


def trouble(error: BaseException) -> str:
    """The error's text, with the address asked where it is one of HTTP (httpx.RequestError)."""
    text = cap(" ".join(str(error).split()), _MAX) or type(error).__name__
    request = getattr(error, "_request", None)
    url = getattr(request, "url", None)
    if url is None:
        return text if type(error).__module__.startswith("pytest_rollout") else _typed(error, text)
    bare = hide(str(url.copy_with(userinfo=b"", query=None)))
    method = getattr(request, "method", "")
    return text if bare in text else f"{method} {bare}: {text}"


def last_line(lines: Sequence[str], otherwise: str) -> str:
    """The last line of what a process said, as it may be shown; or what stands for none."""
    return cap(lines[-1], _MAX) if lines else otherwise


def _typed(error: BaseException, text: str) -> str:
    name = type(error).__name__
    return text if text.startswith(name) else f"{name}: {text}"
