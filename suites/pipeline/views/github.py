"""GitHub as the suite asks it: by githubkit, through the guarded client of the target."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from githubkit import GitHub

VERSION = "2026-03-10"  # of the API whose answers the suite reads
_TIMEOUT_S = 20.0


class GuardedTransport(httpx.BaseTransport):
    """Sends what githubkit asks for by the client of a target, which sees and may refuse it."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The answer to a request, with its body read."""
        request.headers["accept-encoding"] = self._client.headers["accept-encoding"]
        answer = self._client.send(request)
        # The body was decoded: what the headers say of it would be wrong.
        left_out = ("content-encoding", "content-length", "transfer-encoding")
        headers = [(name, text) for name, text in answer.headers.multi_items()]
        headers = [(name, text) for name, text in headers if name.lower() not in left_out]
        return httpx.Response(answer.status_code, headers=headers, content=answer.content)


def connect(client: httpx.Client, token: str) -> GitHub[Any]:
    """GitHub at the address of a target's client, as the account that a token belongs to.

    Every request passes that client. Redirects are followed, each by it; nothing is asked again.
    """
    from githubkit import GitHub

    return GitHub(
        token,
        base_url=client.base_url,
        transport=GuardedTransport(client),
        auto_retry=False,
        http_cache=False,
        timeout=_TIMEOUT_S,
        trust_env=False,
        user_agent="rollout-suite",
    )


def answered(github: GitHub[Any], method: str, path: str, **options: Any) -> httpx.Response:
    """GitHub's answer as it came, a refusal too; ``options`` are `params` and `json`.

    Raises what the target's client raises.
    """
    from githubkit.exception import RequestError, RequestFailed

    headers = {"X-GitHub-Api-Version": VERSION}
    try:
        return github.request(method, path, headers=headers, **options).raw_response
    except RequestFailed as refusal:
        return refusal.response.raw_response
    except RequestError as error:
        raise error.exc from None
