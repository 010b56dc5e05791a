"""A pull request and its reviews, asked of GitHub's GraphQL API.

GraphQL rather than REST, because only it says when a text was last edited: an approval must not be
tied to words that were written into a pull request after it.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pytest_rollout.extras import needs_extra
from pytest_rollout.model.errors import OptionError, RolloutError
from pytest_rollout.model.review import PullRequest, Review, ReviewState

if TYPE_CHECKING:
    from githubkit import GitHub

API = "https://api.github.com"
_TIMEOUT_S = 20.0
_MOST_PAGES = 50
_REPOSITORY = re.compile(r"[A-Za-z0-9._-]+/[A-Za-z0-9._-]+")
_ASKED = """
query($owner: String!, $name: String!, $number: Int!, $after: String) {
  repository(owner: $owner, name: $name) {
    pullRequest(number: $number) {
      url
      body
      createdAt
      lastEditedAt
      author { login }
      reviews(first: 100, after: $after) {
        pageInfo { hasNextPage endCursor }
        nodes {
          id
          url
          state
          body
          submittedAt
          lastEditedAt
          author { login }
          commit { oid }
        }
      }
    }
  }
}
"""


def read_pull_request(repository: str, number: int, token: str, api: str = API) -> PullRequest:
    """Return a pull request with all of its reviews.

    ``repository`` is OWNER/NAME; ``api`` the address of the REST API, as GitHub Enterprise has one
    under /api/v3. Raises RolloutError with one message, in which the token never stands.
    """
    if not _REPOSITORY.fullmatch(repository):
        raise OptionError("--repo", f"{repository!r} is no repository (OWNER/NAME)")
    _safe(api)
    needs_extra("github", "githubkit")
    pages = list(_pages(repository, number, token, api))
    try:
        return _pull_request(pages)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RolloutError(f"{api} answers something that is no pull request ({error})") from error


def _safe(api: str) -> None:
    """Raise OptionError for an address to which no token may be sent."""
    parts = urlsplit(api)
    if parts.scheme == "https" and parts.hostname and not parts.username:
        return
    if parts.scheme == "http" and _loopback(parts.hostname or ""):
        return
    why = "is no address of an API (https://HOST/api/v3; without https a token could be read)"
    raise OptionError("--api", f"{api.rpartition('@')[2]!r} {why}")


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _pages(repository: str, number: int, token: str, api: str) -> Iterator[Mapping[str, Any]]:
    """Yield the pull request once for each hundred of its reviews."""
    from githubkit import GitHub  # a second, for this verb alone

    github = GitHub(
        token,
        base_url=api,
        auto_retry=False,
        follow_redirects=False,
        http_cache=False,
        timeout=_TIMEOUT_S,
        user_agent="pytest-rollout",
    )
    owner, _, name = repository.partition("/")
    given = {"owner": owner, "name": name, "number": number, "after": None}
    for _ in range(_MOST_PAGES):
        answer = _asked(github, given, repository, number, api)
        pull = (answer.get("repository") or {}).get("pullRequest")
        if not isinstance(pull, Mapping):
            raise RolloutError(_unknown(repository, number))
        yield pull
        page = pull.get("reviews", {}).get("pageInfo", {})
        if not page.get("hasNextPage"):
            return
        if not page.get("endCursor") or page["endCursor"] == given["after"]:
            raise RolloutError(f"{api} says that there are more reviews, and not where")
        given["after"] = page["endCursor"]
    raise RolloutError(f"pull request {number} has more than {_MOST_PAGES * 100:,} reviews")


def _asked(
    github: GitHub[Any], given: Mapping[str, Any], repository: str, number: int, api: str
) -> Mapping[str, Any]:
    """One answer; raises RolloutError in words."""
    from githubkit.exception import (
        GitHubException,
        GraphQLFailed,
        RateLimitExceeded,
        RequestFailed,
        RequestTimeout,
    )

    try:
        return github.graphql.request(_ASKED, dict(given)) or {}
    except RateLimitExceeded as error:
        wait = max(1, round(error.retry_after.total_seconds() / 60))
        raise RolloutError(
            f"{api} answers no more for now (rate limit): ask in {wait} min"
        ) from None
    except RequestTimeout:
        raise RolloutError(f"{api} did not answer within {_TIMEOUT_S:.0f} s") from None
    except RequestFailed as error:
        raise RolloutError(_refused(error.response.status_code, repository, api)) from None
    except GraphQLFailed as error:
        errors = error.response.errors or []
        if any(error.type == "NOT_FOUND" for error in errors):
            raise RolloutError(_unknown(repository, number)) from None
        told = "; ".join(error.message for error in errors) or "it says no more"
        raise RolloutError(f"{api} refuses to tell of {repository}: {told:.300}") from None
    except (GitHubException, ValueError, TypeError, AttributeError) as error:
        cause = getattr(error, "exc", error)
        raise RolloutError(f"{api} could not be asked: {_words(cause)}") from None


def _refused(status: int, repository: str, api: str) -> str:
    if status == 401:
        return f"{api} refuses the token (401): it is wrong, or has expired"
    if status == 403:
        return f"{api} refuses the token (403): it needs to read pull requests of {repository}"
    if status == 404:
        return f"{api} is no API of GitHub (404; of GitHub Enterprise it ends in /api/v3)"
    return f"{api} answers with status {status}"


def _unknown(repository: str, number: int) -> str:
    return (
        f"GitHub knows no pull request {number} of {repository}, or the token may not see it (it "
        "needs to read pull requests there)"
    )


def _words(error: BaseException) -> str:
    """The first line of an error, or its kind; a validation error shows what it was given."""
    lines = str(error).strip().splitlines()
    return f"{lines[0]:.200}" if lines else type(error).__name__


def _pull_request(pages: list[Mapping[str, Any]]) -> PullRequest:
    first, states = pages[0], set(ReviewState)
    nodes = [node for page in pages for node in page["reviews"]["nodes"]]
    return PullRequest(
        url=str(first["url"]),
        author=_login(first),
        text=first["body"] or "",
        text_since=_instant(first["lastEditedAt"] or first["createdAt"]),
        reviews=tuple(_review(node) for node in nodes if node["state"] in states),
    )


def _review(node: Mapping[str, Any]) -> Review:
    return Review(
        id=str(node["id"]),
        url=str(node["url"]),
        login=_login(node),
        state=ReviewState(node["state"]),
        text=node["body"] or "",
        commit=(node["commit"] or {}).get("oid") or "",
        submitted_at=_instant(node["submittedAt"]),
        edited=node["lastEditedAt"] is not None,
    )


def _login(node: Mapping[str, Any]) -> str:
    return str((node["author"] or {}).get("login") or "")


def _instant(text: str) -> str:
    return datetime.fromisoformat(text).astimezone(UTC).isoformat()
