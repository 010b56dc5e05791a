"""How the suite asks GitHub: what it sends, by which client, and what it makes of refusals."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import respx
from githubkit import GitHub

from pytest_rollout import RolloutError
from pytest_rollout.targets.target_client import TargetClient
from suites.pipeline.views.github import answered, connect
from suites.pipeline.views.hub import Hub

API = "https://github.example/api/v3"
REPOSITORY = "acme/site-pipeline"
UNDER = f"{API}/repos/{REPOSITORY}"


def _refuse(method: str, path: str) -> None:
    raise PermissionError(f"{method} {path}")


@pytest.fixture
def router() -> Iterator[respx.MockRouter]:
    """What answers in GitHub's place."""
    with respx.mock(base_url=UNDER, assert_all_called=False) as router:
        yield router


@pytest.fixture
def client(router: respx.MockRouter) -> httpx.Client:
    """A client that sends nothing that may change something."""
    return TargetClient(_refuse, base_url=API)


@pytest.fixture
def github(client: httpx.Client) -> GitHub[Any]:
    """GitHub by that client."""
    return connect(client, "secret")


def test_token_and_version_are_sent(router: respx.MockRouter, github: GitHub[Any]) -> None:
    route = router.get("/issues", params={"page": "2"}).respond(json=[{"number": 1}])
    answer = answered(github, "GET", f"/repos/{REPOSITORY}/issues", params={"page": 2})
    assert answer.json() == [{"number": 1}]
    sent = route.calls.last.request.headers
    assert sent["authorization"].endswith(" secret")
    assert sent["x-github-api-version"] == "2026-03-10"
    assert sent["accept"] == "application/vnd.github+json"


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (404, {}),
        (422, {}),
        (403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1768348800"}),
        (429, {"retry-after": "60"}),
        (503, {}),
    ],
)
def test_a_refusal_is_an_answer_and_is_asked_for_once(
    router: respx.MockRouter, github: GitHub[Any], status: int, headers: dict[str, str]
) -> None:
    route = router.get("/pulls/1").respond(status, json={"message": "No"}, headers=headers)
    answer = answered(github, "GET", f"/repos/{REPOSITORY}/pulls/1")
    assert (answer.status_code, answer.json(), route.call_count) == (status, {"message": "No"}, 1)


def test_a_change_is_asked_of_the_guard_before_it_is_sent(
    router: respx.MockRouter, github: GitHub[Any]
) -> None:
    route = router.post("/issues/7/labels").respond(json=[])
    path = f"/repos/{REPOSITORY}/issues/7/labels"
    with pytest.raises(PermissionError, match=f"POST {path}"):
        answered(github, "POST", path, json={"labels": ["state::assigned"]})
    assert not route.called


def test_what_keeps_it_from_being_sent_is_said(
    router: respx.MockRouter, github: GitHub[Any]
) -> None:
    router.get("/pulls").mock(side_effect=httpx.ConnectError("refused"))
    with pytest.raises(httpx.ConnectError, match="refused"):
        answered(github, "GET", f"/repos/{REPOSITORY}/pulls")


def test_a_body_that_was_packed_is_read(router: respx.MockRouter, github: GitHub[Any]) -> None:
    packed = gzip.compress(json.dumps({"a": 1}).encode())
    router.get("/x").respond(headers={"content-encoding": "gzip"}, content=packed)
    answer = answered(github, "GET", f"/repos/{REPOSITORY}/x")
    assert answer.json() == {"a": 1}
    assert "content-encoding" not in answer.headers


def test_a_redirect_is_followed_without_the_token(
    router: respx.MockRouter, client: httpx.Client
) -> None:
    elsewhere = "https://storage.example/log.txt"
    router.get("/actions/jobs/5/logs").respond(302, headers={"location": elsewhere})
    with respx.mock(assert_all_mocked=False) as other:
        stored = other.get(elsewhere).respond(text="a log")
        assert Hub(client, REPOSITORY, "secret").text("/actions/jobs/5/logs") == "a log"
    assert "authorization" not in stored.calls.last.request.headers


def test_every_page_of_a_list_is_read(router: respx.MockRouter, client: httpx.Client) -> None:
    links = {"link": f'<{UNDER}/actions/workflows?page=2>; rel="next"'}

    def page(request: httpx.Request) -> httpx.Response:
        number = int(request.url.params["page"])
        assert request.url.params["per_page"] == "100"
        body = {"total_count": 2, "workflows": [{"id": number}]}
        return httpx.Response(200, json=body, headers=links if number == 1 else {})

    router.get("/actions/workflows").mock(side_effect=page)
    hub = Hub(client, REPOSITORY, "secret")
    assert [row["id"] for row in hub.pages("/actions/workflows", "workflows")] == [1, 2]


def test_a_page_that_is_refused_is_no_end_of_a_list(
    router: respx.MockRouter, client: httpx.Client
) -> None:
    router.get("/issues").respond(503, json={})
    with pytest.raises(RolloutError, match="503"):
        list(Hub(client, REPOSITORY, "secret").pages("/issues"))


def test_a_run_that_waited_began_with_its_first_job(
    router: respx.MockRouter, client: httpx.Client
) -> None:
    times = {1: ("06:00", "06:12"), 2: ("06:05", "06:20"), 3: ("06:19", "06:21"), 4: ("06:30", "")}
    rows = [_run(number, *span) for number, span in times.items()]
    router.get("/actions/runs").respond(json={"total_count": 4, "workflow_runs": rows[::-1]})
    for number, began in ((2, ["06:13", "06:12"]), (3, [])):
        jobs = [{"started_at": f"2026-01-12T{time}:00Z"} for time in began]
        body = {"total_count": len(jobs), "jobs": jobs}
        router.get(f"/actions/runs/{number}/jobs").respond(json=body)
    runs = Hub(client, REPOSITORY, "secret").runs()
    assert [(run.id, f"{run.begun:%H:%M}") for run in runs] == [
        *((1, "06:00"), (2, "06:12"), (3, "06:21"), (4, "06:30"))
    ]
    assert len(router.calls) == 3


def _run(number: int, created: str, ended: str) -> dict[str, object]:
    began, status = f"2026-01-12T{created}:00Z", "completed" if ended else "in_progress"
    return {
        **{"id": number, "path": ".github/workflows/a.yml", "event": "schedule"},
        **{"status": status, "conclusion": None, "created_at": began, "run_started_at": began},
        "updated_at": f"2026-01-12T{ended or created}:00Z",
    }
