"""What the gate of the rehearsal asks of GitHub's answers, and which wrong ones it notices."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from fixtures.pipeline.core.days import DAY_S, day
from fixtures.pipeline.core.world import World
from fixtures.pipeline.rest.api import application
from suites.pipeline.test_rehearsal_answers import disagreements
from suites.pipeline.views.hub import Hub
from tests.pipeline.lived import lived
from tests.pipeline.worlds import URL, AtOnce

Change = Callable[[httpx.Request, Any], None]


class Changed(httpx.BaseTransport):
    """Passes the answers of an application on, each as something made it."""

    def __init__(self, inner: httpx.BaseTransport, change: Change, headers: dict[str, str]) -> None:
        self._inner, self._change, self._headers = inner, change, headers

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The answer, changed where it is JSON."""
        answer = self._inner.handle_request(request)
        headers = {**answer.headers, **self._headers}
        content = answer.content
        if answer.headers.get("content-type", "").startswith("application/json"):
            said = answer.json()
            self._change(request, said)
            content = json.dumps(said).encode()
        headers = {name: text for name, text in headers.items() if name != "content-length"}
        return httpx.Response(answer.status_code, headers=headers, content=content)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """The evening before the decision of day -1."""
    opens = day(1) - 7 * DAY_S
    world = lived(tmp_path_factory.mktemp("world"), opens, until=opens + 4.9 * DAY_S)
    world.main.check_out()
    return world


def wrong(world: World, change: Change, **headers: str) -> str:
    """What is first found wrong of the answers of a world, as something made them."""
    told = {f"x-ratelimit-{name}": text for name, text in headers.items()}
    client = httpx.Client(transport=Changed(AtOnce(application(world)), change, told), base_url=URL)
    hub = Hub(client, "acme/site-pipeline")
    return next((why for _, why in disagreements(hub, world.folder / "checkout") if why), "")


def as_it_is(_: httpx.Request, __: Any) -> None:
    """Leave an answer as it is."""


def test_a_healthy_one_agrees(world: World) -> None:
    assert not wrong(world, as_it_is)


def _rows(said: Any, key: str) -> list[Any]:
    return said.get(key, []) if isinstance(said, dict) else []


def _each_run_lacks_its_title(_: httpx.Request, said: Any) -> None:
    for run in _rows(said, "workflow_runs"):
        del run["display_title"]


def _one_more_is_counted(_: httpx.Request, said: Any) -> None:
    if isinstance(said, dict) and "total_count" in said:
        said["total_count"] += 1


def _the_last_row_of_a_page_is_lost(_: httpx.Request, said: Any) -> None:
    if isinstance(said, list) and len(said) == 7:
        said.pop()


def _lists_have_other_titles(request: httpx.Request, said: Any) -> None:
    if request.url.path.endswith("/issues"):
        for issue in said:
            issue["title"] = issue["title"].upper()


def _labels_are_never_removed(request: httpx.Request, said: Any) -> None:
    if request.url.path.endswith("/issues/events"):
        for event in said:
            event["event"] = event["event"].replace("unlabeled", "renamed")


def _jobs_are_of_another_branch(_: httpx.Request, said: Any) -> None:
    for job in _rows(said, "jobs"):
        job["head_branch"] = "other"


def _artifacts_are_of_another_commit(_: httpx.Request, said: Any) -> None:
    for artifact in _rows(said, "artifacts"):
        artifact["workflow_run"]["head_sha"] = "0" * 40


def _a_filter_finds_nothing(request: httpx.Request, said: Any) -> None:
    if "created" in request.url.params:
        said["workflow_runs"].clear()


def _comments_are_at_no_address(request: httpx.Request, said: Any) -> None:
    if request.url.path.endswith("/issues/comments"):
        for comment in said:
            comment["url"] = comment["issue_url"]


def _the_pipeline_is_a_person(request: httpx.Request, said: Any) -> None:
    if request.url.path.endswith(("/issues", "/issues/events")):
        for row in said:
            (row.get("actor") or row["user"])["type"] = "User"


def _labels_have_other_colours(request: httpx.Request, said: Any) -> None:
    if request.url.path.endswith("/labels"):
        for label in said:
            label["color"] = "abcdef"


def _commits_are_of_somebody_else(request: httpx.Request, said: Any) -> None:
    if request.url.path.endswith("/commits"):
        for row in said:
            row["commit"]["author"]["name"] = "somebody-else"


def _workflows_have_other_names(request: httpx.Request, said: Any) -> None:
    for row in [*_rows(said, "workflows"), *_rows(said, "workflow_runs")]:
        row["name"] = "Workflow"


def _files_are_of_another_blob(request: httpx.Request, said: Any) -> None:
    if "/contents/" in request.url.path:
        said["sha"] = "0" * 40


def _pulls_are_of_another_label(request: httpx.Request, said: Any) -> None:
    if request.url.path.endswith("/pulls"):
        for row in said:
            row["head"]["label"] = "main"


def _steps_are_in_another_order(_: httpx.Request, said: Any) -> None:
    for job in _rows(said, "jobs"):
        names = [step["name"] for step in job["steps"]]
        for step, name in zip(job["steps"], names[::-1], strict=True):
            step["name"] = name


CHANGES = {
    "an address leads elsewhere": _comments_are_at_no_address,
    "an account is of another kind": _the_pipeline_is_a_person,
    "a label differs from itself": _labels_have_other_colours,
    "a commit is not git's": _commits_are_of_somebody_else,
    "a workflow is not called as its file says": _workflows_have_other_names,
    "a blob is not git's": _files_are_of_another_blob,
    "a pull request is of another side": _pulls_are_of_another_label,
    "steps are not those of the file": _steps_are_in_another_order,
    "a field is missing": _each_run_lacks_its_title,
    "a total is wrong": _one_more_is_counted,
    "a page lacks a row": _the_last_row_of_a_page_is_lost,
    "a list differs from its entries": _lists_have_other_titles,
    "events do not come to the labels": _labels_are_never_removed,
    "a job is not of its run": _jobs_are_of_another_branch,
    "an artifact is not of its run": _artifacts_are_of_another_commit,
    "a filter leaves out": _a_filter_finds_nothing,
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_wrong_answer_is_noticed(world: World, change: str) -> None:
    assert wrong(world, CHANGES[change])


def test_limits_that_never_move_are_noticed(world: World) -> None:
    assert wrong(world, as_it_is, used="0")
