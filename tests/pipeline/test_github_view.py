"""The suite's view of GitHub: what it asks, and what it makes of answers that are otherwise."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator

import httpx
import pytest
import respx

from pytest_rollout import NoValueError
from pytest_rollout.targets.target_client import TargetClient
from suites.pipeline.views.github import GuardedTransport, Repository

API = "https://api.github.example"
UNDER = f"{API}/repos/acme/site-pipeline"


@pytest.fixture
def github() -> Iterator[respx.MockRouter]:
    """What answers in GitHub's place."""
    with respx.mock(base_url=UNDER, assert_all_called=False) as router:
        yield router


@pytest.fixture
def repository(github: respx.MockRouter) -> Repository:
    """The repository, by a client that sends nothing that changes something."""

    def refuse(method: str, path: str) -> None:
        raise PermissionError(f"{method} {path}")

    return Repository(TargetClient(refuse, base_url=API), API, "secret", "acme/site-pipeline")


def _file(text: str) -> dict[str, object]:
    content = base64.b64encode(text.encode()).decode()
    same = dict.fromkeys(("url", "git_url", "html_url", "download_url"), f"{API}/x")
    return {
        **{"type": "file", "encoding": "base64", "size": 2, "name": "a", "path": "a", "sha": "1"},
        **{"content": content, **same, "_links": {"self": "x", "git": "x", "html": "x"}},
    }


def test_the_token_and_the_version_are_sent(
    github: respx.MockRouter, repository: Repository
) -> None:
    route = github.get("/contents/a").respond(json=_file("hi"))
    assert repository.text("a") == "hi"
    sent = route.calls.last.request.headers
    assert sent["authorization"].endswith(" secret")
    assert sent["x-github-api-version"] == "2026-03-10"
    assert "gzip" in sent["accept-encoding"]


def test_what_is_missing_is_none_and_what_is_refused_is_an_error(
    github: respx.MockRouter, repository: Repository
) -> None:
    from githubkit.exception import RequestFailed

    github.get("/contents/a").respond(404, json={"message": "Not Found"})
    github.get("/git/ref/heads%2Fb").respond(500, json={"message": "Oops"})
    github.get("/git/ref/heads/b").respond(500, json={"message": "Oops"})
    assert repository.text("a") is None
    with pytest.raises(RequestFailed):
        repository.has_branch("b")


def test_an_answer_that_lacks_a_field_is_no_answer(
    github: respx.MockRouter, repository: Repository
) -> None:
    github.get("/issues/7").respond(json={"number": 7, "title": "Without the rest"})
    with pytest.raises(ValueError, match="validation error"):
        repository.issue(7)


def test_a_change_is_asked_of_the_guard_before_it_is_sent(
    github: respx.MockRouter, repository: Repository
) -> None:
    from githubkit.exception import RequestError

    route = github.post("/issues/7/labels").respond(json=[])
    with pytest.raises(RequestError) as raised:
        repository.add_labels(7, "state::assigned")
    assert isinstance(raised.value.__cause__, PermissionError)
    assert "POST /repos/acme/site-pipeline/issues/7/labels" in str(raised.value.__cause__)
    assert not route.called


def test_every_page_of_a_list_is_read(github: respx.MockRouter, repository: Repository) -> None:
    links = {"link": f'<{UNDER}/actions/workflows?page=2>; rel="next"'}

    def page(request: httpx.Request) -> httpx.Response:
        number = int(request.url.params["page"])
        assert request.url.params["per_page"] == "100"
        body = {"total_count": 2, "workflows": [_workflow(number)]}
        return httpx.Response(200, json=body, headers=links if number == 1 else {})

    github.get("/actions/workflows").mock(side_effect=page)
    assert [workflow.file for workflow in repository.workflows()] == ["1.yml", "2.yml"]


def test_a_list_that_never_ends_is_no_evidence(
    github: respx.MockRouter, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("suites.pipeline.views.github._MOST_PAGES", 3)
    headers = {"link": f'<{UNDER}/actions/workflows?page=9>; rel="next"'}
    body = {"total_count": 2, "workflows": [_workflow(1)]}
    github.get("/actions/workflows").respond(json=body, headers=headers)
    with pytest.raises(NoValueError, match="goes on"):
        repository.workflows()


def test_a_body_that_was_packed_is_read_once(github: respx.MockRouter) -> None:
    import gzip

    packed = gzip.compress(json.dumps({"a": 1}).encode())
    github.get("/x").respond(headers={"content-encoding": "gzip"}, content=packed)
    client = httpx.Client(transport=GuardedTransport(httpx.Client()))
    answer = client.get(f"{UNDER}/x")
    assert answer.json() == {"a": 1}
    assert "content-encoding" not in answer.headers


def _workflow(number: int) -> dict[str, object]:
    same = dict.fromkeys(("url", "html_url", "badge_url"), f"{API}/x")
    times = dict.fromkeys(("created_at", "updated_at"), "2026-01-12T00:00:00Z")
    path = f".github/workflows/{number}.yml"
    named = {"node_id": "W", "name": "Named", "path": path, "state": "active"}
    return {"id": number, **named, **times, **same}
