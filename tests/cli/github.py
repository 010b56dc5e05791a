"""GitHub as tests need it: one pull request, answered to GraphQL through respx, no network."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import respx

PAGE = 100


def ago(seconds: float = 0) -> str:
    """A moment as GitHub writes it."""
    return (datetime.now(UTC) - timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass
class GitHub:
    """A pull request that tests change, and what was asked of it."""

    api: str = "https://api.github.com"
    graphql: str = "https://api.github.com/graphql"
    author: str | None = "mallory"
    body: str = "A change."
    created: str = field(default_factory=lambda: ago(9_000))
    edited: str | None = None
    reviews: list[dict[str, Any]] = field(default_factory=list)
    asked: list[httpx.Request] = field(default_factory=list)

    def review(
        self,
        login: str | None,
        state: str = "APPROVED",
        *,
        body: str = "",
        commit: str | None = "c" * 40,
        at: str = "",
        edited: str | None = None,
        id_: str = "",
    ) -> dict[str, Any]:
        """Somebody reviews."""
        number = len(self.reviews) + 1
        made = {
            "id": id_ or f"PRR_{number}",
            "url": f"https://github.com/o/r/pull/7#pullrequestreview-{number}",
            "state": state,
            "body": body,
            "submittedAt": None if state == "PENDING" else at or ago(),
            "lastEditedAt": edited,
            "author": login and {"login": login},
            "commit": commit and {"oid": commit},
        }
        self.reviews.append(made)
        return made

    def answer(self, request: httpx.Request) -> httpx.Response:
        """Answer a query as the API does, a page of reviews at a time."""
        self.asked.append(request)
        given = json.loads(request.content)["variables"]
        if (given["owner"], given["name"], given["number"]) != ("o", "r", 7):
            missing = {"type": "NOT_FOUND", "path": ["repository"], "message": "Could not resolve"}
            return httpx.Response(200, json={"data": {"repository": None}, "errors": [missing]})
        start = int(given.get("after") or 0)
        end = start + PAGE
        page = {"hasNextPage": end < len(self.reviews), "endCursor": str(end)}
        pull = {
            "url": "https://github.com/o/r/pull/7",
            "body": self.body,
            "createdAt": self.created,
            "lastEditedAt": self.edited,
            "author": self.author and {"login": self.author},
            "reviews": {"pageInfo": page, "nodes": self.reviews[start:end]},
        }
        return httpx.Response(200, json={"data": {"repository": {"pullRequest": pull}}})


@contextmanager
def serving(github: GitHub) -> Iterator[respx.MockRouter]:
    """Answer for GitHub; anything else that is asked fails the test."""
    with respx.mock(assert_all_called=False) as router:
        router.post(github.graphql).mock(side_effect=github.answer)
        router.route(host="127.0.0.1").pass_through()
        yield router
