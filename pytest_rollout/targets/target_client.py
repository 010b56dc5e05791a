"""The HTTP client of a target: what would change something is first asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx

from pytest_rollout.model.requests import ReadingRequest, changes, methods_of

_CONSOLE = "/reference/"

Permit = Callable[[str, str], None]  # method and path; raises where they may not be sent


class TargetClient(httpx.Client):
    """A client that asks ``permit`` for each request that may change something, or is not sent.

    It stands where each request passes, also one that follows a redirect or that was built
    before. ``reads`` are requests that only read; ``console`` is whether the target is one that
    we serve, whose operator is not the check.
    """

    def __init__(
        self,
        permit: Permit | None = None,
        reads: tuple[ReadingRequest, ...] = (),
        *,
        console: bool = False,
        **settings: Any,
    ) -> None:
        super().__init__(**settings)
        self._rollout_permit = permit
        self._rollout_reads = reads
        self._rollout_console = console

    def _send_single_request(self, request: httpx.Request) -> httpx.Response:
        if self._rollout_permit is not None:
            methods = methods_of(request.method, request.headers)
            own, path = self._below(request.url)
            excused = own and self._rollout_console and path.startswith(_CONSOLE)
            if not excused and changes(methods, path, self._rollout_reads if own else ()):
                shown = path if own else f"{request.url.scheme}://{request.url.host}{path}"
                self._rollout_permit(" as ".join(methods), shown)
        return super()._send_single_request(request)

    def _below(self, url: httpx.URL) -> tuple[bool, str]:
        """Return whether an address is the target's, and its path below the target's address."""
        path = url.raw_path.decode("ascii", "replace").partition("?")[0]
        base = self.base_url
        if (url.scheme, url.host, url.port) != (base.scheme, base.host, base.port):
            return False, path
        prefix = base.raw_path.decode("ascii", "replace").rstrip("/")
        if prefix and not path.startswith(f"{prefix}/"):
            return False, path
        return True, path[len(prefix) :]
